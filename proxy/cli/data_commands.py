"""The command about both databases, as the command line knows it."""

# ruff: noqa: FBT002 - typer makes options of parameters

from __future__ import annotations

from typing import Annotated

import typer

from proxy.cli.common import ConfigOption, JsonOption


def add_to(app: typer.Typer) -> None:
    """Add `verify-data`."""
    app.command(name="verify-data")(verify_data)


def verify_data(
    table: Annotated[list[str] | None, typer.Argument(metavar="TABLE", help="These tables; left out: all.")] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="1h", help="Only rows changed since then, and rows of one side alone.")
    ] = "",
    full: Annotated[bool, typer.Option("--full", help="Every row, from the first; forget an earlier run.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what changes, until Ctrl-C.")] = False,
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Compare both databases. 0: the same; 1: different; 2: the file or a table is wrong; 3: a side is unreachable."""
    from proxy.cli.verify_data import Mode
    from proxy.cli.verify_data import verify_data as do

    raise typer.Exit(do(config, table or [], Mode(since, full=full, follow=follow), as_json=json))
