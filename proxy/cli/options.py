"""The options that every command has."""

from __future__ import annotations

from typing import Annotated

import typer

ConfigOption = Annotated[str, typer.Option("-c", "--config", metavar="FILE", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
AdminOption = Annotated[
    str,
    typer.Option(
        "--admin",
        metavar="URL",
        envvar="STRANGLER_ADMIN_URL",
        help="Where the proxy's admin port is; left out: as the file says.",
    ),
]
