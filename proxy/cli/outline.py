"""Makes a command line that knows its commands by name alone, for help that comes at once.

To show the list of commands nobody needs their options; working those out takes longer than everything else.
"""

from __future__ import annotations

import os
from typing import Any

import typer

_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"])
_COMPLETING = "_STRANGLER_COMPLETE"
"""What a shell sets that asks what could follow: it types nothing."""


def wants_the_list(arguments: list[str]) -> bool:
    """Whether somebody typed nothing but the wish to see the commands."""
    return arguments in _HELP and _COMPLETING not in os.environ


def outline(app: typer.Typer, settings: dict[str, Any]) -> typer.Typer:
    """Return a command line with the names and the help of `app`, which does nothing else."""
    shown = typer.Typer(**settings)
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
