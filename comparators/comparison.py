"""The one entry; never raises; custom hook."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, NamedTuple

from comparators import (
    body_cost,
    body_kind,
    charsets,
    error_bodies,
    headers,
    html_compare,
    json_compare,
    legacy_rows,
    noise_samples,
    repeated_values,
    self_noise,
    text_compare,
    timings,
    wrapped_json,
    xml_compare,
)
from comparators.context import MORE, MOST_FINDINGS, MOST_LOOKED_AT, Context, Stopped
from comparators.custom import HookError, asked
from comparators.json_parse import literal
from comparators.legacy_again import Again
from comparators.literals import apart, first_difference
from comparators.model import Capture, Comparison, Finding, Kind, Observation, Reason, Verdict, made, path_pattern
from comparators.moved_rows import Moves, RowGroup
from comparators.moved_texts import Place
from comparators.noise_times import Reading
from comparators.now_and_then import hides_content, is_one_more
from comparators.policy import Policy
from comparators.repeated_values import Varying
from comparators.self_noise import masking, may_hide, split
from comparators.text_compare import around, as_texts

_MOST_HELD_AGAINST: Final = 2
_OF_A_BODY: Final = ("/", "@body")
OTHERWISE: Final = "legacy's literals are of its second answer: the first has nothing in that place"
_NOT_MODIFIED: Final = 304
_BODILESS: Final = frozenset({204, _NOT_MODIFIED})
_PAGES: Final = ("html", "text")
_PREVIEW: Final = 120
CAPPED: Final = "capped: what is found here stands, but not everything was looked at; there may be more differences"
_DIFFERENCES: Final = {
    "json": json_compare.differences,
    "ndjson": wrapped_json.lines,
    "jsonp": wrapped_json.calls,
    "form": wrapped_json.forms,
    "html": html_compare.differences,
    "xml": xml_compare.differences,
    "csv": text_compare.csv_differences,
    "text": wrapped_json.texts,
    "bytes": text_compare.bytes_differences,
}


def compare(legacy: Capture, modern: Capture, policy: Policy, *, secondary: Sequence[Capture] = ()) -> Comparison:
    """Return what two answers to one request come to; `secondary` are further answers of legacy to it.

    1. An operator's own comparator may decide.
    2. Status, headers and body are compared; what the policy forgives is counted.
    3. Where legacy was asked again, what it does not even agree on with itself is noise.

    A cap that is reached, a failure of the operator's comparator and one of ours all mean: not compared.
    """
    try:
        if policy.custom is not None and (answer := asked(policy.custom, legacy, modern)) is not None:
            return answer
        return _without_searches(legacy, modern, policy, secondary)
    except Stopped as stopped:
        return Comparison("not_compared", reason=stopped.reason)
    except RecursionError:
        return Comparison("not_compared", reason="depth")
    except HookError as error:
        return _failed("custom", str(error))
    except Exception as fault:  # noqa: BLE001 - a comparison must never hurt its caller
        # Only the kind of error: its text may quote a body.
        return _failed("comparator", f"the comparator failed: {type(fault).__name__}")


def _without_searches(legacy: Capture, modern: Capture, policy: Policy, secondary: Sequence[Capture]) -> Comparison:
    """Compare while Python does not search for cycles.

    A comparison makes none, but up to a million containers that would be looked through again and again, which was half
    of the time for lists in lists. An operator's comparator may make some.
    """
    searches = gc.isenabled()
    gc.disable()
    try:
        return _judged(legacy, modern, policy, secondary)
    finally:
        if searches:
            gc.enable()


class _Held(NamedTuple):
    """Two answers, compared: what counts, what legacy varies by itself, why that did not come to its end."""

    context: Context
    findings: tuple[Finding, ...]
    noise: tuple[Finding, ...]
    observations: tuple[Observation, ...]
    stopped: Stopped | None


def _judged(legacy: Capture, modern: Capture, policy: Policy, secondary: Sequence[Capture]) -> Comparison:
    held = _held(legacy, modern, policy, secondary)
    context, findings = held.context, held.findings
    if held.stopped is not None and not findings:
        raise held.stopped
    if findings and any(_say_the_same(each, modern, policy) for each in secondary):
        # just what legacy itself says a moment later: nothing of it is modern's
        findings = tuple(each for each in findings if not _may_be_legacys(each, context))
        if excused := len(held.findings) - len(findings):
            context.forgive("noise", excused)
    if not findings and (context.reshaped or any(map(hides_content, held.noise))):
        findings = _seen_now_and_then(held, modern, secondary)
    if len(findings) > MOST_FINDINGS:
        context.note(MORE)
        findings = findings[:MOST_FINDINGS]
    if held.noise:
        context.forgive("noise", len(held.noise))
    verdict: Verdict = "different" if findings else "noise" if "noise" in context.forgiven else "equal"
    capped = context.capped or held.stopped is not None
    if capped:
        context.note(CAPPED)
    told = verdict, findings, context.forgiven, "", tuple(context.notes), held.observations, capped
    return made(Comparison, told)


def _say_the_same(legacy: Capture, modern: Capture, policy: Policy) -> bool:
    """Whether an answer is, under the rules, another of legacy's."""
    context = Context(policy, legacy, modern)
    return legacy.status == modern.status and _stopped(context) is None and not context.findings


