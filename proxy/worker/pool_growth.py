"""Keeps slow clients from having a pool's last connections before they are known to be slow.

A client that does not read may be ended after a second at the earliest; a crowd of them, all at once, would have every
connection until then. So the second half of a pool is given out one connection after the other. As soon as clients hold
up half of what is in use, that is for the kinds of requests that are held up: the other kinds have what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

SMALL: Final = 32
"""A pool of fewer connections is given out at once: a wait for each would be a long one."""
SOON: Final = 1.0
"""Seconds in which the second half of a pool is given out: by then the first who stand still may be ended."""
SLOWLY: Final = 2.0
"""The same for kinds of requests that clients hold up."""
MANY: Final = 16
"""A kind is held up when it has one of so many connections in use."""
KNOWN_FOR: Final = 0.05
"""Seconds that a count of what is held up is good for."""
GUARDED_FOR: Final = 0.25
"""The same once clients hold up half of a pool: counting hundreds of them takes a millisecond."""


class Growth:
    """When a pool may have one more connection in use.

    `held_up` counts its connections that wait for their client, by kind of request; `serve` is called when one more
    may be had. `guarded` is whether clients held up half of what was in use when that was looked at last.
    """

    __slots__ = ("_half", "_held_up", "_kinds", "_looked_at", "_serve", "_timer", "guarded")

    def __init__(self, at_most: int, held_up: Callable[[], Mapping[str, int]], serve: Callable[[], None]) -> None:
        self._half = at_most // 2 if at_most >= SMALL else 0
        self._held_up = held_up
        self._serve = serve
        self._timer: asyncio.TimerHandle | None = None
        self._kinds: frozenset[str] = frozenset()
        self._looked_at = -KNOWN_FOR
        self.guarded = False

    def allows(self, in_use: int, kind: str) -> bool:
        """Whether one more may be given out now, for a request of that kind."""
        self.look(in_use)
        return self.is_open(in_use) or self.is_free_of(kind)

    def is_open(self, in_use: int) -> bool:
        """Whether one more may be given out now, whatever it is for."""
        return self._timer is None or not self.is_careful(in_use)

    def is_careful(self, in_use: int) -> bool:
        """Whether so many are in use that the rest is given out one by one."""
        return 0 < self._half <= in_use

    def is_free_of(self, kind: str) -> bool:
        """Whether slow clients have most of the pool, with requests of other kinds."""
        return self.guarded and kind not in self._kinds

    def look(self, in_use: int) -> None:
        """See what clients hold up, unless that was seen just now."""
        if not self.is_careful(in_use):
            self.guarded = False
            return
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < (GUARDED_FOR if self.guarded else KNOWN_FOR):
            return
        kinds, self._looked_at = self._held_up(), now
        self.guarded = 2 * sum(kinds.values()) >= in_use
        self._kinds = frozenset(kind for kind, many in kinds.items() if MANY * many >= in_use)

    def gave(self, in_use: int) -> None:
        """One was given out: the next has to wait, where there are few left."""
        if self._timer is None and self.is_careful(in_use):
            self.look(in_use)
            seconds = (SLOWLY if self.guarded else SOON) / self._half
            self._timer = asyncio.get_running_loop().call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        try:
            self._serve()
        except Exception as fault:  # noqa: BLE001 - of our own: what else waits is served the next time
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "unforeseen: a connection that may be had", "exception": fault})
            self._timer = loop.call_later(SOON / self._half, self._due)


NOT_GUARDED: Final = Growth(0, dict, lambda: None)
"""For a pool whose requests no client can hold up."""
