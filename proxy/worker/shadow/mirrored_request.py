"""The story of one mirrored request.

1. the user's call goes its way; its answer is copied as the user gets it
2. the copy of the request is asked of the other side: beside the call, after it, or once its body is whole
3. when both are over: are they the same to the byte? else, when users leave time for it: by value? a judge gets
   what is not
4. sometimes legacy is asked once more, to learn what differs from itself
5. the outcome is reported once; everything held is given back
"""

from __future__ import annotations

from functools import partial
from random import random

from proxy.http1 import ResponseHead
from proxy.state.mirror_outcomes import NOT_COMPARED, RACED, SENT, TRANSIENT
from proxy.telemetry.records import Shadowed, make
from proxy.worker.request_state import RequestState
from proxy.worker.shadow.live_response import LiveResponse
from proxy.worker.shadow.observers import harmless, swallow
from proxy.worker.shadow.outcome import (
    NEITHER,
    PLAINLY_EQUAL,
    MirrorOutcome,
    are_alike,
    equal_by_value,
    failures,
    settle,
)
from proxy.worker.shadow.request_copy import LiveRequest
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.services import ShadowServices
from proxy.worker.shadow.shadow_call import Copies, ShadowCall
from rules.model import LEGACY, SAFE_METHODS, other_side
from rules.routing.rewrite import TranslationError

AFTERMATH: frozenset[str] = frozenset(("client_gone", "fallback"))


