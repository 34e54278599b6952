"""Keeps a sample of each route's users of the last hour, for plans of what a file would change."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from proxy.ipc.messages import RouteUsers, Users
from rules.user_sketch import CAPACITY, Sample, Sketch, merged

IN_ALL = 32 * CAPACITY
FEWEST = 64
REFRESHED = 300.0
"""Seconds after which a user is sent again."""
AT_ONCE = 2000
"""Pairs read, or sent, at once: a few milliseconds of a busy worker."""
HASHED_AT_ONCE = 400
"""Of those, unknown ones cost twenty times as much as the others."""
WAITING = 20_000
LONGEST = 256
"""Characters of an id; longer ones are no user ids."""
FORGOTTEN_EVERY = 60.0


class Recent:
    """A sketch for each route, the same kind in a worker as in control.

    `noted` is filled by requests, emptied by `digest`; `_sketches` are those of the present routes; `_news` is what
    control has not received. Bounds: `IN_ALL` users over all routes, `WAITING` noted pairs.
    """

    def __init__(self, secret: str, routes: Iterable[str], noted: set[tuple[str, str]] | None = None) -> None:
        self._noted = set() if noted is None else noted
        self._key = blake2b(b"users seen lately", key=secret.encode()[:64]).digest()
        self._sketches: dict[str, Sketch] = {}
        self._news: dict[tuple[str, str], None] = {}
        self._forgot = 0.0
        self.apply_routes(routes)

    def apply_routes(self, routes: Iterable[str]) -> None:
        """Keep these routes from now on, no others."""
        names = tuple(routes)
        capacity = min(CAPACITY, max(FEWEST, IN_ALL // max(1, len(names))))
        known = self._sketches
        self._sketches = {name: known.get(name) or Sketch(self._key, capacity) for name in names}
        for sketch in self._sketches.values():
            sketch.resize(capacity)

    # ── in a worker ────────────────────────────────────────────────────────────────────────────────────

    def digest(self, now: float) -> None:
        """Process the users noted by requests since the last call, up to the limit of one call."""
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
            if _may_travel(user) and sketch.add_user(user, now):
                self._news[route, user] = None
        if len(noted) > WAITING:
            noted.clear()
        self._forget(now)

    def resend(self) -> None:
        """The receiver is a new one: everything is sent again."""
        self._news = {(route, user): None for route, sketch in self._sketches.items() for user in sketch.sample().users}

    def news(self, now: float) -> Users | None:
        """Return what control has not received yet, at most `AT_ONCE` users."""
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
        """Keep what could not be sent for the next time."""
        self._news.update({(row.route, user): None for row in users.routes for user, _ in row.users})

    # ── in control ─────────────────────────────────────────────────────────────────────────────────────

    def merge_users(self, users: Users, now: float) -> None:
        """Add what a worker reports."""
        for row in users.routes:
            sketch = self._sketches.get(row.route)
            if sketch is None:
                continue
            sketch.limit(row.bound)
            for user, age in row.users:
                sketch.add_user(user, now - age)
        self._forget(now)

    def samples(self, now: float) -> tuple[dict[str, Sample], Sample]:
        """Return the sample of each route's users, and that of all users."""
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
    """Whether an id can be sent: of limited length, and text that JSON can encode."""
    if len(user) > LONGEST:
        return False
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True
