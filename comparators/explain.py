"""Explains to an operator how two stored bodies differ, in DeepDiff's detail; it never decides whether they do.

DeepDiff treats some unequal values as equal, and stops silently (its `max_diffs`): so it gets exact
decimals, its limits are not used, sizes are bounded beforehand, and a note says what it left out.

What counts is told, what is forgiven is one line. Which is which the comparison says: of JSON by the places of its
findings, of lines by comparing legacy's body with itself but for some of them, as modern has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

from comparators import body_kind
from comparators.comparison import compare
from comparators.context import MORE, Context, Stopped
from comparators.explain_lines import folded, pieces, unified
from comparators.json_parse import deeper
from comparators.jsonp import called
from comparators.literals import cut_apart, first_difference
from comparators.model import Capture, Comparison
from comparators.paths import escaped
from comparators.policy import Policy
from comparators.text_compare import as_texts

_MOST_NODES: Final = 5000
_DEEPEST: Final = 60  # levels; DeepDiff takes several frames for each
_MOST_DETAILS: Final = 100
_MOST_LINES: Final = 2000
_LONGEST_BODY: Final = 512 * 1024
_MOST_COMPARED: Final = 1 << 20
"""Bytes of both bodies, as often as they are compared; a judge has two seconds for an answer."""
_MOST_TRIES: Final = 64
_AROUND: Final = 2
"""Lines that are alike, shown before the first difference and behind the last one."""
_BY_STRUCTURE: Final = frozenset({"", "json", "ndjson", "jsonp", "form"})
_CODING: Final = "content-encoding"
Parsed = Callable[[str], Any]
_CHANGES: Final = {
    "values_changed": "value",
    "type_changes": "type",
    "dictionary_item_added": "extra",
    "iterable_item_added": "extra",
    "dictionary_item_removed": "missing",
    "iterable_item_removed": "missing",
    "iterable_item_moved": "order",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One step from the legacy body to the modern one; `change` is value, type, missing, extra or order.

    `path` is where modern has it, for what is missing where legacy has it; a side without a value shows nothing.
    """

    path: str
    change: str
    legacy: str
    modern: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How two bodies differ: `details` for JSON, else `lines` of a unified diff; `note` says what is left out."""

    details: tuple[Detail, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""


def explain_pair(legacy: Capture, modern: Capture, policy: Policy, secondary: Sequence[Capture] = ()) -> Explanation:
    """Explain two answers under a policy: what counts, and in a line what is forgiven; never raises for what they hold.

    `secondary` are further answers of legacy to the same request.
    """
    found = compare(legacy, modern, policy, secondary=secondary)
    context = Context(policy, legacy, modern)
    try:
        bodies = body_kind.bodies(context)
    except Stopped:
        bodies = None
    if bodies is None or found.verdict == "not_compared":
        return explain(*(bodies or (legacy.body, modern.body)))
    mine, other = (replace(each, headers=_uncoded(each)) for each in (legacy, modern))

    def forgives(body: bytes) -> bool:
        said = compare(replace(mine, body=bodies[0]), replace(other, body=body), policy, secondary=secondary)
        return said.verdict in {"equal", "noise"} or (
            said.verdict == "different" and all(each.path.startswith("@header:") for each in said.findings)
        )

    return explain(*bodies, found, body_kind.choose(*bodies, context), forgives)


def _uncoded(capture: Capture) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in capture.headers if name.lower() != _CODING)


def explain(
    legacy: bytes,
    modern: bytes,
    found: Comparison | None = None,
    kind: str = "",
    forgives: Callable[[bytes], bool] | None = None,
) -> Explanation:
    """Explain two bodies without codings; never raises for what they hold, empty for equal ones.

    With the findings of a comparison (`found`) only those are detailed: excused ones are one line. `kind` is how they
    are compared, `forgives` whether another body of modern's is the same as legacy's, by the same rules.
    """
    if legacy == modern:
        return Explanation()
    if max(len(legacy), len(modern)) > _LONGEST_BODY:
        return Explanation(note=f"only bodies up to {_LONGEST_BODY // 1024} KiB are explained")
    left, right = as_texts(legacy, modern)
    if kind in _BY_STRUCTURE:
        try:
            return _by_structure(left, right, found, kind)
        except (ValueError, ArithmeticError, RecursionError):
            pass
    if forgives is None or found is None:
        return _lines([each.shown for each in pieces(left)], [each.shown for each in pieces(right)])
    return _folded(left, right, (legacy, modern), found, kind, forgives)


def _by_structure(left: str, right: str, found: Comparison | None, kind: str) -> Explanation:
    """Explain by members; ValueError for what is not of the kind."""
    parsed: Parsed = {"ndjson": _rows, "form": _fields}.get(kind, _parsed)
    called_so: tuple[Detail, ...] = ()
    if kind == "jsonp":
        calls = called(left.encode()), called(right.encode())
        if calls[0] is None or calls[1] is None:
            raise ValueError("no call")
        names = [f"callback: {each[0]}" for each in calls if each is not None]
        called_so = (Detail("@body", "value", *names),) if names[0] != names[1] else ()
        left, right = (each[1].decode() for each in calls if each is not None)
    one, two = parsed(left), parsed(right)
    if _nodes(one) + _nodes(two) > _MOST_NODES:
        return _lines(_indented(one), _indented(two))
    return _detailed(one, two, found, called_so)


def _parsed(text: str) -> Any:
    value = json.loads(text.lstrip("\ufeff"), parse_float=Decimal, parse_int=Decimal)
    if deeper(value, text.count("[") + text.count("{"), _DEEPEST):
        raise ValueError("nested too deeply to be explained by its structure")
    return value


def _rows(text: str) -> list[Any]:
    return [_parsed(line) for line in text.lstrip("\ufeff").split("\n") if line.strip()]


def _fields(text: str) -> dict[str, Any]:
    """Return the fields of a form by their names; `+` stays, so that it is seen where a space is `%20` beside it."""
    found: dict[str, list[str]] = {}
    for field in filter(None, text.strip("\r\n").split("&")):
        name, _, value = field.partition("=")
        found.setdefault(unquote(name), []).append(unquote(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _detailed(legacy: Any, modern: Any, compared: Comparison | None, before: tuple[Detail, ...]) -> Explanation:
    from deepdiff import DeepDiff
    from deepdiff.helper import CannotCompare

    def same_row(one: Any, two: Any, _: Any = None) -> bool:
        """Match rows by their id, so that one row more is one change."""
        if isinstance(one, dict) and isinstance(two, dict) and "id" in one and "id" in two:
            return bool(one["id"] == two["id"])
        raise CannotCompare

    try:
        found: Any = DeepDiff(
            legacy, modern, view="tree", verbose_level=2, threshold_to_diff_deeper=0, iterable_compare_func=same_row
        )
        details = [*before, *sorted(_details(found), key=lambda detail: detail.path)]
        limits = [name for name, reached in found.get_stats().items() if name.endswith("REACHED") and reached]
    except Exception as error:  # noqa: BLE001 - it has raised on odd documents; the findings stand without it
        return Explanation(note=f"DeepDiff could not say: {type(error).__name__}")
    details, folded = _counting(details, compared)
    left_out = f"{len(details) - _MOST_DETAILS} more are left out" if len(details) > _MOST_DETAILS else ""
    notes = [each for each in (left_out or ", ".join(limits).lower(), folded) if each]
    return Explanation(tuple(details[:_MOST_DETAILS]), note="; ".join(notes))


def _counting(details: list[Detail], compared: Comparison | None) -> tuple[list[Detail], str]:
    """Return the details that belong to a comparison's findings, and a line about the others."""
    if compared is None or not details or not _is_whole(compared):
        return details, ""
    paths = {each.path for each in compared.findings}
    counting = [each for each in details if _belongs(each.path, paths)]
    others = len(details) - len(counting)
    return counting or details, _forgiven(others, compared, counts=bool(counting))


