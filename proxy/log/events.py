"""Tells what happens to the processes, one line an event: JSON in structlog's form, plain words on a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from proxy.log import names
from proxy.log.writer import LineWriter


class Tell(Protocol):
    """How a process tells an event: its name from `names`, a level, fields."""

    def __call__(self, event: str, level: str = "info", /, **fields: object) -> None:
        """Tell `event`; never raises, never waits."""


class Events:
    """Writes events to a descriptor; `bound` fields come with each. Nothing in it changes."""

    def __init__(self, writer: LineWriter, *, human: bool, bound: Mapping[str, object]) -> None:
        self._writer = writer
        self._render = render_human if human else render_json
        self._bound = bound

    def __call__(self, event: str, level: str = "info", /, **fields: object) -> None:
        """Tell `event` now."""
        self._writer.put(self._render(timestamp(time.time()), level, event, {**self._bound, **fields}))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def events(process: str, descriptor: int = 2, **bound: object) -> Events:
    """Return the events of `process`, written to `descriptor`."""
    human = os.isatty(descriptor)
    writer = LineWriter(descriptor, lambda count: lost_line(process, count))
    return Events(writer, human=human, bound={"process": process, **bound})


def lost_line(process: str, count: int) -> bytes:
    """Return the line that says how many lines are missing before it."""
    return render_json(timestamp(time.time()), "warning", names.LINES_LOST, {"process": process, "count": count})


def timestamp(at: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC with milliseconds."""
    whole = int(at)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((at - whole) * 1000):03d}Z"


def render_json(ts: str, level: str, event: str, fields: Mapping[str, object]) -> bytes:
    """Return one event as a line of JSON."""
    return orjson.dumps({"ts": ts, "level": level, "event": event, **fields}, default=_say) + b"\n"


def render_human(ts: str, level: str, event: str, fields: Mapping[str, object]) -> bytes:
    """Return one event as a line for eyes."""
    said = " ".join(f"{name}={_word(value)}" for name, value in fields.items())
    return f"{ts} [{level:<8}] {event:<24} {said}\n".encode(errors="replace")


def _say(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | frozenset | set) else str(value)


def _word(value: object) -> str:
    text = str(value)
    # a field may quote a file's text: it must not be able to draw on the terminal
    printable = text.isprintable()
    return text if printable and " " not in text else repr(text)
