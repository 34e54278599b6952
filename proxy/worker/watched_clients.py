"""Knows the clients that send or read slowly: what they hold, which of them gives way.

There may be hundreds of them beside users who wait for every millisecond: so they are looked at a few at a time, and
what was found out by looking at all of them is good for a moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from proxy.worker.client_transport import ClientTransport
from proxy.worker.connection_pool import Pool

AT_A_TIME: Final = 32
"""Clients that are looked at before others have the loop."""
KNOWN_FOR: Final = 0.05
"""Seconds that the news is good for that none may give way."""
LISTED_FOR: Final = 0.5
"""Seconds that a list of those that may give way is good for, as long as the next on it has not moved since."""


class WatchedClients:
    """The slow clients of one worker.

    Changes: `_clients` by connections and by `look`; `_kinds`, counted at `_counted_at`, is what each pool's requests
    are that they hold up; `_still` has for each pool those that may give way, the slowest last, with the bytes that
    each moved lately, and since when that is known.
    """

    __slots__ = ("_clients", "_clock", "_counted_at", "_kinds", "_still")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._clients: set[ClientTransport] = set()
        self._kinds: dict[Pool, Counter[str]] = {}
        self._counted_at = -1.0
        self._still: dict[Pool, tuple[float, list[tuple[int, ClientTransport]]]] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, client: ClientTransport) -> None:
        """Watch it until there is nothing to look at any more."""
        self._clients.add(client)

    def look(self) -> Iterator[None]:
        """Judge how each moves its bytes, and count what they hold up; pauses where others may have the loop."""
        found: dict[Pool, Counter[str]] = {}
        for number, client in enumerate(tuple(self._clients), 1):
            try:
                is_watched = client.look(self._clock())
                _count(client, found)
            except Exception as error:  # noqa: BLE001 - every other client is looked at all the same
                is_watched = False
                client.unforeseen(error, "a slow client")
            if not is_watched:
                self._clients.discard(client)
            if number % AT_A_TIME == 0:
                yield
        self._kinds, self._counted_at = found, self._clock()

    def held_up(self, pool: Pool, known_for: float) -> Mapping[str, int]:
        """Count the pool's connections that wait for a client to send or to read, by kind of request.

        A count that is not older than `known_for` seconds is good enough.
        """
        now = self._clock()
        if now - self._counted_at >= known_for:
            found: dict[Pool, Counter[str]] = {}
            for client in self._clients:
                _count(client, found)
            self._kinds, self._counted_at = found, now
        return self._kinds.get(pool, {})

    def make_way(self, pool: Pool) -> bool:
        """End the request whose client holds one of the pool's connections and moves least; False: there is none."""
        now = self._clock()
        self._still = {each: known for each, known in self._still.items() if now - known[0] < LISTED_FOR}
        listed_at, still = self._still.get(pool, (-LISTED_FOR, []))
        if _end_slowest(still, pool, now):
            return True
        if now - listed_at < KNOWN_FOR:
            return False
        self._still[pool] = now, self._may_give_way(pool, now)
        return _end_slowest(self._still[pool][1], pool, now)

    def _may_give_way(self, pool: Pool, now: float) -> list[tuple[int, ClientTransport]]:
        """Those that may, the one that moved least lately at the end."""
        moved = [(client.held_up(pool, now), client) for client in self._clients]
        slow = [each for each in moved if each[0] >= 0]
        slow.sort(key=_least_last)
        return slow


def _count(client: ClientTransport, found: dict[Pool, Counter[str]]) -> None:
    held = client.holds()
    if held is not None:
        pool, kind = held
        if pool not in found:
            found[pool] = Counter()
        found[pool][kind] += 1


def _end_slowest(still: list[tuple[int, ClientTransport]], pool: Pool, now: float) -> bool:
    """End the last of them that moved no more than it had when it was listed; False: there is none."""
    while still:
        moved, client = still.pop()
        if 0 <= client.held_up(pool, now) <= moved:
            client.give_way()
            return True
    return False


def _least_last(each: tuple[int, ClientTransport]) -> int:
    return -each[0]
