"""Keeps slow clients from having a pool's last connections before they are known to be slow.

A client that does not read may be ended after a second at the earliest; a crowd of them, all at once, would have every
connection until then. So the second half of a pool is given out one connection after the other. As soon as clients hold
up half of what is in use, that is for the kinds of requests that are held up: the other kinds have what is left, and as
long as there are such, a few connections are theirs alone. Otherwise each of their requests would have to end a slow
client, wait for that, and connect anew.
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
KEPT: Final = 16
"""One of so many connections is kept for the kinds that are not held up."""
KEPT_FOR: Final = 5.0
"""Seconds after the last request of such a kind in which they are kept."""
KNOWN_FOR: Final = 0.05
"""Seconds that a count of what is held up is good for."""
GUARDED_FOR: Final = 0.25
"""The same once clients hold up half of a pool: counting hundreds of them takes a millisecond."""


class Growth:
    """When a pool may have one more connection in use.

    `held_up` counts its connections that wait for their client, by kind of request; a count of so many seconds ago is
    good enough. `serve` is called when one more may be had. `guarded` is whether clients held up half of what was in
    use when that was looked at last.
    """

    __slots__ = ("_half", "_held_up", "_kept_until", "_kinds", "_looked_at", "_most", "_serve", "_timer", "guarded")

    def __init__(self, at_most: int, held_up: Callable[[float], Mapping[str, int]], serve: Callable[[], None]) -> None:
        self._half = at_most // 2 if at_most >= SMALL else 0
        self._most = at_most - at_most // KEPT
        self._held_up = held_up
        self._serve = serve
        self._timer: asyncio.TimerHandle | None = None
        self._kinds: frozenset[str] = frozenset()
        self._looked_at = -KNOWN_FOR
        self._kept_until = 0.0
        self.guarded = False

    def allows(self, in_use: int, kind: str) -> bool:
        """Whether one more may be given out now, for a request of that kind."""
        self.look(in_use)
        if self.is_free_of(kind):
            self._kept_until = asyncio.get_running_loop().time() + KEPT_FOR
            return True
        return self.is_open(in_use) and not self.is_kept(in_use)

    def is_open(self, in_use: int) -> bool:
        """Whether one more may be given out now, whatever it is for."""
        return self._timer is None or not self.is_careful(in_use)

    def is_careful(self, in_use: int) -> bool:
        """Whether so many are in use that the rest is given out one by one."""
        return 0 < self._half <= in_use

    def is_free_of(self, kind: str) -> bool:
        """Whether slow clients have most of the pool, with requests of other kinds."""
        return self.guarded and kind not in self._kinds

    def is_kept(self, in_use: int) -> bool:
        """Whether what is left is for the kinds that nothing holds up, of which there were some lately."""
        return in_use >= self._most and self._has_others()

    def keeps_from(self, kind: str) -> bool:
        """Whether there is something to keep from that kind, because clients hold it up and there are others."""
        return self._has_others() and kind in self._kinds

    def _has_others(self) -> bool:
        return self.guarded and asyncio.get_running_loop().time() < self._kept_until

    def look(self, in_use: int) -> None:
        """See what clients hold up, unless that was seen just now."""
        if not self.is_careful(in_use):
            self.guarded = False
            return
        now = asyncio.get_running_loop().time()
        known_for = GUARDED_FOR if self.guarded else KNOWN_FOR
        if now - self._looked_at < known_for:
            return
        kinds, self._looked_at = self._held_up(known_for), now
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


NOT_GUARDED: Final = Growth(0, lambda _known_for: {}, lambda: None)
"""For a pool whose requests no client can hold up."""
