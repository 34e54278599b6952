"""Measures how fast a client moves one body, and how much is held for all of them.

A rate is judged when bytes move, never during a gap: gaps have a limit of their own (`body_timeout`, `idle_timeout`),
and a phone that was out of reach for a while goes on with what it had earned before.
"""

from __future__ import annotations

from typing import Final

from proxy.worker.bounded_reads import ONE_READ
from rules.model import Buffer

GRACE: Final = 10.0
"""Seconds before a rate is judged."""
LATELY: Final = 5.0
STILL: Final = 1.0
"""Seconds without a byte after which a request may give way where its pool is full."""
LEISURELY: Final = 10
"""Times `min_rate`: who is slower than that lately may give way as well."""
SHARE: Final = 64
"""What one response may have read ahead is at most this part of what is left, so that no few take all."""
USABLE: Final = 0.4
"""Part of the total that responses may fill: a piece stays whole until its last byte went."""
SCARCE: Final = 8
"""Bodies are read in pieces while more than such a part of the total is held: it costs a tenth of a large one."""
LOOPS_READ: Final = 250 * 1024
"""Bytes that may come with one read otherwise: the size of the event loop's own buffer."""
REQUEST: Final = "request"
RESPONSE: Final = "response"


class BufferBudget:
    """What is held for the slow clients of one worker. `held` moves with each request and response that is held."""

    __slots__ = ("_response", "held", "request", "total")

    def __init__(self, buffer: Buffer) -> None:
        self.held = 0
        self.apply_limits(buffer)

    def apply_limits(self, buffer: Buffer) -> None:
        """Keep to other limits from now on (0: none)."""
        self.request = buffer.request
        self._response = buffer.response
        self.total = buffer.total

    def has_room(self) -> bool:
        """Whether more may be held."""
        return not self.total or self.held < self.total

    def is_scarce(self) -> bool:
        """Whether so much is held that what comes is read in pieces, where there may be more of it."""
        return 0 < self.total < SCARCE * self.held

    def one_read(self) -> int:
        """Bytes that may come with the next read of a body."""
        return ONE_READ if self.is_scarce() else LOOPS_READ

    def fills(self, size: int) -> bool:
        """Whether `size` bytes of a request's body are enough to take a connection with."""
        return 0 < self.request <= size or not self.has_room()

    def allowance(self) -> int:
        """Bytes that one response may be ahead of its client now.

        The less is left, the less each may have: a dynamic threshold as switches have it (Choudhury, Hahne 1998).
        """
        if not self.total:
            return self._response or 1 << 62
        share = max(0, int(self.total * USABLE) - self.held) // SHARE
        return min(self._response, share) if self._response else share


class Progress:
    """How one client moves one body.

    `of` is the request that the body belongs to; `moved` counts bytes, `ready` the seconds in which the client was
    what was waited for. `moved_at` is when bytes moved last, `_looked` when that was looked at (`_moves`: bytes had
    moved then), `_marks` are times with what had moved by then, one for each of the last seconds.
    """

    __slots__ = ("_began", "_looked", "_marks", "_moves", "moved", "moved_at", "of", "ready")

    def __init__(self, of: object, now: float, moved: int = 0) -> None:
        self.of = of
        self.moved = moved
        self.ready = 0.0
        self.moved_at = self._looked = self._began = now
        self._moves = False
        self._marks: list[tuple[float, int]] = [(now, moved)]

    def note(self, moved: int, now: float, *, waited_for: bool) -> None:
        """Look again; `waited_for` is true where the client is what is waited for."""
        if waited_for:
            self.ready += now - self._looked
        else:
            self.moved_at = now  # it stands still because we do
        self._looked = now
        self._moves = moved > self.moved
        if self._moves:
            self.moved, self.moved_at = moved, now
        marks = self._marks
        if now - marks[-1][0] >= 1.0:
            marks.append((now, moved))
            while len(marks) > 1 and now - marks[1][0] >= LATELY:
                del marks[0]

    def go_on(self, now: float) -> None:
        """Measure again after a time in which nothing waited for the client."""
        self._looked = self.moved_at = now

    def is_too_slow(self, rate: int) -> bool:
        """Whether bytes have just moved, too few for the time since the first (`rate` bytes a second, 0: none)."""
        return self._moves and self.ready > GRACE and self.moved < rate * self.ready

    def is_overdue(self, seconds: float) -> bool:
        """Whether the whole body should have come by now (0: it may take any time)."""
        return 0 < seconds < self.ready

    def lately(self) -> int:
        """Bytes that moved in the last five seconds."""
        return self.moved - self._marks[0][1]

    def may_give_way(self, now: float, rate: int) -> bool:
        """Whether another request may have this one's connection: the client stands still, or nearly so."""
        if now - self.moved_at >= STILL:
            return True
        seconds = min(now - self._began, LATELY)
        return seconds >= STILL and self.lately() < LEISURELY * rate * seconds