def _may_be_legacys(finding: Finding, context: Context) -> bool:
    return finding.path.startswith(_OF_A_BODY) and may_hide(finding, context.documents or ())


def _held(legacy: Capture, modern: Capture, policy: Policy, secondary: Sequence[Capture]) -> _Held:
    """Compare two answers, and set apart what legacy varies by itself."""
    observations, own, again = _observed(legacy, secondary, policy)
    held = masking(policy, observations)
    hides = bool(observations or held.noise_rules)
    context = Context(held, legacy, modern, most=MOST_LOOKED_AT if hides else MOST_FINDINGS)
    context.own = own
    if again is not None:
        masks = bool(policy.ignore_text or held.noise_rules)
        context.again = Again(*again, context, masks=masks)
    stopped = _stopped(context)
    findings, noise = split(context.findings, observations, context.policy, own, context.documents or (), context)
    if own is not None and (broken := self_noise.broken_rows(own, context) or _broken_values(own, context)) is not None:
        findings = (*findings, *_as_findings(*broken, context))
    return made(_Held, (context, findings, noise, observations, stopped))


def _as_findings(place: Place, legacy: str, modern: str, context: Context) -> list[Finding]:
    """Return what is wrong with a text that by itself could be one more of legacy's, cut as any other finding."""
    told = context.fork()
    if place.key:
        at, name = first_difference(legacy, modern), place.shown or place.key
        told.differ(place.path, "value", f"{name}: {around(legacy, at)}", f"{name}: {around(modern, at)}")
    else:
        told.differ(place.path, "value", *apart(legacy, modern, lambda text, _: literal(text)))
    return told.findings


def _broken_values(own: self_noise.Own, context: Context) -> tuple[Place, str, str] | None:
    """Return a place that shares its value with others in legacy's answers and not in modern's, with both texts."""
    varying = [Varying(place, own.texts(place.path, place.key), modern) for place, (_, modern) in own.moved.taken()]
    if context.documents is not None:
        there = [(path, texts) for path, texts in own.in_document() if not _goes_by_name(path, context)]
        varying += repeated_values.in_document(there, context.documents[1])
    found = repeated_values.broken(varying)
    return None if found is None else (found.place, found.texts[0], found.modern)


def _goes_by_name(path: str, context: Context) -> bool:
    """Whether a pointer leads into a list whose rows may have other numbers in modern's document."""
    with_gaps = bool(context.numbered) and any(
        path[:at] in context.numbered for at, letter in enumerate(path) if letter == "/"
    )
    return with_gaps or context.is_unordered(path)


# What one answer of legacy has and another has not was compared with nothing: it is held against the one that has it.


def _seen_now_and_then(held: _Held, modern: Capture, secondary: Sequence[Capture]) -> tuple[Finding, ...]:
    """Return how modern's answer differs from legacy's other ones, where legacy's first does not have what they have.

    Each of legacy's answers is as right as the others. Which row of a list is which cannot be told by its place where
    the list is of several lengths: they are looked at one by one.
    """
    first = held.context
    documents = [first.documents]
    lists = {each.path for each in held.noise if each.kind == "length"} | first.lists
    if first.documents is None:
        lists = set()
    answers = (first.legacy, *secondary[:_MOST_HELD_AGAINST])
    for again in answers[1:]:
        if again.status != modern.status:
            continue
        other = _held(again, modern, first.policy, [each for each in answers if each is not again])
        documents.append(other.context.documents)
        first.capped = first.capped or other.stopped is not None
        found = tuple(
            each for each in other.findings if not _is_in(each.path, lists) and not _is_another(each, first.reading)
        )
        if found:
            first.note(OTHERWISE)
            return found
    told = first.fork()
    for place in sorted(lists):
        if place.startswith("/") or not place:
            legacy_rows.strange_rows_at(place, documents, told)
    return tuple(told.findings)


