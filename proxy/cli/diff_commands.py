"""The commands about differences, as the command line knows them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from proxy.cli.options import AdminOption, ConfigOption, JsonOption


class Form(StrEnum):
    """Whom a request is written for."""

    CURL = "curl"
    HTTP = "http"
    PYTEST = "pytest"


_SHOW, _REJUDGE, _IGNORE, _UNIGNORE = "show", "rejudge", "ignore", "unignore"
_ABOUT_ONE = (_SHOW, _IGNORE, _UNIGNORE)


def add_to(app: typer.Typer) -> None:
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
    if form is not None and (word != _SHOW or json):
        raise typer.BadParameter("--as goes with show ID, without --json")
    if form is not None:
        raise typer.Exit(does.again(config, admin, name, form.value))
    if word == _SHOW:
        raise typer.Exit(does.show(config, admin, name, as_json=json))
    if word == _REJUDGE and Path(name).is_file():
        from proxy.cli.replay import rejudge

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
    raise typer.Exit(does.diffs(config, admin, route or word, since, as_json=json))


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
    from proxy.cli.compare import compare as do

    raise typer.Exit(do(config, legacy, modern, route, method, path, as_json=json))
