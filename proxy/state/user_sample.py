"""Remembers a sample of each route's users of the last hour, for plans of what a file would change."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from proxy.ipc.messages import RouteUsers, Users
from rules.user_sketch import CAPACITY, Sample, Sketch, merged

IN_ALL = 32 * CAPACITY
FEWEST = 64
REFRESHED = 300.0
"""Seconds after which a user who comes again is news again."""
AT_ONCE = 2000
"""Pairs looked at, or sent, in one go: a few milliseconds of a busy worker."""
HASHED_AT_ONCE = 400
"""Of those looked at, the ones that are not known yet cost twenty times as much as the others."""
WAITING = 20_000
LONGEST = 256
"""Characters of an id; what is longer is nobody's name."""
FORGOTTEN_EVERY = 60.0


class Recent:
    """A sketch for each route, the same kind in a worker as in control.

    `noted` is filled by requests, emptied by `digest`; `_sketches` follow the routes; `_news` is what control has
    not heard. Where it stays small: `IN_ALL` users over all routes, `WAITING` noted pairs.
    """

    def __init__(self, secret: str, routes: Iterable[str], noted: set[tuple[str, str]] | None = None) -> None:
        self._noted = set() if noted is None else noted
        self._key = blake2b(b"users seen lately", key=secret.encode()[:64]).digest()
        self._sketches: dict[str, Sketch] = {}
        self._news: dict[tuple[str, str], None] = {}
        self._forgot = 0.0
        self.follow(routes)

    def follow(self, routes: Iterable[str]) -> None:
        """Know these routes from now on, no others."""
        names = tuple(routes)
        capacity = min(CAPACITY, max(FEWEST, IN_ALL // max(1, len(names))))
        known = self._sketches
        self._sketches = {name: known.get(name) or Sketch(self._key, capacity) for name in names}
        for sketch in self._sketches.values():
            sketch.resize(capacity)

    # ── in a worker ────────────────────────────────────────────────────────────────────────────────────

    def digest(self, now: float) -> None:
        """Look at whom requests have noted since the last time, as far as one go may take."""
        noted, hashes = self._noted, HASHED_AT_ONCE
        for _ in range(min(len(noted), AT_ONCE)):
            if not hashes:
                break
            route, user = noted.pop()
            sketch = self._sketches.get(route)
            if sketch is None:
                continue
            last = sketch.last_seen(user)
            if last is not None and now - last < REFRESHED:
                continue
            hashes -= 1
            if _may_travel(user) and sketch.add(user, now):
                self._news[route, user] = None
        if len(noted) > WAITING:
            noted.clear()
        self._forget(now)

    def resend(self) -> None:
        """Somebody new listens: everything is news."""
        self._news = {(route, user): None for route, sketch in self._sketches.items() for user in sketch.sample().users}

    def news(self, now: float) -> Users | None:
        """Take what control has not heard yet, at most `AT_ONCE` users of it."""
        told: dict[str, list[tuple[str, float]]] = {}
        for _ in range(min(len(self._news), AT_ONCE)):
            route, user = self._news.popitem()[0]
            sketch = self._sketches.get(route)
            last = sketch.last_seen(user) if sketch is not None else None
            if last is not None:
                told.setdefault(route, []).append((user, round(now - last, 1)))
        rows = [RouteUsers(route, self._sketches[route].bound, tuple(users)) for route, users in told.items()]
        return Users(tuple(rows)) if rows else None

    def unheard(self, users: Users) -> None:
        """Keep what could not be told for the next time."""
        self._news.update({(row.route, user): None for row in users.routes for user, _ in row.users})

    # ── in control ─────────────────────────────────────────────────────────────────────────────────────

    def take(self, users: Users, now: float) -> None:
        """Add what a worker tells."""
        for row in users.routes:
            sketch = self._sketches.get(row.route)
            if sketch is None:
                continue
            sketch.limit(row.bound)
            for user, age in row.users:
                sketch.add(user, now - age)
        self._forget(now)

    def samples(self, now: float) -> tuple[dict[str, Sample], Sample]:
        """Return the sample of each route's users, that of everybody."""
        self._forgot = 0.0
        self._forget(now)
        each = {name: sketch.sample() for name, sketch in self._sketches.items() if len(sketch)}
        return each, merged(self._sketches.values(), self._key).sample()

    def _forget(self, now: float) -> None:
        if now - self._forgot < FORGOTTEN_EVERY:
            return
        self._forgot = now
        for sketch in self._sketches.values():
            sketch.forget(now)


def _may_travel(user: str) -> bool:
    """Whether an id can be told: not beyond all measure, text that JSON has a form for."""
    if len(user) > LONGEST:
        return False
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True
