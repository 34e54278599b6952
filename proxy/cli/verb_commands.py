"""Lists the commands that change what a running proxy does with a route, with those that tell of it."""

# ruff: noqa: FBT002 - typer makes options of parameters

from __future__ import annotations

from typing import Annotated

import typer

from proxy.cli.completing import route_names
from proxy.cli.options import AdminOption, ConfigOption, JsonOption
from proxy.errors import EXIT_USAGE

RouteArgument = Annotated[str, typer.Argument(help="The route's name.", autocompletion=route_names)]
RouteOrNone = Annotated[str, typer.Argument(help="The route's name; left out with --all.", autocompletion=route_names)]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit trail.")]
NeededReason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it must be said.")]
RevisionOption = Annotated[
    int | None,
    typer.Option(
        "--revision", metavar="N", help="Refuse when the route has changed since this revision of its status."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (weight, advance, hold, resume, rollback, events, drill):
        app.command()(command)


def weight(
    route: RouteArgument,
    percent: Annotated[float, typer.Argument(min=0, max=100, help="Share of users on modern, in percent.")],
    reason: ReasonOption = "",
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Set the share of users that modern answers, until the next change."""
    from proxy.cli.verbs import verb

    wish = {"weight": percent, "reason": reason}
    raise typer.Exit(verb(config, admin, "weight", route, wish, revision=revision, as_json=json))


def advance(
    route: RouteArgument,
    reason: ReasonOption = "",
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Enter the next step of the route's rollout."""
    from proxy.cli.verbs import verb

    raise typer.Exit(verb(config, admin, "advance", route, {"reason": reason}, revision=revision, as_json=json))


def hold(
    route: RouteArgument,
    reason: ReasonOption = "",
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Stay at the present weight until a resume: no step is taken, a file that says more waits."""
    from proxy.cli.verbs import verb

    raise typer.Exit(verb(config, admin, "hold", route, {"reason": reason}, revision=revision, as_json=json))


def resume(
    reason: NeededReason,
    route: RouteOrNone = "",
    everything: Annotated[bool, typer.Option("--all", help="Every route that a person rolled back.")] = False,
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Lift a hold, or a rollback: back to the file's weight, or to step 1."""
    from proxy.cli.verbs import resume_all, verb

    _one_or_all(route, everything=everything)
    if everything:
        raise typer.Exit(resume_all(config, admin, reason, as_json=json))
    raise typer.Exit(verb(config, admin, "resume", route, {"reason": reason}, revision=revision, as_json=json))


def rollback(
    reason: NeededReason,
    route: RouteOrNone = "",
    everything: Annotated[bool, typer.Option("--all", help="Every route.")] = False,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Send everybody of a route to legacy, now, until a resume. Never refused."""
    from proxy.cli.verbs import rollback_all, verb

    _one_or_all(route, everything=everything)
    if everything:
        raise typer.Exit(rollback_all(config, admin, reason, as_json=json))
    raise typer.Exit(verb(config, admin, "rollback", route, {"reason": reason}, revision=None, as_json=json))


def _one_or_all(route: str, *, everything: bool) -> None:
    if bool(route) == everything:
        typer.echo("name one route, or say --all", err=True)
        raise typer.Exit(EXIT_USAGE)


def events(
    route: Annotated[str, typer.Argument(help="Only this route.", autocompletion=route_names)] = "",
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help="An id, a duration back (1h), a time.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print them as they happen.")] = False,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Show the audit trail: who changed what, when, why."""
    from proxy.cli.events import events as do

    raise typer.Exit(do(config, admin, route, since, limit=limit, follow=follow, as_json=json))


def drill(
    route: RouteArgument,
    path: Annotated[str, typer.Option("--path", help="A path of the route; needed where it has placeholders.")] = "",
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=20, help="How long at most.")] = 10.0,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Prove that users return to legacy when modern fails: made-up users meet made-up failures, timed."""
    from proxy.cli.drill import drill as do

    raise typer.Exit(do(config, admin, route, path, seconds, as_json=json))
