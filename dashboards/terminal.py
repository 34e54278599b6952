"""Status as a table or lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboards.html import NOTHING, count, percent, seconds, share
from dashboards.views import RouteView, StatusView, side_figures, why_down

COLUMNS = (
    "route",
    "stage",
    "weight",
    "legacy/s",
    "errors",
    "P95",
    "modern/s",
    "errors",
    "P95",
    "mismatch",
    "coverage",
)


def headline(view: StatusView) -> str:
    """Return the sentence above the table."""
    state = "ready" if view.ready else f"not ready: {', '.join(view.reasons)}"
    said = f"{state} · {view.accepting} of {view.workers} workers accept · configuration {view.digest}"
    return f"{said} · the file on disk is refused" if view.error else said


def rows(view: StatusView) -> tuple[tuple[str, ...], ...]:
    """Return one row of cells for each route, in the order of COLUMNS."""
    return tuple(_row(route) for route in view.routes)


def _row(route: RouteView) -> tuple[str, ...]:
    return (
        route.name,
        route.stage,
        _weight(route),
        *side_figures(route.legacy, route.legacy_copies),
        *side_figures(route.modern, route.modern_copies),
        share(route.mismatch_rate),
        route.told_coverage,
    )


def _weight(route: RouteView) -> str:
    if route.intended == route.effective:
        return percent(route.effective)
    return f"{percent(route.effective)} (file: {percent(route.intended)})"


# Lays the status out as lines for a terminal of a given width.
#
# Wide enough, every route is a row under its column; otherwise a few short lines. Below it stands what speaks for
# giving it more users: how much was compared, how many answers may differ at most, what is open, what was never
# compared.


_KINDS_TOLD = 4
_GAP = "  "
_NO_BREAK = "\N{NO-BREAK SPACE}"
_WORDS = 2
"""Columns of words; the others are figures, which stand to the right."""
_LEGACY, _MODERN, _COMPARED = slice(3, 6), slice(6, 9), slice(9, 11)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `stage` is that of the route it is about (empty: a heading), `quiet` says that it explains another."""

    text: str
    stage: str = ""
    quiet: bool = False


def lines(view: StatusView, width: int) -> tuple[Line, ...]:
    """Return what to print about the routes in `width` columns."""
    cells = rows(view)
    wide = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    if sum(wide) + len(_GAP) * (len(wide) - 1) <= width:
        head = [Line(_aligned(COLUMNS, wide))]
        body = [Line(_aligned(row, wide), route.stage) for row, route in zip(cells, view.routes, strict=True)]
    else:
        first = [max(len(row[place]) for row in cells) if cells else 0 for place in range(_WORDS)]
        head = []
        body = [
            Line(_aligned(row[: _WORDS + 1], first), route.stage) for row, route in zip(cells, view.routes, strict=True)
        ]
    told: list[Line] = [*head]
    for line, row, route in zip(body, cells, view.routes, strict=True):
        told.append(line)
        if not head:
            told += _below(_sides(row), width)
        for text in readiness(route):
            told += _below(text, width)
    return tuple(told)


def backends(view: StatusView, width: int) -> tuple[Line, ...]:
    """Return a line for each backend, below it one for each target that is not used now."""
    told: list[Line] = []
    for backend in view.backends:
        used = sum(target.up is True for target in backend.targets)
        flight, errors = (sum(getattr(each, name) for each in backend.targets) for name in ("in_flight", "errors"))
        of = count(len(backend.targets), "target")
        said = f"{backend.name}: {used} of {of} up, {flight:,} in flight, {count(errors, 'error')}"
        told += _below(said, width)
        for target in backend.targets:
            if target.up is False:
                why = "; ".join(filter(None, (why_down(target), target.last_error)))
                told += [replace(line, quiet=False) for line in _below(f"  {target.url} is down: {why}", width)]
    return tuple(told)