class MirroredRequest:
    """Observes the live request, then goes on by itself until the copy is over; `over` is final, reported once.

    It is one of `_under_way` until then.
    Where every mirrored request passes, faults are caught by hand: `harmless` costs as much as what it guards.
    """

    over = False
    _body: list[bytes] | None = None
    _size = 0
    _written = b""
    _copy: ShadowCall | None = None
    _second: ShadowCall | None = None
    _settled: MirrorOutcome | None = None
    _twice = False

    def __init__(
        self,
        shadows: ShadowServices,
        route: ShadowRoute,
        call: RequestState,
        origin: LiveRequest,
        now: float,
        under_way: set[MirroredRequest],
    ) -> None:
        self.route = route
        self.origin = origin
        self.started = now
        self.generation = call.bound.generation.number
        self.asked = asked = other_side(call.decision.side)
        self.live = LiveResponse(call.decision.side, route.policy.max_body, shadows.budget)
        self._shadows = shadows
        self._under_way = under_way
        self._call: RequestState | None = call
        self._session = shadows.conflict_tracker.session_to_share(route, asked, origin.head) if asked == LEGACY else ""
        self._after = route.policy.when == "after" or bool(self._session)
        self._whole = not origin.head.fields.has_body
        if self._whole and not self._after:
            # not now: the live request goes out first
            shadows.next_turn.do(self._send_copy)

    def mishap(self, error: Exception) -> None:
        """Give up for good, whatever is wrong."""
        self._shadows.mishap(error)
        if not self.over:
            self._conclude(MirrorOutcome(NOT_COMPARED, "error"))

    # ── the user's call ────────────────────────────────────────────────────────────────────────────────

    @harmless
    def request_data(self, piece: bytes) -> None:
        """Keep the body for the copy, as far as the route and the memory for copies allow."""
        if self.over:
            return
        if 0 < self.route.policy.max_body < self._size + len(piece):
            self._drop("body_cap")
            return
        if not self._shadows.budget.reserve(len(piece)):
            self._drop("memory")
            return
        self._size += len(piece)
        if self._body is None:
            self._body = [piece]
        else:
            self._body.append(piece)

    @harmless
    def request_end(self) -> None:
        """The body is whole."""
        self._whole = True
        if not self._after:
            self._shadows.next_turn.do(self._send_copy)

    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Copy the first bytes."""
        try:
            if not self.over:
                self.live.began(head, lines, payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's call goes on
            self.mishap(error)

    @harmless
    def answer_data(self, payload: bytes) -> None:
        """Copy more."""
        if not self.over:
            self.live.answer.add_payload(payload)

    def finished(self) -> None:
        """The client has its response, or is gone."""
        call, self._call = self._call, None
        if call is None or self.over:
            return
        try:
            self.live.end(call)
            self._written = call.asked
            if self.live.kind in AFTERMATH:
                self._shadows.next_turn.do(partial(self._drop, self.live.kind))
            elif not self._whole:
                self._shadows.next_turn.do(partial(self._drop, "client_gone"))  # answered before the request was
            elif self._copy is not None:
                if self._copy.over:
                    self._shadows.next_turn.do(self._ended)
            elif self._after:
                self._shadows.next_turn.do(self._send_copy)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's call goes on
            self.mishap(error)

    def expire(self, reason: str = "live_slow") -> None:
        """The live response takes too long to be compared with the copy, or the worker leaves."""
        self._drop(reason)

    # ── the copy ───────────────────────────────────────────────────────────────────────────────────────

    def _send_copy(self) -> None:
        """Ask the other side."""
        if self.over:
            return
        shadows, route, origin, session = self._shadows, self.route, self.origin, self._session
        try:
            live = self._written if self._call is None else self._call.asked
            self._copy = shadows.sender.send_as_live(route, origin, self.asked, live, self._ended)
            if self._copy is not None:
                return
            if session and not shadows.conflict_tracker.sessions.lend(session, self._user_is_back):
                self._session = ""
                self._drop("session_busy")
                return
            body, self._body = b"".join(self._body) if self._body is not None else b"", None
            refusal = "" if origin.head.method in SAFE_METHODS else shadows.sender.refusal(route, origin.head, body)
            if refusal:
                self._drop(refusal)
                return
            self._copy = shadows.sender.send(route, origin, self.asked, body, self._ended, share=bool(session))
        except TranslationError:
            self._drop("untranslatable")
        except Exception as error:  # noqa: BLE001 - it runs in the loop, no caller would see it
            self.mishap(error)

    def _user_is_back(self) -> None:
        if self._copy is not None:
            self._copy.give_up("session_busy")

    # ── both ───────────────────────────────────────────────────────────────────────────────────────────

    def _ended(self, _copy: ShadowCall | None = None) -> None:
        """One side is over; once both are, pairs of the same bytes are done: no more has to be looked at then."""
        copy = self._copy
        if self.over or copy is None or self._settled is not None or not self.live.over:
            return
        try:
            live, route = self.live, self.route
            self._twice = route.policy.secondary > 0.0 and random() < route.policy.secondary  # noqa: S311 - a share
            plain = not (live.kind or copy.kind or route.always_sends or self._twice)
            if plain and are_alike(live.answer, copy.response_copy, route.compared):
                if live.answer.has_body_of(copy.response_copy):
                    self._is_equal(copy, PLAINLY_EQUAL)
                    return
                if route.values is not None:
                    self._shadows.next_turn.do(self._look)
                    return
            self._shadows.next_turn.do(self._settle)
        except Exception as error:  # noqa: BLE001 - it must not reach the pool's connection
            self.mishap(error)

    def _is_equal(self, copy: ShadowCall, settled: MirrorOutcome) -> None:
        self.over, self._settled = True, settled
        self._parted(settled, copy.copies(), NEITHER)
        copy.response_copy.release()

    def _look(self) -> None:
        """Hold two answers together by value that are not the same to the byte."""
        copy, values, live = self._copy, self.route.values, self.live
        if self.over or copy is None or values is None:
            return
        try:
            equal = equal_by_value(live.answer, live.side, copy.response_copy, values)
            if equal is None:
                self._settle()
            else:
                self._is_equal(copy, equal)
        except Exception as error:  # noqa: BLE001 - it runs in the loop, no caller would see it
            self.mishap(error)

    @harmless
    def _settle(self) -> None:
        """Say what the two amount to, unless (`_twice`) legacy is to be asked once more first."""
        copy = self._copy
        if self.over or copy is None:
            return
        live, said = self.live.side_result(), copy.side_result()
        raced = self._shadows.conflict_tracker.was_written(self.origin, self.started)
        stripped, always = copy.request_copy.stripped, self.route.always_sends
        settled = settle(live, said, self.route.compared, stripped=stripped, raced=raced, always=always)
        self._settled = settled
        self._shadows.watch_effects(self.route, self.origin, live if live.side == LEGACY else said, copy.request_copy)
        if not self._twice or raced or settled.result == NOT_COMPARED:
            self._conclude(settled)
            return
        if not self._shadows.may_send_twice(self.route, self.origin.head):
            self._conclude(settled)
            return
        self.route.is_sent_twice = True
        try:
            self._second = self._shadows.sender.send(self.route, self.origin, LEGACY, b"", self._second_ended)
        except TranslationError:
            self.route.is_sent_twice = False
            self._conclude(settled)

    def _second_ended(self, _second: ShadowCall) -> None:
        self.route.is_sent_twice = False
        if self._settled is not None and not self.over:
            self._shadows.next_turn.do(partial(self._conclude, MirrorOutcome(SENT, self._settled.reason or "noise")))

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    @harmless
    def _drop(self, reason: str) -> None:
        """End it without a comparison."""
        if not self.over:
            self._conclude(MirrorOutcome(NOT_COMPARED, reason))

    def _conclude(self, settled: MirrorOutcome) -> None:
        """Report the outcome, give back what is held."""
        if self.over:
            return
        self.over = True
        copy, second = self._copy, self._second
        calls = [call for call in (copy, second) if call is not None]
        for call in calls:
            call.give_up("over")
        if settled.result == SENT and copy is not None:
            again = second if second is not None and not second.kind else None
            pair = self.route, self.origin, self.generation, settled.reason, self.live.side_result(), copy.side_result()
            send = partial(self._shadows.send_pair, *pair, again)
            if not swallow(self._shadows.mishap, send):
                settled = (
                    MirrorOutcome(TRANSIENT, "") if settled.reason == RACED else MirrorOutcome(NOT_COMPARED, "shed")
                )
        fails = None
        if copy is not None and self.live.over:
            fails = failures(self.live.side_result(), copy.side_result(), self.route.policy.timeout)
        self._parted(settled, tuple(told for call in calls for told in call.copies()), fails)
        for call in calls:
            call.response_copy.release()

    def _parted(self, settled: MirrorOutcome, copies: Copies, fails: tuple[bool, bool] | None) -> None:
        route, (result, reason, forgiven) = self.route, settled
        route.in_flight -= 1
        self._under_way.discard(self)
        head, status = self.origin.head, self.live.answer.status
        asked = (head.method, head.line.path, status)
        record = (route.route.name, self.generation, self.asked, result, reason, copies, fails, *asked, forgiven, 1)
        self._shadows.observe.emit(make(Shadowed, record))
        self.live.answer.release()
        if self._size:
            self._body = None
            self._shadows.budget.give(self._size)
        if self._session:
            self._shadows.conflict_tracker.sessions.give_back(self._session)
