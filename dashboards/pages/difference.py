"""A difference: both bodies side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, TypeAlias

from dashboards.html import Html, count, el, join
from dashboards.pages.layout import Visitor, entry, evidence, facts, form, moment, page

# Lays two bodies beside each other, line by line, the differing places marked.
#
# JSON is laid out by its structure: what has one pointer stands on one line on both sides. Anything else is laid out
# by its lines. Long stretches that are alike are left out but for a few lines around each difference.


SAME, ALIKE, OTHER, MARKED, GAP = "same", "alike", "other", "marked", "gap"
"""ALIKE: another spelling of what seems to be one value, as 35.0 for "35.00"; whether it is, the comparison says."""
AROUND = 3
MOST_LINES = 2000
"""Of either side; a comparison of lines takes their product."""
_MOST_ROWS = 600
_DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]")
_PUNCTUATION = re.compile(r"[TZ :]|\.0+(?=Z|$)")
_DEEPEST = 60
_READ = 256
"""Levels of a body that is laid out by its structure at all; the comparison reads no more either."""
_WORTH_A_GAP = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of each side; None where a side has none. A gap's `left` says how many lines it stands for."""

    kind: str
    left: str | None
    right: str | None


class _Missing:
    """What one side does not have."""


_MISSING = _Missing()
Line: TypeAlias = "tuple[int, str]"


class _Number(str):
    """A number as it was spelled: 10.50 stays 10.50."""

    __slots__ = ()


def rows(legacy: str, modern: str, marked: Iterable[str] = ()) -> tuple[Row, ...]:
    """Return the rows; `marked` are the pointers (RFC 6901) of what was found to differ."""
    left, right = _parsed(legacy), _parsed(modern)
    if isinstance(left, _Missing) or isinstance(right, _Missing):
        laid = _by_lines(legacy.splitlines()[:MOST_LINES], modern.splitlines()[:MOST_LINES])
    else:
        laid = _by_structure(left, right, frozenset(marked), "", "", 0)
    return tuple(_shortened(list(laid)))[:_MOST_ROWS]


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return _MISSING
    return _MISSING if _is_deeper(value, _READ) else value


def _is_deeper(value: Any, most: int) -> bool:
    """Whether containers stand more than `most` deep, counted level by level.

    How deep the interpreter itself goes changes with its version, and is not the same for reading and for writing.
    """
    level = [value]
    for _ in range(most + 1):
        level = [each for outer in level if isinstance(outer, dict | list) for each in _members(outer)]
    return any(isinstance(each, dict | list) for each in level)


