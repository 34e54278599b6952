"""Declares the commands about routes, differences, recordings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from proxy.cli.common import AdminOption, ConfigOption, JsonOption, route_names
from proxy.settings import EXIT_USAGE

# ruff: noqa: FBT002 - typer makes options of parameters


RouteArgument = Annotated[str, typer.Argument(help="The route's name.", autocompletion=route_names)]
RouteOrNone = Annotated[str, typer.Argument(help="The route's name; left out with --all.", autocompletion=route_names)]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit log.")]
NeededReason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it must be said.")]
RevisionOption = Annotated[
    int | None,
    typer.Option(
        "--revision", metavar="N", help="Refuse when the route has changed since this revision of its status."
    ),
]


OverrideOption = Annotated[
    bool, typer.Option("--override", help="Although its data is not verified; needs a reason, which is recorded.")
]


def add_routes_to(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (weight, advance, hold, resume, rollback, events, tail, drill):
        app.command()(command)


def weight(
    route: RouteArgument,
    percent: Annotated[float, typer.Argument(min=0, max=100, help="Share of users on modern, in percent.")],
    reason: ReasonOption = "",
    override: OverrideOption = False,
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Set the share of users that modern answers, until the next change."""
    from proxy.cli.routes import verb

    wish = {"weight": percent, "reason": reason, "override": override or None}
    raise typer.Exit(verb(config, admin, "weight", route, wish, revision=revision, as_json=json))