def _is_another(finding: Finding, reading: Reading) -> bool:
    return finding.kind == "value" and is_one_more(finding, finding.legacy, reading)


def _is_in(path: str, places: set[str]) -> bool:
    return path.startswith("/") and any(not place or path.startswith(f"{place}/") for place in places)


def _stopped(context: Context) -> Stopped | None:
    """Compare two whole answers; return why that did not come to its end: what was found before stands."""
    try:
        _answers(context)
    except Stopped as stopped:
        context.note(f"a cap was reached: {stopped.reason}")
        return stopped
    except RecursionError:
        return Stopped("depth")
    return None


def _answers(context: Context) -> None:
    """Compare two whole answers."""
    if headers.status_differences(context):
        headers.differences(context)
        _bodies(context)


def _bodies(context: Context) -> None:
    legacy, modern, policy = context.legacy, context.modern, context.policy
    if legacy.method.upper() == "HEAD":
        headers.media_types(context, None)
        return
    if legacy.status in _BODILESS or modern.status in _BODILESS:
        _bodiless(context)
        return
    if not (legacy.body or modern.body):
        return
    if _is_same_body(legacy, modern) and not (context.has("charset") and charsets.are_read_otherwise(legacy, modern)):
        headers.media_types(context, _readable(legacy))
        return
    if (ignored := policy.spot("@body").ignored) is not None:
        # What a body says is ignored, not what it is.
        headers.media_types(context, _readable(legacy))
        context.forgive(f"ignore:{ignored}")
    elif headers.is_redirect(context) and _is_note(legacy) and _is_note(modern):
        # What a redirect says besides its Location is for people whose browser does not follow it.
        context.forgive("redirects")
    elif (found := body_kind.bodies(context)) is not None:
        _decoded(found[0], found[1], context)


def _bodiless(context: Context) -> None:
    """Report what one side sends where the other's status has no body; a setting about statuses forgives no loss of it.

    A 304 loses nothing: it stands for the body that the client has.
    """
    legacy, modern = context.legacy, context.modern
    if legacy.status == modern.status or _NOT_MODIFIED in {legacy.status, modern.status}:
        return
    if (found := body_kind.bodies(context)) is not None and any(found):
        if (ignored := context.policy.spot("@body").ignored) is not None:
            context.forgive(f"ignore:{ignored}")
        else:
            _decoded(found[0], found[1], context)


def _decoded(legacy: bytes, modern: bytes, context: Context) -> None:
    """Compare two bodies without codings, by what they are."""
    if not (legacy and modern):
        if not (legacy or modern):
            return
        if error_bodies.excused(context):
            error_bodies.excuse(legacy, modern, context)
        elif not legacy and context.policy.spot("@body").allowed:
            context.forgive("allow_extra")
        else:
            _one_empty(legacy, modern, context)
        return
    body_cost.refuse_costly(legacy, modern, context)
    kind = body_kind.choose(legacy, modern, context)
    if kind != "bytes":
        body_cost.refuse_long(legacy, modern, context)
    headers.media_types(context, legacy if kind == "json" else b"")
    if (kind != "json" and error_bodies.excused(context)) or (kind == "html" and error_bodies.are_pages(context)):
        error_bodies.excuse(legacy, modern, context)
        return
    _DIFFERENCES[kind](legacy, modern, context)


def _one_empty(legacy: bytes, modern: bytes, context: Context) -> None:
    """Report that only one side has a body: empty is no JSON (PHP sends it where it cannot encode), else a loss."""
    left, right = (each[:_PREVIEW].decode("utf-8", "replace") for each in (legacy, modern))
    kind: Kind = "extra" if modern else "missing"
    if body_kind.choose(legacy, modern, context) == "json":
        kind = "parse"
    context.differ("@body", kind, left, right)