def _members(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _by_structure(left: Any, right: Any, marked: frozenset[str], pointer: str, label: str, depth: int) -> Iterator[Row]:
    both_maps = isinstance(left, dict) and isinstance(right, dict)
    both_lists = isinstance(left, list) and isinstance(right, list)
    if pointer in marked or depth >= _DEEPEST or not (both_maps or both_lists):
        yield from _pair(left, right, pointer in marked, label, depth)
        return
    opening, closing = "{}" if both_maps else "[]"
    yield _row(SAME, f"{label}{opening}", f"{label}{opening}", depth)
    for key in _keys(left, right):
        name = f"{json.dumps(key, ensure_ascii=False)}: " if both_maps else ""
        inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield from _by_structure(_at(left, key), _at(right, key), marked, inner, name, depth + 1)
    yield _row(SAME, closing, closing, depth)


def _keys(left: Any, right: Any) -> list[Any]:
    if isinstance(left, list):
        return list(range(max(len(left), len(right))))
    return [*left, *(key for key in right if key not in left)]


def _at(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        return value[key] if key < len(value) else _MISSING
    return value.get(key, _MISSING)


def _pair(left: Any, right: Any, is_marked: bool, label: str, depth: int) -> Iterator[Row]:  # noqa: FBT001 - inner step
    is_same = type(left) is type(right) and left == right
    kind = MARKED if is_marked else SAME if is_same else ALIKE if _is_alike(left, right) else OTHER
    lefts, rights = _lines(left, label), _lines(right, label)
    for one, other in zip_longest(lefts, rights):
        yield _row(kind, one, other, depth)


def _is_alike(left: Any, right: Any) -> bool:
    """Whether two texts or numbers are one number, or one moment but for its punctuation."""
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return _DATED.match(left) is not None and _PUNCTUATION.sub("", left) == _PUNCTUATION.sub("", right)


def _lines(value: Any, label: str) -> list[str]:
    if isinstance(value, _Missing):
        return []
    if isinstance(value, _Number):
        return [f"{label}{value}"]
    text = json.dumps(_spelled(value), ensure_ascii=False, indent=2)
    first, *more = text.split("\n")
    return [f"{label}{first}", *more]


def _spelled(value: Any) -> Any:
    """Numbers inside a value that one side alone has are shown as numbers where Python spells them alike."""
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    if isinstance(value, _Number):
        number = json.loads(value)
        return number if json.dumps(number) == value else str(value)
    return value


def _row(kind: str, left: str | None, right: str | None, depth: int) -> Row:
    indent = "  " * depth
    return Row(kind, None if left is None else indent + left, None if right is None else indent + right)


def _by_lines(left: list[str], right: list[str]) -> Iterator[Row]:
    for operation, a, b, c, d in SequenceMatcher(None, left, right, autojunk=True).get_opcodes():
        kind = SAME if operation == "equal" else MARKED
        for one, other in zip_longest(left[a:b], right[c:d]):
            yield Row(kind, one, other)


def _shortened(laid: list[Row]) -> Iterator[Row]:
    telling = [index for index, row in enumerate(laid) if row.kind in (OTHER, MARKED)]
    near = {near for index in telling for near in range(index - AROUND, index + AROUND + 1)}
    skipped: list[Row] = []
    for index, row in enumerate(laid):
        if telling and index not in near:
            skipped.append(row)
            continue
        yield from _left_out(skipped)
        skipped = []
        yield row
    yield from _left_out(skipped)


def _left_out(skipped: list[Row]) -> list[Row]:
    """One line takes no more room than the word that it is left out."""
    return skipped if len(skipped) < _WORTH_A_GAP else [Row(GAP, f"{len(skipped)} lines that are alike", None)]


_Answer = Mapping[str, Any]
_FORMS = {"curl": "curl", "http": "an .http file", "pytest": "a test for pytest"}
_NO_ANSWER: _Answer = {"status": "no answer"}


def difference(group: Mapping[str, Any], visitor: Visitor, state: Html) -> Html:
    """Return the page."""
    examples = group.get("examples") or ()
    return page(
        f"Difference at {group['path']}",
        "/differences",
        visitor,
        el("h1", "Difference at ", el("code", group["path"])),
        facts(_facts(group)),
        _acts(group, visitor),
        el("h2", count(len(examples), "example")),
        [_example(example, number) for number, example in enumerate(examples[:1], 1)],
        [_folded(example, number) for number, example in enumerate(examples[1:], 2)],
        state=state,
    )


def _facts(group: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "Route", el("a", group["route"], href=f"/routes/{group['route']}")
    yield "What", group["kind"]
    here = group.get("here", group["count"])
    yield "Seen", count(group["count"], "time")
    if here < group["count"]:
        yield "Of these here", f"{here}; examples of the others are on the instances that met them"
    yield "First", moment(group["first_seen"])
    yield "Last", moment(group["last_seen"])
    if group.get("known"):
        yield "Known", evidence(group["known"])
    if group.get("transient"):
        yield "Asked again", "equal: no mismatch"
    if group.get("rejudged"):
        yield "Under the current file", group["rejudged"]


def _acts(group: Mapping[str, Any], visitor: Visitor) -> Html | None:
    if not visitor.may_change:
        return None
    if group.get("known"):
        again = el("small", "It is a mismatch again.")
        place = f"/differences/{group['id']}/unignore"
        return el("section", form(place, visitor, el("button", "Count it again"), again, class_="verb"), class_="verbs")
    ignore = form(
        f"/differences/{group['id']}/ignore",
        visitor,
        entry(visitor, "ignore", "Reason", "reason", required=True, maxlength="2000", autocomplete="off"),
        entry(visitor, "ignore", "Owner", "owner", autocomplete="off"),
        entry(visitor, "ignore", "Until", "until", type="date"),
        entry(visitor, "ignore", "Most of the pairs", "max_rate", placeholder="5%", autocomplete="off"),
        el("button", "Ignore"),
        el(
            "small",
            "Then it is known: still counted, but no mismatch until that day, at that rate.",
        ),
        class_="verb",
    )
    rejudge = form(
        "/differences/rejudge",
        visitor,
        el("input", type="hidden", name="route", value=group["route"]),
        el("button", "Judge again"),
        el("small", "All stored pairs of this route under the file as it is now."),
        class_="verb",
    )
    return el("section", ignore, rejudge, class_="verbs", aria_label="Act")


def _example(example: Mapping[str, Any], number: int) -> Html:
    kept = example.get("answers")
    path = example.get("path") or ""
    heading = el("h3", f"{number}. ", el("code", example.get("request") or ""), " ", moment(example["at"]))
    told = el("p", el("code", path), ": legacy ", _literal(example, "legacy"), ", modern ", _literal(example, "modern"))
    notes = [el("li", note) for note in example.get("notes") or ()]
    explained = example.get("explanation")
    return el(
        "article",
        heading,
        told,
        el("ul", notes) if notes else None,
        answers(kept, path) if kept else el("p", "The answers are not kept.", class_="quiet"),
        el("details", el("summary", "In detail"), evidence(explained)) if explained else None,
        _again(example.get("again") or {}),
        class_="example",
    )


def _again(texts: Mapping[str, str]) -> Html | None:
    """How to ask both sides again; one click marks the whole of a block."""
    if not texts:
        return None
    blocks = [
        el("details", el("summary", _FORMS.get(form, form)), el("pre", text, class_="whole", tabindex="0"))
        for form, text in texts.items()
    ]
    return el("details", el("summary", "Ask both sides again"), blocks)


def _folded(example: Mapping[str, Any], number: int) -> Html:
    """Further examples show the same difference: they can be opened."""
    summary = el("summary", f"{number}. ", el("code", example.get("request") or ""), " ", moment(example["at"]))
    return el("details", summary, _example(example, number))


def _literal(example: Mapping[str, Any], side: str) -> Html:
    value = example.get(side)
    return el("code", "nothing" if value in (None, "") else str(value), class_=f"literal {side}")


def answers(found: Mapping[str, Mapping[str, Any]], path: str) -> Html:
    """Return both sides' answers beside each other, what differs at `path` marked."""
    legacy, modern = (found.get(side) or _NO_ANSWER for side in ("legacy", "modern"))
    head = el("tr", el("th", "legacy", scope="col"), el("th", "modern", scope="col"))
    lines = [_line("same" if a == b else "other", a, b) for a, b in _heads(legacy, modern)]
    beside = rows(legacy.get("body") or "", modern.get("body") or "", (path,))
    lines += [_gap(row.left or "") if row.kind == GAP else _line(row.kind, row.left, row.right) for row in beside]
    table = el("table", el("caption", "Both answers"), el("thead", head), el("tbody", lines), class_="beside")
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Both answers")


def _heads(legacy: _Answer, modern: _Answer) -> Iterator[tuple[str | None, str | None]]:
    """Yield the heads' lines: the status, then every field that one of them has."""
    yield f"HTTP {legacy['status']}", f"HTTP {modern['status']}"
    mine, other = _fields(legacy.get("headers") or ()), _fields(modern.get("headers") or ())
    for name in sorted({*mine, *other}):
        yield mine.get(name), other.get(name)


def _fields(headers: Sequence[Sequence[str]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return {name: f"{name}: {', '.join(each)}" for name, each in values.items()}


def _line(kind: str, left: str | None, right: str | None) -> Html:
    """Not all people see colours apart: a mark before the text means the same."""
    mark = {"marked": "≠ ", "other": "~ ", "alike": "≈ "}.get(kind, "  ")
    cells = (_cell("" if left is None else mark + left), _cell("" if right is None else mark + right))
    return el("tr", cells, class_=kind)


def _cell(text: str) -> Html:
    return el("td", el("pre", text))


def _gap(text: str) -> Html:
    return el("tr", el("td", join("… ", text), colspan=2), class_="gap")
