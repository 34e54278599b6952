"""One card for a rollback: why, where, who is on which side now, the lines of the file, the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards import words
from dashboards.html import Html, count, el, join, percent
from dashboards.pages.difference import answers
from dashboards.pages.layout import evidence, moment
from dashboards.views import RolledBackView, RouteView

Lines = Sequence[tuple[int, str]]
"""Lines of the file with their numbers."""


def card(route: RouteView, back: RolledBackView, group: Mapping[str, Any] | None, place: str, lines: Lines) -> Html:
    """Return the card; `group` is the difference that was seen most, with its examples."""
    shown = group if back.reason in _BY_COMPARING else None
    by = f" by {back.who}" if back.who else ""
    return el(
        "div",
        el("p", el("b", f"Rolled back{by}: {headline(back, shown)}"), " · ", moment(back.at)),
        el("p", f"“{back.text}”") if back.text else None,
        el("p", _who_is_where(route), " ", el("a", "Resume", href="#verbs"), "."),
        _seen(back.evidence),
        _bodies(shown) if shown else None,
        _file(place, lines),
        class_="trouble",
    )


_BY_COMPARING = ("mismatch", "invariant", "manual")
"""A rollback by hand mostly follows a difference too."""


def headline(back: RolledBackView, group: Mapping[str, Any] | None) -> str:
    """Return the cause with its figures: 7 of 124 differ at /tax, limit 1 %."""
    check = _accused(back)
    if check is None:
        return words.cause(back.reason)
    detail = str(check.get("detail") or "").partition(", a rate of")[0] or words.cause(back.reason)
    at = f" at {group['path']}" if group and back.reason == "mismatch" else ""
    limit = check.get("limit")
    allowed = f", limit {words.check_figure(back.reason, limit)}" if limit and back.reason not in _COUNTED else ""
    return f"{detail}{at}{allowed}"


_COUNTED = ("consecutive", "invariant")


def _accused(back: RolledBackView) -> Mapping[str, Any] | None:
    if not words.is_verdict(back.evidence):
        return None
    checks = [check for check in back.evidence["checks"] if isinstance(check, Mapping)]
    return next((check for check in checks if check.get("name") == back.reason), None)


def _who_is_where(route: RouteView) -> str:
    if route.effective > 0:
        return f"Still {percent(route.effective)} reach modern: not every worker has confirmed yet."
    return "Every request goes to legacy now, but for those that force a side."


def _seen(found: Any) -> Html | None:
    if not found:
        return None
    if words.is_verdict(found):
        return evidence(found)
    return el("details", el("summary", "What was seen"), evidence(found))


def _bodies(group: Mapping[str, Any]) -> Html:
    """Both answers at the place that differs most often, as its own page shows them."""
    link = el("a", "at ", el("code", group["path"] or "(root)"), href=f"/differences/{group['id']}")
    title = el("h3", "What differs ", link, f", seen {count(group['count'], 'time')}")
    example = next(iter(group.get("examples") or ()), None)
    if example is None or not example.get("answers"):
        return title
    return join(title, answers(example["answers"], example.get("path") or ""))


def _file(place: str, lines: Lines) -> Html | None:
    if not lines:
        return None
    width = len(str(lines[-1][0]))
    text = "\n".join(f"{number:>{width}}  {line}" for number, line in lines)
    return el("details", el("summary", f"The file's section: {place}"), el("pre", text, tabindex="0"))
