"""What copies and re-checks share: pools and budgets, conflicts, the pairs that were sent, their observers."""

from __future__ import annotations

from pathlib import Path

from proxy.http1 import RequestHead
from proxy.state.mirror_outcomes import RACED
from proxy.telemetry.records import Observers, Shadowed
from proxy.worker.connection_pool import Spawn
from proxy.worker.context import ServerContext
from proxy.worker.resolver import Resolver
from proxy.worker.shadow.conflicts import ConflictTracker
from proxy.worker.shadow.observers import NextTurn
from proxy.worker.shadow.outcome import SideResult, effect_of
from proxy.worker.shadow.pair_sender import KEPT_FOR, Kept, PairSender, SentPairs
from proxy.worker.shadow.request_copy import LiveRequest, RequestCopy
from proxy.worker.shadow.response_copy import Budget
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.sender import ShadowPools, ShadowSender
from proxy.worker.shadow.shadow_call import ShadowCall
from proxy.worker.shadow.value_equality import LookBudget
from rules.model import LEGACY


class ShadowServices:
    """What all copies of one worker use. Changes: `held_back` (a time, until when users come first), by the sweep."""

    def __init__(self, server: ServerContext, spawn: Spawn, resolver: Resolver, key: bytes, base: Path) -> None:
        self._server = server
        self.clock = server.clock
        self.observe: Observers[Shadowed] = Observers()
        self.budget = Budget()
        self.pairs_out = PairSender(key, server.clock)
        self.sent = SentPairs()
        self.looks = LookBudget()
        self.conflict_tracker = ConflictTracker(self.user, server.clock)
        pools = ShadowPools(clock=server.clock, spawn=spawn, base=base, resolver=resolver)
        self.sender = ShadowSender(
            server, self.budget, pools, self.pairs_out.emit_writes_off, self.pairs_out.emit_thinned
        )
        self.held_back = 0.0
        self.next_turn = NextTurn(self.mishap)

    def has_time(self, route: ShadowRoute, side: str) -> bool:
        """Whether one more copy holds up no user now."""
        return not (self.clock() < self.held_back or self.next_turn.is_behind or self.sender.obstacle(route, side))

    def may_send_twice(self, route: ShadowRoute, head: RequestHead) -> bool:
        """Whether legacy can be asked once more: a read without a session, when it has little to do."""
        return route.may_send_twice(head) and self.has_time(route, LEGACY) and route.secondaries.spend(self.clock())

    def watch_effects(self, route: ShadowRoute, origin: LiveRequest, legacy: SideResult, copy: RequestCopy) -> None:
        """Stop mirroring a route whose reads turn out to have effects."""
        if origin.head.method != "GET" or legacy.kind or route.suspended:
            return
        cookie = "" if copy.side == LEGACY and copy.stripped else origin.head.cookie
        effect = effect_of(legacy.answer, cookie)
        if effect:
            route.suspended = effect
            self.pairs_out.emit_suspended(route.route.name, origin.head.target.partition("?")[0], effect)

    def send_pair(
        self, route: ShadowRoute, origin: LiveRequest, number: int, reason: str, live: SideResult, copy: SideResult,
        again: ShadowCall | None,
    ) -> bool:  # fmt: skip
        """Send what has to be compared, be ready to send again; False when it was not taken."""
        begun = self.looks.processor()
        is_sent = self._send_pair(route, origin, number, reason, live, copy, again)
        if is_sent:
            self.looks.learn_sending(self.looks.processor() - begun)
        return is_sent

    def _send_pair(
        self, route: ShadowRoute, origin: LiveRequest, number: int, reason: str, live: SideResult, copy: SideResult,
        again: ShadowCall | None,
    ) -> bool:  # fmt: skip
        user = self.user(origin.head, origin.peer.trusted)
        pair = self.pairs_out.send_pair(origin, number, user, live, copy, reason, again)
        if pair is None:
            return False
        if reason == RACED:
            return True  # who asks again finds the same write
        until = self.clock() + route.policy.recheck_after + KEPT_FOR
        first = pair.legacy
        self.sent.keep(pair.id, Kept(origin, route, number, live.side, user, until, hash(first.body), first))
        return True

    def asked_again(self, route: ShadowRoute, generation: int, calls: list[ShadowCall]) -> None:
        """Report copies that belong to a request which was already reported."""
        copies = tuple(told for call in calls for told in call.copies())
        self.observe.emit(Shadowed(route.route.name, generation, "", "", "", copies, None))

    def mishap(self, error: Exception) -> None:
        """Count a fault of our own; the first one is reported."""
        self.observe.mishap(error)

    def user(self, head: RequestHead, trusted: bool) -> str | None:  # noqa: FBT001 - as Identity.find
        """Who the user of a request is, None where it shows no identity."""
        return self._server.bound.identity.find(head, trusted)
