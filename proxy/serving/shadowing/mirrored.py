"""The story of one mirrored request.

1. the user's call goes its way; its answer is copied as the user gets it
2. the copy of the request is asked of the other side: beside the call, after it, or once its body is whole
3. when both are over: are they the same, to the byte? control gets what is not
4. sometimes legacy is asked once more, to learn what differs from itself
5. what became of it is told once; everything held is given back
"""

from __future__ import annotations

import asyncio
from functools import partial
from random import random
from typing import TYPE_CHECKING

from proxy.http1.parse import ResponseHead
from proxy.serving.shadowing.call import ShadowCall
from proxy.serving.shadowing.harmless import harmless, swallow
from proxy.serving.shadowing.live import Live
from proxy.serving.shadowing.question import Origin
from proxy.serving.shadowing.route import ShadowRoute
from proxy.serving.shadowing.settling import Said, Settled, failures, settle
from proxy.state.pairs import NOT_COMPARED, SENT, TRANSIENT
from rules.mirror import SAFE
from rules.model import LEGACY, MODERN
from rules.translate import TranslationError

if TYPE_CHECKING:
    from proxy.serving.answering import Answering
    from proxy.serving.shadow import Shadows

AFTERMATH: frozenset[str] = frozenset(("client_gone", "fallback"))


