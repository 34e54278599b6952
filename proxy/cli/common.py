"""Options of every command; printing for people and scripts; progress."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from proxy.control.config_loader import prepare
from proxy.state.live import Prepared
from rules.problems import ConfigError, Problem

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


# Completes names of routes on the command line, from the file alone: a shell waits for the answer.


_NAME = re.compile(r"^(\s*)-\s*(?:\{\s*)?name:\s*[\"']?([a-z0-9][a-z0-9_-]*)", re.MULTILINE)
_DEFAULT = "proxy.yaml"


def route_names(ctx: Any, incomplete: str) -> list[str]:
    """Return the routes of the file that begin with `incomplete`; `ctx` is the command as typed so far."""
    given = ctx.params.get("config") if ctx is not None else None
    try:
        text = Path(given or _DEFAULT).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    # reading the YAML whole would take longer than a person waits after a tab
    found = _NAME.findall(text.partition("\nroutes:")[2])
    # what stands deeper than the first route is the name of something inside one
    names = dict.fromkeys(name for indent, name in found if indent.strip("\n") == found[0][0].strip("\n"))
    return [name for name in names if name.startswith(incomplete)]


# Reads the configuration file for a command, prints what is wrong with it.


def read(config: str, *, as_json: bool = False) -> Prepared | None:
    """Return the file ready to run, or None after its problems were printed."""
    try:
        return prepare(Path(config))
    except ConfigError as error:
        print_problems(error.problems, as_json=as_json)
        return None


def print_problems(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    """Print problems: for programs to standard output, for people to standard error."""
    if as_json:
        print_json({"problems": [asdict(problem) for problem in problems]})
        return
    for problem in problems:
        print(problem if problem.level == "error" else f"{problem} [{problem.level}]", file=sys.stderr)


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


# Makes text of strangers fit for a terminal: what a backend answered must not be able to draw on it.


def plain(text: str) -> str:
    """Return one line with everything that is no character to look at written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_line(text: str) -> None:
    """Print one line, made fit for a terminal."""
    print(plain(text))


# Shows how far a long command has come, to people only.


Told = Callable[[int, int], None]
"""Done, of how many; a total of 0 is not known yet."""


@contextmanager
def progress(what: str, counted: str = "") -> Iterator[Told]:
    """Yield what to tell progress to: a bar on standard error where that is a terminal, nothing elsewhere.

    `counted` names what is done, such as `rows`: how many of them and how many a second are shown then.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    ]
    if counted:
        columns.insert(2, TextColumn("{task.completed:,} " + counted))
        columns.insert(3, TextColumn("{task.fields[rate]:,.0f}/s"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None, rate=0.0)
        began = time.monotonic()

        def told(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - began, 0.001)
            shown.update(task, completed=done, total=total or None, rate=rate)

        yield told
