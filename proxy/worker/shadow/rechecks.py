"""Asks both sides once more what a pair was about, when control wants to know whether a difference stays."""

from __future__ import annotations

from proxy.ipc.messages import AgainFailed
from proxy.state.mirror_outcomes import NOT_COMPARED, RACED
from proxy.telemetry.records import SESSION
from proxy.worker.shadow.outcome import SideResult, settle
from proxy.worker.shadow.pair_sender import Kept
from proxy.worker.shadow.services import ShadowServices
from proxy.worker.shadow.shadow_call import ShadowCall
from rules.model import LEGACY, MODERN, other_side
from rules.routing.rewrite import TranslationError


class Rechecks:
    """Answers when control wants to know of a pair that was sent whether its difference stays."""

    def __init__(self, shadows: ShadowServices) -> None:
        self._shadows = shadows

    def again(self, pair: str) -> None:
        """Ask both sides, or say why not."""
        kept = self._shadows.sent.get(pair)
        shadows = self._shadows
        if kept is None:
            shadows.pairs_out.send(AgainFailed(pair, "gone"))
        elif not all(shadows.has_time(kept.route, side) for side in (LEGACY, MODERN)):
            shadows.pairs_out.send(AgainFailed(pair, "busy"))
        elif not kept.route.rechecks.spend(shadows.clock()):
            shadows.pairs_out.send(AgainFailed(pair, "budget"))
        else:
            Recheck(shadows, pair, kept).start()


class Recheck:
    """One pair that is asked again, both sides at once; each is a copy this time.

    Where sessions are shared legacy is asked within the user's, unless the user needs it meanwhile.
    """

    def __init__(self, shadows: ShadowServices, pair: str, kept: Kept) -> None:
        self._shadows = shadows
        self._pair = pair
        self._kept = kept
        self._began = shadows.clock()
        self._calls: list[ShadowCall] = []
        self._session = shadows.conflict_tracker.session_to_share(kept.route, LEGACY, kept.origin.head)
        self._user_came = False

    def start(self) -> None:
        """Ask."""
        kept, session = self._kept, self._session
        if session and not self._shadows.conflict_tracker.sessions.lend(session, self._user_is_back):
            self._session = ""
            kept.route.rechecks.give_back()  # nobody was asked
            self._failed("busy")
            return
        ask = self._shadows.sender.send
        try:
            for side in (kept.live_side, other_side(kept.live_side)):
                self._calls.append(ask(kept.route, kept.origin, side, b"", self._ended, share=bool(session)))
        except TranslationError:
            for call in self._calls:
                call.give_up("over")
                call.response_copy.release()
            self._give_back()
            self._failed()
            return
        self._ended(self._calls[0])

    def _user_is_back(self) -> None:
        self._user_came, self._session = True, ""
        for call in tuple(self._calls):
            call.give_up("session_busy")

    def _ended(self, _call: ShadowCall) -> None:
        if len(self._calls) == 2 and all(call.over for call in self._calls):  # noqa: PLR2004 - both sides
            calls, self._calls = self._calls, []
            self._give_back()
            self._answer(*calls)
            for call in calls:
                call.response_copy.release()

    def _answer(self, live: ShadowCall, copy: ShadowCall) -> None:
        kept = self._kept
        self._shadows.asked_again(kept.route, kept.generation, [live, copy])
        first, other = (
            SideResult(call.request_copy.side, call.response_copy, call.kind, call.waited) for call in (live, copy)
        )
        raced = self._shadows.conflict_tracker.was_written(kept.origin, self._began)
        legacy = live if live.request_copy.side == LEGACY else copy
        stripped = legacy.request_copy.stripped
        settled = settle(first, other, kept.route.compared, stripped=stripped, raced=raced, always=True)
        # a legacy that says something else without the user's session cannot be asked again for that user
        stranger = stripped and kept.live_side == LEGACY and hash(legacy.response_copy.body) != kept.legacy
        if settled.reason == RACED:
            self._failed(RACED)
        elif self._user_came:
            self._failed("busy")
        elif settled.result == NOT_COMPARED or stranger:
            self._failed(SESSION if stranger else "failed")
        elif self._shadows.pairs_out.send_again(
            self._pair, kept.origin, kept.generation, kept.user, first, other, settled.reason, kept.first
        ):
            # the next look is held against this one: what was written since the first one would hide what is there
            self._shadows.sent.renew(self._pair, legacy.response_copy.answer(legacy.waited))
        else:
            self._failed()

    def _give_back(self) -> None:
        session, self._session = self._session, ""
        if session:
            self._shadows.conflict_tracker.sessions.give_back(session)

    def _failed(self, why: str = "failed") -> None:
        self._shadows.pairs_out.send(AgainFailed(self._pair, why))
