"""One recorded request, whatever it was recorded by."""

from __future__ import annotations

from typing import NamedTuple


class Recorded(NamedTuple):
    """A request as far as its record tells; empty or None is what the record does not say.

    `target` is path with query, `at` epoch seconds, `seconds` how long the answer took, `user` an identity that
    the recorder vouches for, `visitor` somebody told apart by address with agent. `side`, `bucket`, `route` are
    known to our own access line alone.
    """

    line: int
    method: str
    target: str
    host: str = ""
    status: int = 0
    at: float | None = None
    seconds: float | None = None
    user: str = ""
    visitor: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    side: str = ""
    route: str = ""
    bucket: float | None = None


class UnreadableError(ValueError):
    """A line, or a whole file, that is no record of requests; the text says why."""
