"""Draws one group of differences: its examples, both answers beside each other, what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashboards.beside import GAP, rows
from dashboards.html import Html, el, join
from dashboards.pages.frame import Visitor, field, form, page
from dashboards.pages.parts import evidence, facts, moment
from dashboards.words import count

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
        field("Reason", "reason", required=True, maxlength="2000", autocomplete="off"),
        field("Owner", "owner", autocomplete="off"),
        field("Until", "until", type="date"),
        el("button", "Ignore"),
        el("small", "It is known then: still counted, no mismatch any more until that day."),
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
    answers = example.get("answers")
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
        _answers(answers, path) if answers else el("p", "The answers are not kept.", class_="quiet"),
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


def _answers(answers: Mapping[str, _Answer], path: str) -> Html:
    legacy, modern = (answers.get(side) or _NO_ANSWER for side in ("legacy", "modern"))
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
    """Colour alone would tell some people nothing: a mark before the text says it too."""
    mark = {"marked": "≠ ", "other": "~ ", "alike": "≈ "}.get(kind, "  ")
    cells = (_cell("" if left is None else mark + left), _cell("" if right is None else mark + right))
    return el("tr", cells, class_=kind)


def _cell(text: str) -> Html:
    return el("td", el("pre", text))


def _gap(text: str) -> Html:
    return el("tr", el("td", join("… ", text), colspan=2), class_="gap")
