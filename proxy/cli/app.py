"""Declares the commands; imports each when called."""

from __future__ import annotations

import os
import re
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from proxy.cli import app_commands, data_commands
from proxy.cli.common import AdminOption, ConfigOption, JsonOption, route_names
from proxy.settings import EXIT_YES, ProxyError

# Makes a command line that knows its commands by name alone, for help that comes at once.
#
# The list of commands needs none of their options; working those out takes longer than everything else.


_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"])
_COMPLETING = "_STRANGLER_COMPLETE"
"""What a shell sets that asks what could follow: it types nothing."""


def wants_the_list(arguments: list[str]) -> bool:
    """Whether the command line asks for the list of commands alone."""
    return arguments in _HELP and _COMPLETING not in os.environ


def outline(app: typer.Typer, settings: dict[str, Any]) -> typer.Typer:
    """Return a command line with the names and the help of `app`, which does nothing else."""
    shown = typer.Typer(**settings)
    if app.registered_callback is not None and app.registered_callback.callback is not None:
        shown.callback()(app.registered_callback.callback)
    for command in app.registered_commands:
        callback = command.callback
        if callback is not None:
            name = command.name or callback.__name__.replace("_", "-")
            shown.command(name, help=command.help or callback.__doc__, hidden=command.hidden)(_nothing)
    for group in app.registered_groups:
        if isinstance(group.typer_instance, typer.Typer):
            shown.command(group.name, help=_text(group.help) or _text(group.typer_instance.info.help))(_nothing)
    return shown


def _nothing() -> None:
    """Stands for a command."""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# ruff: noqa: FBT002 - typer makes options of parameters


class Form(StrEnum):
    """How a report is written."""

    MD = "md"
    HTML = "html"


SETTINGS: dict[str, Any] = {
    "name": "strangler",
    "help": "A strangler-fig reverse proxy: sends each endpoint to the legacy or to the modern side.",
    "no_args_is_help": True,
    "add_completion": True,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(**SETTINGS)
config_app = typer.Typer(help="The configuration.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")
sessions_app = typer.Typer(help="Sessions of the console.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sessions_app, name="sessions")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        from proxy.settings import build

        typer.echo(f"strangler {build()}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print version and build.")
    ] = False,
) -> None:
    """Take what belongs to no command."""


@app.command()
def run(
    config: ConfigOption = "proxy.yaml",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, metavar="N", help="Serving processes; left out: as the file says.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the proxy. TERM or INT drains, HUP reloads, USR2 starts the new program and drains the old."""
    from proxy.cli.config import run as do

    raise typer.Exit(do(config, workers, as_json=json))


@app.command()
def check(
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the file's JSON Schema.")] = False,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="URL|LOG",
            help="Print what the file would change in the proxy with its admin port here, or for a log's requests.",
        ),
    ] = "",
) -> None:
    """Validate the file: every problem with line and column."""
    from proxy.cli.config import check as do
    from proxy.cli.config import schema as print_schema

    if against and not schema:
        if "://" in against or against.startswith("unix:") or re.fullmatch(r"[\w.\[\]:-]*:\d+", against):
            from proxy.cli.config import plan

            raise typer.Exit(plan(config, against, as_json=json))
        from proxy.cli.config import yesterday

        raise typer.Exit(yesterday(config, against, as_json=json))
    raise typer.Exit(print_schema() if schema else do(config, as_json=json))


