"""Emits events through structlog, which also catches what libraries log; the lines look like all others."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from proxy.telemetry import events as telemetry_events
from proxy.telemetry.events import Events, events


@contextmanager
def _without(library: str) -> Iterator[None]:
    """Have `library` look as if it were not installed, unless it is loaded already."""
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]  # as the import system documents it
    try:
        yield
    finally:
        del sys.modules[library]


with _without("rich"):
    # structlog loads it where it is there, for tracebacks on a terminal: a tenth of a second and megabytes for lines
    # of JSON
    import structlog


class StructuredEvents:
    """An emitter whose events pass structlog's processors on their way to the same lines. Immutable."""

    def __init__(self, lines: Events, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._lines = lines
        self._logger = logger

    def __call__(self, event: str, level: str = "info", /, **fields: object) -> None:
        """Emit `event` now."""
        self._logger.log(logging.getLevelNamesMapping()[level.upper()], event, **fields)

    def close(self) -> None:
        """Write what is left."""
        self._lines.close()


class _LibraryHandler(logging.Handler):
    """Makes an event of what a library logs."""

    def __init__(self, lines: Events) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        error = repr(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
        said = {"logger": record.name, "message": record.getMessage()}
        self._lines(
            telemetry_events.UNEXPECTED, record.levelname.lower(), **said, **({"error": error} if error else {})
        )


def events_through_structlog(process: str, descriptor: int = 2) -> StructuredEvents:
    """Return the events of `process`; structlog with the standard library's logging end in the same place."""
    lines = events(process, descriptor)

    def write(_: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        lines(event.pop("event"), level, **event)
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_LibraryHandler(lines)], level=logging.WARNING, force=True)
    return StructuredEvents(lines, structlog.get_logger())