def readiness(route: RouteView) -> Iterator[str]:
    """Yield what is known before a route gets more users, then what is not; nothing where nothing is mirrored."""
    known = route.readiness
    if not known:
        return
    state = "ready" if known.get("ready") else "not ready"
    told = (*_evidence(known), count(known.get("open_groups", 0), "open difference"))
    yield f"{state}: {', '.join(map(_unbroken, told))}"
    kinds: Sequence[str] = known.get("never_compared") or ()
    if kinds:
        left = len(kinds) - _KINDS_TOLD
        more = [f"{left} more"] if left > 0 else []
        yield f"never compared: {', '.join(map(_unbroken, (*kinds[:_KINDS_TOLD], *more)))}"


def details(route: RouteView, width: int) -> tuple[Line, ...]:
    """Return what is known of one route beyond its row: why it is where it is, what it waits for, each check."""
    return tuple(line for text in _told_of(route) for line in _below(text, width))


def _told_of(route: RouteView) -> Iterator[str]:
    asked = " ".join((*route.methods, route.path)).strip()
    if asked:
        yield f"answers {asked}"
    back = route.rolled_back
    if back is not None:
        who = f" by {back.who}" if back.who else ""
        yield f"rolled back {back.at}{who}: {back.text or back.reason}"
    if route.held:
        yield "held: it stays where it is until a resume"
    if route.step and route.step.get("number"):
        yield f"step {route.step['number']} of {route.step['of']}"
    if route.waits_for:
        yield f"waits for: {route.waits_for.get('detail') or route.waits_for.get('reason')}"
    if route.thinned:
        copies = count(route.thinned, "copy was", "copies were")
        yield f"{copies} not sent: a side failed ten in a row, it gets one a second until it is well"
    for side, copies_of, live in (
        ("legacy", route.legacy_copies, route.legacy),
        ("modern", route.modern_copies, route.modern),
    ):
        if copies_of is not None and copies_of.requests:
            beside = f", live {seconds(live.p95)}" if live.requests else ""
            yield f"{side}'s copies: {share(copies_of.error_rate)} failed, P95 {seconds(copies_of.p95)}{beside}"
    if route.verdict is not None:
        yield f"guard: {route.verdict.outcome}{f' ({route.verdict.reason})' if route.verdict.reason else ''}"
        yield from (
            f"  {check.name}: {check.outcome}, {check.detail}" for check in route.verdict.checks if check.detail
        )


def _evidence(known: Mapping[str, Any]) -> Iterator[str]:
    compared = known.get("compared", 0)
    if not compared:
        yield "nothing compared yet"
        return
    yield f"{compared:,} compared ({share(known.get('coverage'))} of what could be)"
    yield f"at most {share(known.get('upper_bound'))} differ"


def _sides(row: Sequence[str]) -> str:
    """Return the figures of a row as a sentence."""
    told = [_side_line("legacy", row[_LEGACY]), _side_line("modern", row[_MODERN])]
    mismatch, coverage = row[_COMPARED]
    if (mismatch, coverage) != (NOTHING, NOTHING):
        told.append(f"mismatch {mismatch}, coverage {coverage}")
    return f"{_NO_BREAK}· ".join(map(_unbroken, told))


def _side_line(name: str, figures: Sequence[str]) -> str:
    rate, errors, p95 = figures
    return f"{name} quiet" if rate == NOTHING else f"{name} {rate}/s, {errors} errors, P95 {p95}"


def _below(text: str, width: int) -> list[Line]:
    folded = textwrap.wrap(text, max(20, width), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [Line(each.replace(_NO_BREAK, " "), quiet=True) for each in folded]


def _unbroken(text: str) -> str:
    """Return words that stay in one line while it fits."""
    return text.replace(" ", _NO_BREAK)


def _aligned(cells: Sequence[str], wide: Sequence[int]) -> str:
    placed = (
        cell.ljust(width) if place < _WORDS else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, wide, strict=False))
    )
    return _GAP.join((*placed, *cells[len(wide) :])).rstrip()
