"""Decides what became of a mirrored request, once both sides have had their say."""

from __future__ import annotations

from typing import Final, NamedTuple

from proxy.serving.recorder import Recorder
from proxy.serving.shadowing.same import first_difference, have_same_fields
from proxy.state.mirror_outcomes import ANSWERED, EQUAL, FAILURES, NOT_COMPARED, RACED, SENT
from rules.model import LEGACY

_NOT_ONES_OWN: Final = (401, 403, 419)
_REDIRECTS: Final = range(300, 400)
_NOT_MODIFIED: Final = 304
_SERVER_ERROR: Final = 500
_KEPT_REASONS: Final = frozenset(
    ("body_cap", "declined", "stale", "stream", "client_gone", "fallback", "session_busy", "dry_run")
)


class Said(NamedTuple):
    """What one side said: `kind` empty for a whole answer, `seconds` until its first byte."""

    side: str
    answer: Recorder
    kind: str
    seconds: float


class Settled(NamedTuple):
    """`result` with its `reason`, as `state.pairs` names them."""

    result: str
    reason: str


PLAINLY_EQUAL: Final = Settled(EQUAL, "")
NEITHER: Final = (False, False)
"""As `failures` says it when no side failed."""
_PLAIN: Final = 200


def is_plainly_equal(live: Recorder, copy: Recorder, compared: frozenset[str]) -> bool:
    """Whether `settle` would find two answers that came whole equal, as most are: both 200, the same to the byte."""
    if live.status != _PLAIN or copy.status != _PLAIN or live.lost:
        return False
    return have_same_fields(live, copy, compared) and live.has_body_of(copy)


def settle(live: Said, copy: Said, compared: frozenset[str], *, stripped: bool, raced: bool, always: bool) -> Settled:
    """Say what became of the request.

    `stripped`: the copy went without the user's cookies; `raced`: a write of the same user or thing was near, so that
    only what is equal counts; `always`: the pair goes to control even if its bytes are equal.
    """
    reason = _obstacle(live, copy, stripped=stripped)
    if reason:
        return Settled(NOT_COMPARED, reason)
    legacy, modern = (live, copy) if live.side == LEGACY else (copy, live)
    difference = first_difference(legacy.answer, modern.answer, compared)
    if difference and raced:
        return Settled(SENT, RACED)
    if difference or always:
        return Settled(SENT, difference or "invariants")
    return Settled(EQUAL, "")


def _obstacle(live: Said, copy: Said, *, stripped: bool) -> str:  # noqa: PLR0911 - one a line
    """Why these two cannot be compared, empty where they can."""
    if live.kind:
        return live.kind if live.kind in _KEPT_REASONS else "live_failed"
    if live.answer.lost:
        return _lost(live.answer.lost)
    if copy.kind == "timeout":
        return "shadow_timeout"
    if copy.kind == "memory":
        return _lost(copy.kind)
    if copy.kind:
        return copy.kind if copy.kind in _KEPT_REASONS else "shadow_failed"
    if stripped and copy.side == LEGACY and _is_for_strangers(copy.answer.status):
        return "session"
    if (live.answer.status == _NOT_MODIFIED) != (copy.answer.status == _NOT_MODIFIED):
        return "conditional"  # each side knows only the validators that it gave itself
    return ""


def _lost(reason: str) -> str:
    return "memory_full" if reason == "memory" else reason


def _is_for_strangers(status: int) -> bool:
    return status in _NOT_ONES_OWN or (status in _REDIRECTS and status != _NOT_MODIFIED)


def failures(live: Said, copy: Said, patience: float) -> tuple[bool, bool] | None:
    """Whether modern, whether legacy failed; None where one of them had no fair chance.

    `patience` is how long the copy was given: who timed out where the other side took as long is no worse.
    """
    unfair = copy.kind == "timeout" and live.seconds >= patience
    if unfair or not (_had_its_chance(live) and _had_its_chance(copy)):
        return None
    legacy, modern = (live, copy) if live.side == LEGACY else (copy, live)
    return _failed(modern), _failed(legacy)


def _had_its_chance(said: Said) -> bool:
    return said.kind in FAILURES or (said.kind in ANSWERED and said.kind != "declined")


def _failed(said: Said) -> bool:
    return said.kind in FAILURES or said.answer.status >= _SERVER_ERROR