def _is_whole(compared: Comparison) -> bool:
    """Whether all that counts is among the findings."""
    return not compared.capped and MORE not in compared.notes and compared.verdict != "not_compared"


def _forgiven(places: int, compared: Comparison, *, counts: bool) -> str:
    """Return a line about places that count for nothing, with the rules that forgave."""
    if not places:
        return ""
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(compared.forgiven.items()))
    what = f"{places} more places differ" if counts else f"all {places} places differ"
    if places == 1:
        what = "1 more place differs" if counts else "the one place differs"
    return f"{what} only in what is forgiven" + (f": {rules}" if rules else "")


def _belongs(path: str, paths: set[str]) -> bool:
    """Whether a path is one of these, or inside one, or around one."""
    return any(f"{path}/".startswith(f"{each}/") or each.startswith(f"{path}/") for each in paths)


def _details(found: Any) -> Iterator[Detail]:
    for kind, levels in found.items():
        for level in levels:
            change = _CHANGES.get(kind, kind)
            # String paths are ambiguous for names with both kinds of quotes.
            steps = level.path(output_format="list")
            path = "".join(f"/{step if isinstance(step, int) else escaped(str(step))}" for step in steps)
            left = "" if change == "extra" else _literal(level.t1)
            right = "" if change == "missing" else _literal(level.t2)
            yield Detail(path, change, *cut_apart(path, left, right))


