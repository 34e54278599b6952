"""Byte equality; what became of a mirrored request; side effects noticed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from proxy.state.mirror_outcomes import ANSWERED, EQUAL, FAILURES, NOT_COMPARED, RACED, SENT
from proxy.telemetry.records import NOTHING, SESSION, is_for_strangers
from proxy.worker.shadow.request_keys import session_values
from proxy.worker.shadow.response_copy import ResponseCopy
from proxy.worker.shadow.value_equality import ValueEquality
from rules.model import LEGACY

# The worker's own look at a pair: equal as it stands, or where it differs first.
#
# What is not equal to the byte may still mean the same; the judge decides that.


_ALWAYS: Final = frozenset(
    (
        "content-type", "set-cookie", "location", "retry-after", "www-authenticate", "content-disposition",
        "content-encoding",
    )
)  # fmt: skip


_UNICODE: Final = ("utf-8", "utf8")


def compared_fields(also: Iterable[str]) -> frozenset[str]:
    """The lower-case names of the fields that are compared: the usual ones, those a route names."""
    return _ALWAYS | {name.lower() for name in also}


def first_difference(legacy: ResponseCopy, modern: ResponseCopy, compared: frozenset[str]) -> str:
    """Where two whole answers differ first: `status`, `headers`, `body`; empty where they are the same."""
    if legacy.status != modern.status:
        return "status"
    if not have_same_fields(legacy, modern, compared):
        return "headers"
    return "" if legacy.has_body_of(modern) else "body"


def have_same_fields(one: ResponseCopy, two: ResponseCopy, compared: frozenset[str]) -> bool:
    """Whether the compared fields of two answers mean the same.

    Heads are shared by the answers that repeat them, nothing changes their lines. So each remembers the last lines
    that were found to mean the same as its own: as long as both sides repeat theirs word for word, which is a second
    where they send Date, it is not looked at again. What is remembered lives no longer than the head.
    """
    lines, others, head = one.lines, two.lines, one.head
    if head is not None:
        known = head.agrees
        if known is not None and known[0] is others and known[1] is compared:
            return True
    if lines is not others and lines != others and not _same_fields(lines, others, compared):
        return False
    if head is not None:
        head.agrees = others, compared
    return True


def _same_fields(legacy: list[str], modern: list[str], compared: frozenset[str]) -> bool:
    """Look at the lines that only one side has first: as a rule those are Date, Server, which are not compared."""
    left, right = set(legacy), set(modern)
    if len(left) == len(legacy) and len(right) == len(modern):
        apart = left ^ right
        if not any(line.partition(":")[0].lower() in compared for line in apart):
            return True
    return _meant(legacy, compared) == _meant(modern, compared)


def _meant(lines: list[str], compared: frozenset[str]) -> dict[str, list[object]]:
    """The compared fields with what of their values is compared, in the order they came."""
    found: dict[str, list[object]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower in compared:
            found.setdefault(lower, []).append(_value(lower, value))
    if len(found.get("set-cookie", ())) > 1:
        found["set-cookie"].sort(key=repr)
    return found


def _value(name: str, value: str) -> object:
    """The media type with a charset but UTF-8, a cookie's name with whether scripts may not see it, else the value.

    The same bytes in another charset are other characters: whether that counts is for a judge to say.
    """
    if name == "content-type":
        media, _, parameters = value.lower().partition(";")
        charset = parameters.partition("charset=")[2].partition(";")[0].strip(' "')
        return media.strip(), "" if charset in _UNICODE else charset
    if name == "set-cookie":
        return value.partition("=")[0].strip(), "httponly" in value.lower().replace(" ", "").split(";")
    return value


_REDIRECTS: Final = range(300, 400)
_NOT_MODIFIED: Final = 304
_SERVER_ERROR: Final = 500
_KEPT_REASONS: Final = frozenset(
    ("body_cap", "declined", "stale", "stream", "client_gone", "fallback", "session_busy", "dry_run")
)


class SideResult(NamedTuple):
    """What one side said: `kind` empty for a whole answer, `seconds` until its first byte."""

    side: str
    answer: ResponseCopy
    kind: str
    seconds: float


class MirrorOutcome(NamedTuple):
    """`result` with its `reason`, as `state.pairs` names them; `forgiven` counts by rule what made a pair equal."""

    result: str
    reason: str
    forgiven: Mapping[str, int] = NOTHING


PLAINLY_EQUAL: Final = MirrorOutcome(EQUAL, "")
NEITHER: Final = (False, False)
"""As `failures` says it when no side failed."""
_PLAIN: Final = 200


def are_alike(one: ResponseCopy, other: ResponseCopy, compared: frozenset[str]) -> bool:
    """Whether two answers, the second of them whole, are 200, whole, with the same fields: their bodies decide."""
    if one.status != _PLAIN or other.status != _PLAIN or one.lost:
        return False
    return have_same_fields(one, other, compared)


def equal_by_value(one: ResponseCopy, side: str, other: ResponseCopy, values: ValueEquality) -> MirrorOutcome | None:
    """Return what `settle` would return for two answers that `are_alike` and equal by value; None where a judge must.

    `side` is whose answer `one` is.
    """
    forgiven = values.forgiven(one, other) if side == LEGACY else values.forgiven(other, one)
    return None if forgiven is None else MirrorOutcome(EQUAL, "", forgiven)


def settle(
    live: SideResult, copy: SideResult, compared: frozenset[str], *, stripped: bool, raced: bool, always: bool
) -> MirrorOutcome:
    """Say what became of the request.

    Only what is equal counts where the copy went without the session's cookies (`stripped`), or where a write of the
    same user or thing was near (`raced`); `always`: the pair goes to control even if its bytes are equal.
    """
    misses = stripped and copy.side == LEGACY
    reason = _obstacle(live, copy, misses=misses)
    if reason:
        return MirrorOutcome(SENT if always and reason == SESSION else NOT_COMPARED, reason)
    legacy, modern = (live, copy) if live.side == LEGACY else (copy, live)
    difference = first_difference(legacy.answer, modern.answer, compared)
    if misses and (difference or always):
        return MirrorOutcome(SENT, SESSION)
    if difference and raced:
        return MirrorOutcome(SENT, RACED)
    if difference or always:
        return MirrorOutcome(SENT, difference or "invariants")
    return MirrorOutcome(EQUAL, "")


def _obstacle(live: SideResult, copy: SideResult, *, misses: bool) -> str:  # noqa: PLR0911 - one a line
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
    if misses and is_for_strangers(copy.answer.status):
        return SESSION
    if (live.answer.status == _NOT_MODIFIED) != (copy.answer.status == _NOT_MODIFIED):
        return "conditional"  # each side knows only the validators that it gave itself
    return ""


def _lost(reason: str) -> str:
    return "memory_full" if reason == "memory" else reason


def failures(live: SideResult, copy: SideResult, patience: float) -> tuple[bool, bool] | None:
    """Whether modern, whether legacy failed; None where one of them had no fair chance.

    `patience` is how long the copy was given: who timed out where the other side took as long is no worse.
    """
    unfair = copy.kind == "timeout" and live.seconds >= patience
    if unfair or not (_had_its_chance(live) and _had_its_chance(copy)):
        return None
    legacy, modern = (live, copy) if live.side == LEGACY else (copy, live)
    return _failed(modern), _failed(legacy)


def _had_its_chance(said: SideResult) -> bool:
    return said.kind in FAILURES or (said.kind in ANSWERED and said.kind != "declined")


def _failed(said: SideResult) -> bool:
    return said.kind in FAILURES or said.answer.status >= _SERVER_ERROR


# Notices by its answer that a read had effects, so that it is not done twice again.


_DONE_SOMETHING: Final = {201: "created something", 202: "accepted a job", 204: "has no content"}
_ENCRYPTED: Final = "eyJ"
"""How a value begins that Laravel encrypts anew with every answer: that it differs says nothing."""


def effect_of(answer: ResponseCopy, cookie: str) -> str:
    """What speaks for an effect of a GET that legacy answered like this, empty for nothing.

    201, 202, 204; or a redirect that gives a session the request had another id (a log-in, a log-out). `cookie` is
    the request's Cookie field.
    """
    if answer.status in _DONE_SOMETHING:
        return f"a GET {_DONE_SOMETHING[answer.status]} ({answer.status})"
    if answer.status in _REDIRECTS and cookie and _session_changed(answer, cookie):
        return f"a GET changed the session ({answer.status})"
    return ""


def _session_changed(answer: ResponseCopy, cookie: str) -> bool:
    before = session_values(cookie)
    for line in answer.values("set-cookie"):
        for name, value in session_values(line.partition(";")[0]).items():
            if name in before and before[name] != value and not value.startswith(_ENCRYPTED):
                return True
    return False
