"""The pairs that a worker holds until a judge is done with them: bounded, each kind of request with its share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

MOST: Final = 1000
MOST_BYTES: Final = 8 << 20

Key = tuple[str, str]


class Waiting(NamedTuple):
    """One pair, packed; `key` is its route with its kind of request, `counts` 0 where there is nothing to compare."""

    frame: bytes
    route: str
    generation: int
    key: Key
    counts: int = 1


class PairQueue:
    """What waits, in order, and how much is held: that as well which was taken out and is not `released` yet.

    `most` is how many pairs may be held.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._waiting: deque[Waiting] = deque()
        self._held = 0
        self._bytes = 0
        self._kinds: dict[Key, int] = {}

    def __len__(self) -> int:
        """How many pairs wait."""
        return len(self._waiting)

    @property
    def next_size(self) -> int:
        """The bytes of the pair that comes next."""
        return len(self._waiting[0].frame)

    def has_room(self, key: Key, size: int) -> bool:
        """Whether one more pair of this kind may wait; above half of the room no kind may have more than its share."""
        if self._held >= self.most or self._bytes + size > MOST_BYTES:
            return False
        if self._held < self.most // 2 and self._bytes < MOST_BYTES // 2:
            return True
        known = self._kinds.get(key, 0)
        return known < self.most // (2 * (len(self._kinds) + (not known)))

    def put(self, waiting: Waiting) -> None:
        """Have a pair wait."""
        self._waiting.append(waiting)
        self._held += 1
        self._bytes += len(waiting.frame)
        self._kinds[waiting.key] = self._kinds.get(waiting.key, 0) + 1

    def next_pair(self) -> Waiting:
        """Take out the pair that comes next; it is still held."""
        return self._waiting.popleft()

    def put_back(self, pairs: Iterable[Waiting]) -> None:
        """Have pairs that were taken out wait again, before all others."""
        self._waiting.extendleft(reversed(list(pairs)))

    def release(self, waiting: Waiting) -> None:
        """Hold a pair no longer that was taken out."""
        self._held -= 1
        self._bytes -= len(waiting.frame)
        left = self._kinds[waiting.key] - 1
        if left:
            self._kinds[waiting.key] = left
        else:
            del self._kinds[waiting.key]

    def drop(self, route: str) -> list[Waiting]:
        """Take out what waits of a route, hold it no longer."""
        dropped = [waiting for waiting in self._waiting if waiting.route == route]
        self._waiting = deque(waiting for waiting in self._waiting if waiting.route != route)
        for waiting in dropped:
            self.release(waiting)
        return dropped