def _readable(capture: Capture) -> bytes | None:
    """Return a body that can be looked into as it is; None where it is coded."""
    return capture.body if capture.header("content-encoding") is None else None


def _is_same_body(legacy: Capture, modern: Capture) -> bool:
    return legacy.body == modern.body and legacy.header("content-encoding") == modern.header("content-encoding")


def _is_note(capture: Capture) -> bool:
    return not capture.body or (capture.header("content-type") or "").lower().startswith("text/html")


def _observed(
    legacy: Capture, secondary: Sequence[Capture], policy: Policy
) -> tuple[tuple[Observation, ...], self_noise.Own | None, tuple[Any, Any] | None]:
    """Return where legacy's answers differ from each other, whichever is taken first, with their texts there.

    Where that is in more places than are kept, both JSON documents as well.

    What the policy forgives is no difference: a value that legacy spells now one way and now the other must not
    make every value in that place pass. An answer that cannot be compared teaches nothing.
    """
    if not secondary or policy.noise == "none":
        return (), None, None
    found = _held_against(legacy, secondary, policy, {})
    shuffled = found[1].shuffled
    if sure := {group: moves for group, moves in shuffled.items() if moves.is_sure}:
        # what stands in such rows has been taken for what stands at their places
        found = _held_against(legacy, secondary, policy, sure)
        found[1].shuffled = shuffled
    return found


def _held_against(
    legacy: Capture, secondary: Sequence[Capture], policy: Policy, sure: Mapping[RowGroup, Moves]
) -> tuple[tuple[Observation, ...], self_noise.Own, tuple[Any, Any] | None]:
    """Hold legacy's answer against its further ones, with these rows in its order."""
    documents: tuple[Any, Any] | None = None
    found: list[Observation] = []
    own = self_noise.Own(cache(lambda: _took_differently(legacy, secondary, policy)))
    for again in secondary:
        try:
            tokens = _tokens(legacy, again, policy)
            # What is made anew is masked, so that what else varies beside it is seen as well.
            held = masking(policy, tokens)
            first, second = (
                Context(held, *pair, alike=True, most=MOST_LOOKED_AT) for pair in _both_ways(legacy, again)
            )
            first.seen, second.seen = self_noise.Own(sure=sure), self_noise.Own(sure=sure)
            _answers(first)
            _answers(second)
        except Stopped:
            continue
        named = partial(_row_of, context=first)
        there = {named(each.path) for each in second.findings}
        first.seen.keep(set(map(named, second.seen.paths())), named)
        found += tokens
        found += noise_samples.observed([each for each in first.findings if named(each.path) in there], first.seen)
        own.join(first.seen)
        if first.is_full or second.is_full:
            documents = first.documents
    return tuple(found), own, documents


def _row_of(path: str, context: Context) -> str:
    """Return a path, for all rows the same one where their numbers are those of one answer."""
    return path_pattern(path) if context.is_unordered(path) else path


def _tokens(legacy: Capture, again: Capture, policy: Policy) -> tuple[Observation, ...]:
    """Return the tokens of a page in which legacy's answers differ, where its kind of page is compared as text."""
    context = Context(policy, legacy, again, alike=True)
    if policy.has_pages or legacy.status != again.status or (found := body_kind.bodies(context)) is None:
        return ()
    if not all(found) or body_kind.choose(*found, context) not in _PAGES:
        return ()
    return self_noise.observed(*as_texts(*found))


def _took_differently(legacy: Capture, secondary: Sequence[Capture], policy: Policy) -> bool:
    """Whether legacy's answers say that they took differently long, `ignore` and `ignore_text` aside."""
    for again in secondary:
        found = body_kind.bodies(Context(policy, legacy, again, alike=True))
        if found is not None and timings.differ(*as_texts(*found)):
            return True
    return False


def _both_ways(one: Capture, other: Capture) -> tuple[tuple[Capture, Capture], tuple[Capture, Capture]]:
    return (one, other), (other, one)


def _failed(rule: str, message: str) -> Comparison:
    """Return the outcome of a failure: a finding of its own, and nothing said about either side."""
    reason: Reason = "error"
    return Comparison("not_compared", (Finding("@body", "error", "", "", rule),), reason=reason, notes=(message,))