@app.command()
def init(
    config: ConfigOption = "proxy.yaml",
    access_log: Annotated[
        str, typer.Option("--access-log", metavar="FILE", help="Requests of the old side: combined, JSON, HAR; gzip.")
    ] = "",
    openapi: Annotated[str, typer.Option("--openapi", metavar="FILE", help="What the new API offers.")] = "",
    legacy: Annotated[
        str, typer.Option("--legacy", metavar="URL", help="Where the old side listens.")
    ] = "http://127.0.0.1:9001",
    modern: Annotated[
        str, typer.Option("--modern", metavar="URL", help="Where the new side listens.")
    ] = "http://127.0.0.1:8000",
    database: Annotated[
        list[str] | None,
        typer.Option("--database", metavar="SIDE=URL", help="legacy=URL and modern=URL: draft the `data` section too."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a first proxy.yaml from recorded traffic, the new API, both databases; every weight is 0."""
    from proxy.cli.recordings import init as do

    sides = {"legacy": legacy, "modern": modern}
    raise typer.Exit(do(config, access_log, openapi, database or [], sides=sides, force=force, as_json=json))


@app.command()
def doctor(
    config: ConfigOption = "proxy.yaml",
    nginx: Annotated[
        str, typer.Option("--nginx", metavar="FILE", help="What nginx -T prints; left out: it is asked itself.")
    ] = "",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Look at ports, limits, file modes, backends, nginx, store and clocks; say what to do."""
    from proxy.cli.support import doctor as do

    raise typer.Exit(do(config, admin, nginx, as_json=json))


@app.command()
def bundle(
    config: ConfigOption = "proxy.yaml",
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="The archive; left out: named after the time.")
    ] = "",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Pack what helps to help, without secrets: configuration, status, events, findings, versions."""
    from proxy.cli.support import bundle as do

    raise typer.Exit(do(config, admin, out, as_json=json))


@sessions_app.command("revoke")
def sessions_revoke(
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Only sessions of this name; without it, all sessions.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit trail.")] = "",
    config: ConfigOption = "proxy.yaml",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """End sessions of the console at once, on every instance; who holds a token logs in again."""
    from proxy.cli.routes import revoke_sessions

    raise typer.Exit(revoke_sessions(config, admin, name, reason, as_json=json))


@config_app.command("show")
def config_show(config: ConfigOption = "proxy.yaml", json: JsonOption = False) -> None:
    """Show the effective configuration with the origin of each value, secrets masked."""
    from proxy.cli.config import config_show as do

    raise typer.Exit(do(config, as_json=json))


@app.command()
def explain(
    method: Annotated[str, typer.Argument(help="GET, POST, …")],
    path: Annotated[str, typer.Argument(help="The path, with its query string if it has one.")],
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", metavar="'K: V'", help="A request header; may be repeated.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="Who the user is.")] = None,
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Say where a request would go, and why; needs no running proxy."""
    from proxy.cli.config import explain as do

    raise typer.Exit(do(config, method, path, header or [], user, as_json=json))


@app.command()
def reload(
    config: ConfigOption = "proxy.yaml",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome; it is the exit code.")] = False,
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Have the running proxy read its file again."""
    from proxy.cli.config import reload as do

    raise typer.Exit(do(config, admin, wait=wait, as_json=json))


@app.command()
def status(
    route: Annotated[
        str, typer.Argument(help="Only this route, with all that is known of it.", autocompletion=route_names)
    ] = "",
    config: ConfigOption = "proxy.yaml",
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every second until Ctrl-C, troubled routes first.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until nothing moves by itself, or for the state of --for; else 1.")
    ] = False,
    state: Annotated[
        str, typer.Option("--for", metavar="STATE", help="With --wait: settled, ready, or a stage such as modern.")
    ] = "",
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="With --wait: how long at most.")] = "10m",
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Show each route, or one: stage, weights, rate, errors, P95 of both sides."""
    from proxy.cli.common import duration
    from proxy.cli.routes import SETTLED, STATES, Awaited
    from proxy.cli.routes import status as do

    if state not in ("", *STATES):
        raise typer.BadParameter(f"--for takes one of {', '.join(STATES)}")
    if watch and (wait or state):
        raise typer.BadParameter("--watch goes on until Ctrl-C: leave it out with --wait")
    awaited = Awaited(state or SETTLED, duration(timeout)) if wait or state else None
    raise typer.Exit(do(config, admin, route, awaited, watch=watch, as_json=json))


app_commands.add_routes_to(app)
app_commands.add_diffs_to(app)
app_commands.add_recordings_to(app)
data_commands.add_to(app)


@app.command()
def report(
    config: ConfigOption = "proxy.yaml",
    form: Annotated[Form, typer.Option("--format", help="Markdown, or a page of its own.")] = Form.MD,
    admin: AdminOption = "",
    json: JsonOption = False,
) -> None:
    """Print the migration report: both sides of every route, since the proxy began to count."""
    from proxy.cli.routes import report as do

    raise typer.Exit(do(config, admin, form.value, as_json=json))


def run_command(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    try:
        shown = outline(app, SETTINGS) if wants_the_list(arguments) else app
        shown(arguments, prog_name="strangler")
    except ProxyError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return error.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_YES
    return EXIT_YES
