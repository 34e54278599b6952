"""Finds what needs a person now, most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.views import RouteView, StatusView
from dashboards.words import count, share

URGENT, SOON = "urgent", "soon"
_LITTLE_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing to look at; `href` is where."""

    level: str
    what: str
    why: str
    href: str


def attention(view: StatusView, groups: Iterable[Mapping[str, Any]] = ()) -> tuple[Attention, ...]:
    """Return everything that waits for a person; `groups` are open groups of differences."""
    found = [*_process(view), *(each for route in view.routes for each in _route(route)), *_differences(groups)]
    return tuple(sorted(found, key=lambda each: each.level != URGENT))


def _process(view: StatusView) -> Iterator[Attention]:
    if view.error:
        yield Attention(URGENT, "The file on disk is refused", view.error, "/instances")
    if not view.ready:
        yield Attention(URGENT, "The proxy is not ready", ", ".join(view.reasons), "/instances")
    if view.legacy_only:
        yield Attention(URGENT, "Everything goes to legacy", "STRANGLER_LEGACY_ONLY is set", "/instances")


def _route(route: RouteView) -> Iterator[Attention]:
    href = f"/routes/{route.name}"
    if route.rolled_back is not None:
        why = f"{route.rolled_back.reason} ({route.rolled_back.who})" if route.rolled_back.who else ""
        yield Attention(URGENT, f"{route.name} is rolled back", why or route.rolled_back.reason, href)
        return
    if route.verdict is not None and route.verdict.outcome == "bad":
        yield Attention(URGENT, f"{route.name}: modern breaks its limits", _accused(route), href)
    elif route.verdict is not None and route.verdict.outcome == "cannot_tell" and route.effective > 0:
        yield Attention(SOON, f"{route.name}: the guard cannot tell", _accused(route), href)
    if route.held:
        yield Attention(SOON, f"{route.name} is held", "it stays where it is until a resume", href)
    if route.waits_for is not None and route.waits_for["kind"] == "ask":
        why = route.waits_for.get("detail") or "its step is baked; advance or hold it"
        yield Attention(SOON, f"{route.name} waits for approval", why, href)
    compared = route.equal + route.different
    if compared and route.coverage is not None and route.coverage < _LITTLE_COVERAGE:
        why = f"only {share(route.coverage)} of what could be compared is"
        yield Attention(SOON, f"{route.name} is hardly compared", why, href)


def _accused(route: RouteView) -> str:
    if route.verdict is None:
        return ""
    return next((check.detail for check in route.verdict.checks if check.name == route.verdict.reason), "")


def _differences(groups: Iterable[Mapping[str, Any]]) -> Iterator[Attention]:
    open_ones: dict[str, int] = {}
    for group in groups:
        if not group.get("known"):
            open_ones[group["route"]] = open_ones.get(group["route"], 0) + 1
    for route, number in open_ones.items():
        what = f"{route}: {count(number, 'difference')} nobody has judged"
        yield Attention(SOON, what, "fix modern, or ignore with a reason", f"/differences?route={route}")