def advance(
    route: RouteArgument,
    reason: ReasonOption = "",
    override: OverrideOption = False,
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Enter the next step of the route's rollout."""
    from proxy.cli.routes import verb

    wish = {"reason": reason, "override": override or None}
    raise typer.Exit(verb(config, admin, "advance", route, wish, revision=revision, as_json=json))


def hold(
    route: RouteArgument,
    reason: ReasonOption = "",
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Stay at the present weight until a resume: no step is taken, a file that says more waits."""
    from proxy.cli.routes import verb

    raise typer.Exit(verb(config, admin, "hold", route, {"reason": reason}, revision=revision, as_json=json))


def resume(
    reason: NeededReason,
    route: RouteOrNone = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every route that a person rolled back.")] = False,
    guard: Annotated[
        bool, typer.Option("--guard", help="With --all: every route that the guard rolled back in this incident.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", "--dry-run", help="With --all: only show which routes that would be.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --guard: do not ask on a terminal.")] = False,
    revision: RevisionOption = None,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Lift a hold, or a rollback: back to the file's weight, or to step 1."""
    from proxy.cli.routes import resume_all, verb

    _one_or_all(route, everything=everything)
    if (guard or preview) and not everything:
        raise typer.BadParameter("--guard and --preview go with --all")
    if everything:
        wish = {"reason": reason, **({"guard": True} if guard else {})}
        ask = guard and not yes and not json
        raise typer.Exit(resume_all(config, admin, wish, preview=preview, ask=ask, as_json=json))
    raise typer.Exit(verb(config, admin, "resume", route, {"reason": reason}, revision=revision, as_json=json))


def rollback(
    reason: NeededReason,
    route: RouteOrNone = "",
    everything: Annotated[bool, typer.Option("--all", help="Every route.")] = False,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Send all users of a route to legacy, now, until a resume. Never refused."""
    from proxy.cli.routes import rollback_all, verb

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
    """Show the audit log: who changed what, when, why."""
    from proxy.cli.routes import events as do

    raise typer.Exit(do(config, admin, route, since, limit=limit, follow=follow, as_json=json))


class Side(StrEnum):
    """Where a request may be sent."""

    LEGACY = "legacy"
    MODERN = "modern"


def tail(
    route: Annotated[str, typer.Argument(help="Only this route.", autocompletion=route_names)] = "",
    side: Annotated[Side | None, typer.Option("--side", help="Only decisions for this side.")] = None,
    status: Annotated[
        str, typer.Option("--status", metavar="STATUS", help="Only these: 404, 5xx, 400-499, or several with commas.")
    ] = "",
    user: Annotated[str, typer.Option("--user", metavar="ID", help="Only this user; the id is not printed.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="End after so many; 0: never.")] = 0,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Print decisions as they are made: which request went to which side, why, what came of it; until Ctrl-C."""
    from proxy.cli.tail import tail as do

    wanted = {"route": route, "side": side.value if side is not None else "", "status": status, "user": user}
    raise typer.Exit(do(config, admin, wanted, limit=limit, as_json=json))


def drill(
    route: RouteArgument,
    path: Annotated[str, typer.Option("--path", help="A path of the route; needed where it has placeholders.")] = "",
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=20, help="How long at most.")] = 10.0,
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Prove that users return to legacy when modern fails: made-up users meet made-up failures, timed."""
    from proxy.cli.routes import drill as do

    raise typer.Exit(do(config, admin, route, path, seconds, as_json=json))


# The commands about differences, as the command line knows them.


class Form(StrEnum):
    """Whom a request is written for."""

    CURL = "curl"
    HTTP = "http"
    PYTEST = "pytest"


_SHOW, _REJUDGE, _IGNORE, _UNIGNORE = "show", "rejudge", "ignore", "unignore"
_ABOUT_ONE = (_SHOW, _IGNORE, _UNIGNORE)


def add_diffs_to(app: typer.Typer) -> None:
    """Add `diffs` with what follows it, `compare`."""
    app.command()(diffs)
    app.command()(compare)


def diffs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROUTE] | show ID | rejudge [ROUTE | PAIRS] | ignore ID | unignore ID",
            help="Of which route; or what to do with one difference.",
        ),
    ] = None,
    *,
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="A route with the name of a word.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="1h", help="Only what was seen since then.")] = "",
    transient: Annotated[
        bool, typer.Option("--transient", help="Those that were gone when both sides were asked again, instead.")
    ] = False,
    form: Annotated[
        Form | None, typer.Option("--as", help="With show: the request to both sides, for another tool.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is known, or not any more.")] = "",
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Who looks after it.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="Until when it is known: 2027-01-31.")] = "",
    max_rate: Annotated[
        str, typer.Option("--max-rate", metavar="SHARE", help="The share of compared answers it may be in: 5%.")
    ] = "",
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Show what differs between both sides: groups, one with its examples; say that one is known."""
    from proxy.cli import diffs as does

    word, *more = [*(words or []), ""]
    given = [each for each in more if each]
    if len(given) > 1 or (word in _ABOUT_ONE and not given) or (given and word not in (*_ABOUT_ONE, _REJUDGE)):
        raise typer.BadParameter("[ROUTE], show ID, rejudge [ROUTE], ignore ID or unignore ID is expected")
    name = "".join(given)
    if transient and word in (*_ABOUT_ONE, _REJUDGE):
        raise typer.BadParameter("--transient goes with a list of differences")
    if form is not None and (word != _SHOW or json):
        raise typer.BadParameter("--as goes with show ID, without --json")
    if form is not None:
        raise typer.Exit(does.again(config, admin, name, form.value))
    if word == _SHOW:
        raise typer.Exit(does.show(config, admin, name, as_json=json))
    if word == _REJUDGE and Path(name).is_file():
        from proxy.cli.recordings import rejudge

        raise typer.Exit(rejudge(config, name, as_json=json))
    if word == _REJUDGE:
        raise typer.Exit(does.rejudge(config, admin, route or name, as_json=json))
    if word in (_IGNORE, _UNIGNORE):
        if not reason.strip():
            raise typer.BadParameter("--reason is needed")
        wish = {"reason": reason}
        if word == _IGNORE:
            wish |= {"owner": owner, "until": until, "max_rate": max_rate}
        raise typer.Exit(does.ignore(config, admin, name, wish, undo=word == _UNIGNORE, as_json=json))
    raise typer.Exit(does.diffs(config, admin, route or word, since, transient=transient, as_json=json))


def compare(
    legacy: Annotated[str, typer.Argument(metavar="A", help="Legacy's answer: raw HTTP (curl -i) or a body.")],
    modern: Annotated[str, typer.Argument(metavar="B", help="Modern's answer, the same way.")],
    *,
    route: Annotated[
        str, typer.Option("--route", metavar="NAME", help="Judge as this route does; left out: exactly.")
    ] = "",
    method: Annotated[str, typer.Option("--method", help="The request's method.")] = "GET",
    path: Annotated[str, typer.Option("--path", help="The request's path.")] = "/",
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Compare two saved answers as a route would; needs no running proxy."""
    from proxy.cli.diffs import compare as do

    raise typer.Exit(do(config, legacy, modern, route, method, path, as_json=json))


# The commands about recorded requests, as the command line knows them.


def add_recordings_to(app: typer.Typer) -> None:
    """Add `replay`, `export`."""
    app.command()(replay)
    app.command()(export)


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Access log, HAR or JSON lines; may be packed.")],
    *,
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="This route's requests alone.")] = "",
    rate: Annotated[float, typer.Option("--rate", min=0, metavar="N", help="Requests a second; 0: no limit.")] = 10.0,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, metavar="N", help="How many at a time.")] = 8,
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="Ask at most so many; 0: all.")] = 0,
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", metavar="'K: V'", help="Sent with each request; repeatable.")
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Methods that change something, too: on both sides!")
    ] = False,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Keep differing pairs (redacted) here.")] = "",
    state: Annotated[
        str, typer.Option("--state", metavar="FILE", help="Remember here how far it came; go on there.")
    ] = "",
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Put recorded requests to both sides, compare; needs no running proxy. 0 when all of it agreed."""
    from proxy.cli.recordings import replay as do
    from proxy.traffic.replay import Wish

    wish = Wish(rate=rate, concurrency=concurrency, only=route, limit=limit)
    raise typer.Exit(do(config, file, header or [], wish, unsafe=unsafe, out=out, state=state, as_json=json))


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording.")],
    line: Annotated[int, typer.Argument(metavar="LINE", help="Which of its requests.")],
    *,
    form: Annotated[str, typer.Option("--as", metavar="FORM", help="curl, http or pytest.")] = "curl",
    origin: Annotated[
        str, typer.Option("--origin", metavar="URL", help="Where to send it; left out: where the file listens.")
    ] = "",
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Write one recorded request for another tool."""
    from proxy.cli.recordings import export as do

    raise typer.Exit(do(config, file, line, form, origin, as_json=json))
