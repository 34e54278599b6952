"""Knows what goes on beside a request: writes of the same user or thing, requests of the same session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from proxy.http1 import RequestHead
from proxy.serving.companion import Companion
from proxy.serving.shadowing.around import Around
from proxy.serving.shadowing.question import Origin
from proxy.serving.shadowing.route import ShadowRoute, seems_to_have_effects
from proxy.serving.shadowing.sessions import Sessions, session_of
from proxy.serving.shadowing.writes import Writes, read_keys, write_keys
from proxy.serving.shadowing.writing import Writing
from rules.model import LEGACY
from rules.routing.mirroring import SAFE

if TYPE_CHECKING:
    from proxy.serving.answering import Answering

Find = Callable[[RequestHead, bool], str | None]
"""Who the user of a request is; the second argument tells whether its peer is trusted."""


class Neighbours:
    """The writes, the sessions of now."""

    def __init__(self, find: Find, clock: Callable[[], float]) -> None:
        self.sessions = Sessions()
        self._writes = Writes()
        self._find = find
        self._clock = clock

    def user(self, head: RequestHead, *, trusted: bool) -> str | None:
        """The user's identity, if there is one."""
        return self._find(head, trusted)

    def noting(
        self, call: Answering, companion: Companion | None, *, sharing: bool, known_read: bool = False
    ) -> Companion | None:
        """Note what may write (a `known_read` does not), a session in use; its end is noted with its call's."""
        head = call.head
        if not known_read and _may_write(head):
            somebody = self._somebody(head, trusted=call.client.peer.trusted)
            keys = write_keys(head.target, call.decision.names.values(), somebody)
            companion = Writing(companion, self._writes, keys, head.target, self._clock)
        if sharing and head.cookie:
            session = session_of(head.cookie)
            self.sessions.enter(session)
            companion = Around(companion, partial(self.sessions.leave, session))
        return companion

    def was_written(self, origin: Origin, since: float) -> bool:
        """Whether a write of the same user or thing was near a read that began at `since`."""
        head = origin.head
        if self._writes.is_empty or head.method not in SAFE:
            return False
        somebody = self._somebody(head, trusted=origin.peer.trusted)
        return self._writes.overlap(read_keys(head.target, origin.decision.names.values(), somebody), since)

    def session_to_share(self, route: ShadowRoute, side: str, head: RequestHead) -> str:
        """The session that a copy would use, empty where it goes without cookies or to a side that locks none."""
        return session_of(head.cookie) if side == LEGACY and route.policy.session == "share" else ""

    def sweep(self, now: float) -> None:
        """Forget old writes."""
        self._writes.sweep(now)

    def _somebody(self, head: RequestHead, *, trusted: bool) -> str:
        """Whoever it is: known, or the same session, the same token."""
        return self._find(head, trusted) or session_of(head.cookie) or head.authorization


def _may_write(head: RequestHead) -> bool:
    if head.method in SAFE:
        return seems_to_have_effects(head.line)
    return head.method != "OPTIONS"
