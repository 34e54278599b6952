"""Options of every command; printing for people and scripts; progress."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Protocol, TextIO

import orjson
import typer

from proxy.settings import EXIT_USAGE, ProxyError, why_unread
from proxy.state.live import Prepared
from rules.problems import NOT_YAML, ConfigError, Problem

DEFAULT_FILE = "proxy.yaml"
_NAMES_SHOWN = 20
_BEFORE_CARET, _AFTER_CARET = 80, 40
"""Columns of a long line that are shown."""


def _readable(context: typer.Context, file: str) -> str:
    """Refuse a file that was named and cannot be read, whatever the command would do without it."""
    if context.resilient_parsing or file == DEFAULT_FILE or context.command.name == "init":
        return file
    try:
        with Path(file).open("rb"):
            return file
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {why_unread(error)}") from error


ConfigOption = Annotated[
    str,
    typer.Option("-c", "--config", metavar="FILE", help="The configuration file.", callback=_readable),
]
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


# Names that are not known: what was probably meant, and one exit code.


class UnknownRouteError(ProxyError):
    """Neither the file nor the proxy has such a route."""

    exit_code = EXIT_USAGE


def unknown(name: str, known: Iterable[str], where: str) -> str:
    """Return that `where` has no route `name`, with the one that was probably meant, or all there are."""
    names = list(known)
    close = get_close_matches(name, names, 1)
    if close:
        return f"{where} has no route {name}; did you mean {close[0]}?"
    return f"{where} has no route {name}; it has {', '.join(names[:_NAMES_SHOWN]) or 'none'}"


_DURATION = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)(ms|s|m|h|)")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Return seconds; typer.BadParameter for what is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text} is no duration; write 30s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


# Reads the configuration file for a command, prints what is wrong with it.


def read(config: str, *, as_json: bool = False) -> Prepared | None:
    """Return the file ready to run, or None after its problems were printed."""
    from proxy.control.config_loader import prepare

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
        if problem.message.startswith(NOT_YAML):
            for line in _pointed_at(problem):
                print_line(line, to=sys.stderr)


def _pointed_at(problem: Problem) -> Iterator[str]:
    """Yield the line of the file with a caret below the column; nothing where it cannot be read any more."""
    try:
        lines = Path(problem.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    if 0 < problem.line <= len(lines):
        # a tab is drawn as an arrow of one column, so that it is seen and the caret stands below its character
        line = lines[problem.line - 1].replace("\t", "→")
        start = max(0, problem.column - _BEFORE_CARET)
        number = f"{problem.line} | "
        yield f"{number}{line[start : start + _BEFORE_CARET + _AFTER_CARET]}"
        yield f"{' ' * (len(number) + problem.column - 1 - start)}^"


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


# Makes text of strangers fit for a terminal: what a backend answered must not be able to draw on it.


def plain(text: str) -> str:
    """Return one line with everything that is no character to look at written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_line(text: str, *, to: TextIO | None = None) -> None:
    """Print one line, made fit for a terminal, to standard output or where it is said."""
    print(plain(text), file=to)


# Shows how far a long command has come, to people only.


class Told(Protocol):
    """Takes how far a command has come."""

    def __call__(self, done: int, total: int, waits: str = "") -> None:
        """Show how much is done, of how much (0: not known yet), and what is waited for."""


@contextmanager
def progress(what: str, counted: str = "") -> Iterator[Told]:
    """Yield what takes the progress: a bar on standard error where that is a terminal, nothing elsewhere.

    `counted` names what is done, such as `rows`: how many of them and how many a second are shown then.
    """
    if not sys.stderr.isatty():
        yield lambda done, total, waits="": None  # noqa: ARG005 - the words of what is shown
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

        def told(done: int, total: int, waits: str = "") -> None:
            rate = done / max(time.monotonic() - began, 0.001)
            shown.update(task, completed=done, total=total or None, rate=rate, description=waits or what)

        yield told