def _literal(value: Any) -> str:
    """Return a value as JSON, its numbers as they were written."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{json.dumps(name)}: {_literal(each)}' for name, each in value.items())}}}"
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _nodes(value: Any) -> int:
    match value:
        case dict():
            return 1 + sum(map(_nodes, value.values()))
        case list():
            return 1 + sum(map(_nodes, value))
        case _:
            return 1


def _indented(value: Any) -> list[str]:
    return json.dumps(value, ensure_ascii=False, default=str, indent=1, sort_keys=True).split("\n")


def _folded(
    left: str,
    right: str,
    bodies: tuple[bytes, bytes],
    found: Comparison,
    kind: str,
    forgives: Callable[[bytes], bool],
) -> Explanation:
    """Explain by lines, those that count; where all are forgiven all of them.

    Of long bodies a stretch is looked at that begins at the first difference.
    """
    ours, theirs = pieces(left), pieces(right)
    begin = max(0, first_difference(ours, theirs) - _AROUND)
    looked, others = ours[begin : begin + _MOST_LINES], theirs[begin : begin + _MOST_LINES]
    if alike := max(0, first_difference(looked[::-1], others[::-1]) - _AROUND):
        # `difflib` passes over lines that are frequent, an end of the same ones among them.
        looked, others = looked[:-alike], others[:-alike]
    before, after = (
        "".join(each.shown + each.end for each in some) for some in (ours[:begin], ours[begin + len(looked) :])
    )
    codec = "utf-8" if bodies == (left.encode(), right.encode()) else "latin-1"
    shown, places, counts = folded(
        looked,
        others,
        lambda text: forgives((before + text + after).encode(codec)),
        kind=kind,
        tries=min(_MOST_TRIES, _MOST_COMPARED // sum(map(len, bodies))),
    )
    is_cut = max(len(ours), len(theirs)) > begin + _MOST_LINES
    told = _lines(shown if counts else [each.shown for each in looked], [each.shown for each in others], begin)
    cut = f"only {_MOST_LINES} lines from line {begin + 1} on are looked at" if is_cut else ""
    notes = [each for each in (cut, told.note, _forgiven(places, found, counts=counts or is_cut)) if each]
    return replace(told, note="; ".join(notes))


def _lines(legacy: Sequence[str], modern: Sequence[str], begin: int = 0) -> Explanation:
    """Return a unified diff; difflib's time grows with the square of the lines, so they are bounded.

    `begin` is how many lines stand before these.
    """
    cut = max(len(legacy), len(modern)) > _MOST_LINES
    lines = tuple(unified(legacy[:_MOST_LINES], modern[:_MOST_LINES], begin))
    notes = [f"only the first {_MOST_LINES} lines are looked at"] if cut else []
    notes += ["more lines are left out"] if len(lines) > _MOST_DETAILS else []
    return Explanation(lines=lines[:_MOST_DETAILS], note=", ".join(notes))
