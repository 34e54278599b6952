"""Asks both sides once more what a pair was about, when control wants to know whether a difference stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.ipc.messages import AgainFailed, Answer
from proxy.state.mirror_outcomes import NOT_COMPARED, RACED
from proxy.telemetry.records import SESSION
from proxy.worker.shadow.outcome import SideResult, settle
from proxy.worker.shadow.request_copy import LiveRequest
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.shadow_call import ShadowCall
from rules.model import LEGACY, MODERN, SAFE_METHODS, other_side
from rules.routing.rewrite import TranslationError

if TYPE_CHECKING:
    from proxy.worker.shadow.admission import Shadows

KEPT_AT_MOST: Final = 512
FIRST_BYTES: Final = 16 << 20
"""Bodies of legacy's first answers that a worker keeps; beyond, a re-check only shows whether a difference stays."""
KEPT_FOR: Final = 15.0
"""Seconds beyond the route's own delay for which control may ask for a pair again."""


class Kept(NamedTuple):
    """What is needed to ask again; `legacy` is the hash of legacy's first body, `first` that answer, if there was room.

    Held against legacy's second answer it shows what legacy varies by itself.
    """

    origin: LiveRequest
    route: ShadowRoute
    generation: int
    live_side: str
    user: str | None
    until: float
    legacy: int
    first: Answer | None = None


class Rechecks:
    """The latest pairs that were sent. They come with `keep`, go when too old, too many; `_bytes` is what they hold."""

    def __init__(self, shadows: Shadows) -> None:
        self._shadows = shadows
        self._kept: dict[str, Kept] = {}
        self._bytes = 0

    def keep(self, pair: str, kept: Kept) -> None:
        """Remember a read that may be asked again."""
        if kept.origin.head.method not in SAFE_METHODS:
            return
        while len(self._kept) >= KEPT_AT_MOST:
            self._forget(next(iter(self._kept)))
        size = _size(kept)
        if self._bytes + size > FIRST_BYTES:
            kept, size = kept._replace(first=None), 0
        self._bytes += size
        self._kept[pair] = kept

    def sweep(self, now: float) -> None:
        """Forget who was not asked for."""
        gone = [pair for pair, kept in self._kept.items() if kept.until <= now]
        for pair in gone:
            self._forget(pair)

    def _forget(self, pair: str) -> None:
        self._bytes -= _size(self._kept.pop(pair))

    def again(self, pair: str) -> None:
        """Ask both sides, or say why not."""
        kept = self._kept.get(pair)
        shadows = self._shadows
        if kept is None:
            shadows.pairs_out.send(AgainFailed(pair, "gone"))
        elif not kept.route.rechecks.spend(shadows.clock()):
            shadows.pairs_out.send(AgainFailed(pair, "budget"))
        elif not all(shadows.has_time(kept.route, side) for side in (LEGACY, MODERN)):
            shadows.pairs_out.send(AgainFailed(pair, "busy"))
        else:
            Recheck(shadows, pair, kept).start()


def _size(kept: Kept) -> int:
    return 0 if kept.first is None else len(kept.first.body)


class Recheck:
    """One pair that is asked again, both sides at once; each is a copy this time."""

    def __init__(self, shadows: Shadows, pair: str, kept: Kept) -> None:
        self._shadows = shadows
        self._pair = pair
        self._kept = kept
        self._began = shadows.clock()
        self._calls: list[ShadowCall] = []

    def start(self) -> None:
        """Ask."""
        kept = self._kept
        ask = self._shadows.asking.ask
        try:
            for side in (kept.live_side, other_side(kept.live_side)):
                self._calls.append(ask(kept.route, kept.origin, side, b"", self._ended))
        except TranslationError:
            for call in self._calls:
                call.give_up("over")
                call.recorder.release()
            self._failed()
            return
        self._ended(self._calls[0])

    def _ended(self, _call: ShadowCall) -> None:
        if len(self._calls) == 2 and all(call.over for call in self._calls):  # noqa: PLR2004 - both sides
            calls, self._calls = self._calls, []
            self._answer(*calls)
            for call in calls:
                call.recorder.release()

    def _answer(self, live: ShadowCall, copy: ShadowCall) -> None:
        kept = self._kept
        self._shadows.asked_again(kept, [live, copy])
        first, other = (SideResult(call.question.side, call.recorder, call.kind, call.waited) for call in (live, copy))
        raced = self._shadows.conflict_tracker.was_written(kept.origin, self._began)
        legacy = live if live.question.side == LEGACY else copy
        stripped = legacy.question.stripped
        settled = settle(first, other, kept.route.compared, stripped=stripped, raced=raced, always=True)
        # a legacy that says something else without the user's session cannot be asked again for that user
        stranger = stripped and kept.live_side == LEGACY and hash(legacy.recorder.body) != kept.legacy
        if settled.reason == RACED:
            self._failed(RACED)
        elif settled.result == NOT_COMPARED or stranger:
            self._failed(SESSION if stranger else "failed")
        elif not self._shadows.pairs_out.send_again(
            self._pair, kept.origin, kept.generation, kept.user, first, other, settled.reason, kept.first
        ):
            self._failed()

    def _failed(self, why: str = "failed") -> None:
        self._shadows.pairs_out.send(AgainFailed(self._pair, why))
