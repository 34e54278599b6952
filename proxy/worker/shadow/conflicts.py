"""Writes and sessions beside a read, so that races are not differences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Final

from proxy.http1 import RequestHead
from proxy.worker.request_state import RequestObserver, RequestState
from proxy.worker.shadow import request_keys
from proxy.worker.shadow.observers import ObserverChain
from proxy.worker.shadow.request_copy import LiveRequest
from proxy.worker.shadow.request_keys import SessionLocks, session_of
from proxy.worker.shadow.route_state import ShadowRoute, seems_to_have_effects
from rules.model import LEGACY, SAFE_METHODS

# Remembers writes for a while, so that a read beside one is not taken for a difference.
#
# A write is known by its user, by the things it names (`shadowing.things`). Other users' writes of what has no name, a
# list, are the re-check's.


APART: Final = 2.0
"""Seconds after its end for which a write may still be seen by one side only: replicas, caches."""
KEYS_AT_MOST: Final = 16_384
LONGEST: Final = 256


class RecentWrites:
    """The writes of the last seconds. Keys come with `begin`, go with `sweep` some time after their `end`."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._ended: dict[str, float] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there was no write for so long that none needs to be looked for."""
        return not self._open and not self._ended

    def begin(self, keys: Iterable[str]) -> None:
        """A write of these began."""
        for key in keys:
            self._open[key] = self._open.get(key, 0) + 1

    def end(self, keys: Iterable[str], now: float) -> None:
        """It ended."""
        if len(self._ended) >= KEYS_AT_MOST:
            self.sweep(now)
        for key in keys:
            left = self._open.get(key, 0) - 1
            if left > 0:
                self._open[key] = left
            else:
                self._open.pop(key, None)
            if len(self._ended) < KEYS_AT_MOST:
                self._ended[key] = now

    def overlap(self, keys: Iterable[str], since: float) -> bool:
        """Whether a write of any of these is under way, or ended less than APART seconds before `since`."""
        ended = self._ended
        return any(key in self._open or ended.get(key, 0.0) > since - APART for key in keys)

    def sweep(self, now: float, longest: float = 60.0) -> None:
        """Forget what no read that is still under way, at most `longest` seconds old, could have met."""
        gone = now - longest - APART
        if self._ended:
            self._ended = {key: at for key, at in self._ended.items() if at > gone}


def read_keys(target: str, names: Collection[str], user: str | None) -> tuple[str, ...]:
    """What a read of `target` may see: the thing it names, whatever its user wrote."""
    return _with_user(request_keys.read(target, names), user)


def write_keys(target: str, names: Collection[str], user: str | None) -> tuple[str, ...]:
    """What a write to `target` may change: the things it names, its user's view."""
    return _with_user(request_keys.written(target, names), user)


def _with_user(named: tuple[str, ...], user: str | None) -> tuple[str, ...]:
    return (*named, f"user={user}" if len(user) <= LONGEST else f"user={hash(user)}") if user else named


# An observer that notes a write from its beginning to its end, with the things that its body names.


class WriteObserver(ObserverChain):
    """One write of these keys; `_keys` grows once the body is whole, `_body` is its beginning until then."""

    def __init__(
        self,
        inner: RequestObserver | None,
        writes: RecentWrites,
        keys: tuple[str, ...],
        target: str,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(inner, self._over)
        self._writes = writes
        self._keys = keys
        self._target = target
        self._clock = clock
        self._body = b""
        writes.begin(keys)

    def request_data(self, piece: bytes) -> None:
        """Keep the beginning, pass it on."""
        if len(self._body) < request_keys.MOST_BYTES:
            self._body += piece[: request_keys.MOST_BYTES - len(self._body)]
        super().request_data(piece)

    def request_end(self) -> None:
        """Note what the body names, pass it on."""
        if self._body:
            more = tuple(key for key in request_keys.in_body(self._target, self._body) if key not in self._keys)
            self._body = b""
            self._keys = (*self._keys, *more)
            self._writes.begin(more)
        super().request_end()

    def _over(self) -> None:
        self._writes.end(self._keys, self._clock())


Find = Callable[[RequestHead, bool], str | None]
"""Who the user of a request is; the second argument is whether its peer is trusted."""


class ConflictTracker:
    """The writes, the sessions of now."""

    def __init__(self, find: Find, clock: Callable[[], float]) -> None:
        self.sessions = SessionLocks()
        self._writes = RecentWrites()
        self._find = find
        self._clock = clock

    def user(self, head: RequestHead, *, trusted: bool) -> str | None:
        """The user's identity, if there is one."""
        return self._find(head, trusted)

    def noting(
        self, call: RequestState, request_observer: RequestObserver | None, *, sharing: bool, known_read: bool = False
    ) -> RequestObserver | None:
        """Note what may write (a `known_read` does not), a session in use; its end is noted with its call's."""
        head = call.head
        if not known_read and _may_write(head):
            owner = self._user_of(head, trusted=call.peer.trusted)
            keys = write_keys(head.target, call.decision.names.values(), owner)
            request_observer = WriteObserver(request_observer, self._writes, keys, head.target, self._clock)
        if sharing and head.cookie:
            session = session_of(head.cookie)
            self.sessions.enter(session)
            request_observer = ObserverChain(request_observer, partial(self.sessions.leave, session))
        return request_observer

    def was_written(self, origin: LiveRequest, since: float) -> bool:
        """Whether a write of the same user or thing was near a read that began at `since`."""
        head = origin.head
        if self._writes.is_empty or head.method not in SAFE_METHODS:
            return False
        owner = self._user_of(head, trusted=origin.peer.trusted)
        return self._writes.overlap(read_keys(head.target, origin.decision.names.values(), owner), since)

    def session_to_share(self, route: ShadowRoute, side: str, head: RequestHead) -> str:
        """The session that a copy would use, empty where it goes without cookies or to a side that locks none."""
        return session_of(head.cookie) if side == LEGACY and route.policy.session == "share" else ""

    def sweep(self, now: float) -> None:
        """Forget old writes."""
        self._writes.sweep(now)

    def _user_of(self, head: RequestHead, *, trusted: bool) -> str:
        """Return what stands for the user: the identity, else the session, else the token."""
        return self._find(head, trusted) or session_of(head.cookie) or head.authorization


def _may_write(head: RequestHead) -> bool:
    if head.method in SAFE_METHODS:
        return seems_to_have_effects(head.line)
    return head.method != "OPTIONS"