class Mirrored:
    """A companion of the call, then on its own until the copy is over; `over` is final, told once."""

    over = False
    _body: list[bytes] | None = None
    _size = 0
    _copy: ShadowCall | None = None
    _second: ShadowCall | None = None
    _settled: Settled | None = None

    def __init__(self, shadows: Shadows, route: ShadowRoute, call: Answering, origin: Origin, now: float) -> None:
        self.route = route
        self.origin = origin
        self.started = now
        self.generation = call.bound.generation.number
        self.asked = MODERN if call.decision.side == LEGACY else LEGACY
        self.live = Live(call.decision.side, route.policy.max_body, shadows.budget)
        self._shadows = shadows
        self._call: Answering | None = call
        self._loop = asyncio.get_running_loop()
        self._session = shadows.neighbours.session_to_share(route, self.asked, origin.head)
        self._after = route.policy.when == "after" or bool(self._session)
        self._whole = not origin.head.has_body
        if self._whole and not self._after:
            # not now: the live request goes out first
            self._loop.call_soon(self._ask)

    def mishap(self, error: Exception) -> None:
        """Give up for good, whatever is wrong."""
        self._shadows.mishap(error)
        if not self.over:
            self._conclude(Settled(NOT_COMPARED, "error"))

    # ── the user's call ────────────────────────────────────────────────────────────────────────────────

    @harmless
    def request_data(self, piece: bytes) -> None:
        """Keep the body for the copy, as far as the route allows."""
        self._size += len(piece)
        if self._size > self.route.policy.max_body > 0 or self.over:
            self._body = None
            self._drop("body_cap")
        elif self._body is None:
            self._body = [piece]
        else:
            self._body.append(piece)

    @harmless
    def request_end(self) -> None:
        """The body is whole."""
        self._whole = True
        if not self._after:
            self._loop.call_soon(self._ask)

    @harmless
    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Copy the first bytes."""
        if not self.over:
            self.live.began(head, lines, payload)

    @harmless
    def answer_data(self, payload: bytes) -> None:
        """Copy more."""
        if not self.over:
            self.live.answer.add(payload)

    @harmless
    def finished(self) -> None:
        """The user has his answer, or is gone."""
        call, self._call = self._call, None
        if call is None or self.over:
            return
        self.live.end(call)
        if self.live.kind in AFTERMATH:
            self._loop.call_soon(self._drop, self.live.kind)
        elif not self._whole:
            self._loop.call_soon(self._drop, "client_gone")  # answered before the request was
        elif self._copy is not None:
            if self._copy.over:
                self._loop.call_soon(self._settle)
        elif self._after:
            self._loop.call_soon(self._ask)

    def expire(self) -> None:
        """The live answer takes so long that nobody can compare it with the copy any more."""
        self._drop("live_slow")

    # ── the copy ───────────────────────────────────────────────────────────────────────────────────────

    @harmless
    def _ask(self) -> None:
        """Ask the other side."""
        if self.over:
            return
        shadows, route, origin, session = self._shadows, self.route, self.origin, self._session
        if session and not shadows.neighbours.sessions.lend(session, self._user_is_back):
            self._session = ""
            self._drop("session_busy")
            return
        body, self._body = b"".join(self._body or ()), None
        refusal = shadows.asking.refusal(route, origin.head, body)
        if refusal:
            self._drop(refusal)
            return
        try:
            self._copy = shadows.asking.ask(route, origin, self.asked, body, self._copy_ended, share=bool(session))
        except TranslationError:
            self._drop("untranslatable")

    def _user_is_back(self) -> None:
        if self._copy is not None:
            self._copy.give_up("session_busy")

    def _copy_ended(self, _copy: ShadowCall) -> None:
        if self.live.over and not self.over and self._copy is not None:
            self._settle()

    # ── both ───────────────────────────────────────────────────────────────────────────────────────────

    @harmless
    def _settle(self) -> None:
        """Say what the two amount to, unless legacy is to be asked once more first."""
        copy = self._copy
        if self.over or copy is None or self._settled is not None:
            return
        live, said = self.live.said(), _said(copy)
        raced = self._shadows.neighbours.was_written(self.origin, self.started)
        self._settled = settled = settle(
            live,
            said,
            self.route.compared,
            stripped=copy.question.stripped,
            raced=raced,
            always=self.route.always_sends,
        )
        self._shadows.watch_effects(self.route, self.origin, live if live.side == LEGACY else said, copy.question)
        if settled.result in (NOT_COMPARED, TRANSIENT) or raced or not self._asks_twice():
            self._conclude(settled)
            return
        self.route.asks_twice = True
        try:
            self._second = self._shadows.asking.ask(self.route, self.origin, LEGACY, b"", self._second_ended)
        except TranslationError:
            self.route.asks_twice = False
            self._conclude(settled)

    def _asks_twice(self) -> bool:
        """Whether legacy is asked once more: a share of the reads without a session, when it has little to do."""
        route, head = self.route, self.origin.head
        if random() >= route.policy.secondary or route.asks_twice or head.method not in SAFE or head.cookie:  # noqa: S311 - a share
            return False
        return self._shadows.has_time(route, LEGACY) and route.secondaries.spend(self._shadows.clock())

    def _second_ended(self, _second: ShadowCall) -> None:
        self.route.asks_twice = False
        if self._settled is not None and not self.over:
            self._loop.call_soon(self._conclude, Settled(SENT, self._settled.reason or "noise"))

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    @harmless
    def _drop(self, reason: str) -> None:
        """End it without a comparison."""
        if not self.over:
            self._conclude(Settled(NOT_COMPARED, reason))

    def _conclude(self, settled: Settled) -> None:
        """Tell what became of it, give back what is held."""
        if self.over:
            return
        self.over = True
        copy, second = self._copy, self._second
        calls = [call for call in (copy, second) if call is not None]
        for call in calls:
            call.give_up("over")
        if settled.result == SENT and copy is not None:
            again = second if second is not None and not second.kind else None
            send = partial(self._shadows.send_pair, self, settled.reason, self.live.said(), _said(copy), again)
            if not swallow(self._shadows.mishap, send):
                settled = Settled(NOT_COMPARED, "shed")
        fails = None
        if copy is not None and self.live.over:
            fails = failures(self.live.said(), _said(copy), self.route.policy.timeout)
        self._shadows.concluded(self, settled, calls, fails)
        self.live.answer.release()
        for call in calls:
            call.recorder.release()
        if self._session:
            self._shadows.neighbours.sessions.give_back(self._session)


def _said(call: ShadowCall) -> Said:
    return Said(call.question.side, call.recorder, call.kind, call.waited)
