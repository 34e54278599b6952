"""The first page: every route, and the migration as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import report as written
from dashboards.html import Html, count, el, join, number, share
from dashboards.pages.layout import STAGE_NAMES, Blocks, Visitor, badge, block, following, page, state, table, weight
from dashboards.pages.route import verbs_for_all
from dashboards.views import ActionItem, RouteView, StatusView, side_figures

_COLUMNS = ("Route", "Stage", "Weight", "#Legacy/s", "#Errors", "#P95", "#Modern/s", "#Errors", "#P95", "#Mismatch",
            "#Coverage")  # fmt: skip
SORTS = {"name": "name", "traffic": "traffic", "attention": "needs attention"}
_URGENCY = ("rolled_back", "held", "canary", "shadow", "modern", "legacy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which routes are asked for, in which order."""

    text: str = ""
    stage: str = ""
    sort: str = "attention"


def blocks(view: StatusView, needs: Sequence[ActionItem], wanted: Wanted) -> Blocks:
    """Return all that changes while the page is open: one block a route, plus the summary."""
    rows = {f"route-{route.name}": _row(route) for route in _chosen(view.routes, wanted)}
    return {"state": state(view), "summary": _summary(view), "needs": _needs(needs), **rows}


def overview(view: StatusView, needs: Sequence[ActionItem], wanted: Wanted, visitor: Visitor, live: str) -> Html:
    """Return the page."""
    parts = blocks(view, needs, wanted)
    rows = [block(name, parts, "tr") for name in parts if name.startswith("route-")]
    nothing = el("p", "No route matches this filter.", id="none", hidden=bool(rows))
    return page(
        "Overview",
        "/",
        visitor,
        el("h1", "Overview"),
        block("summary", parts, class_="tiles"),
        el("section", el("h2", "What needs a person now"), block("needs", parts), aria_live="polite"),
        el("section", el("h2", "Routes"), _filter(wanted), table("Routes", _COLUMNS, rows, id="rows"), nothing),
        verbs_for_all(visitor),
        live=following(live, parts),
        state=parts["state"],
    )


def migrated(routes: Sequence[RouteView]) -> float | None:
    """Return the share of all requests lately that modern answered, None without any."""
    modern = sum(route.modern.requests for route in routes)
    everything = modern + sum(route.legacy.requests for route in routes)
    return modern / everything if everything else None


def _summary(view: StatusView) -> Html:
    stages = Counter(route.stage for route in view.routes)
    links = [
        el("li", el("a", badge(stage), f" {stages[stage]}", href=f"/?stage={stage}"))
        for stage in STAGE_NAMES
        if stages[stage]
    ]
    rate = sum(route.legacy.rate + route.modern.rate for route in view.routes)
    equal, different = (sum(getattr(route, name) for route in view.routes) for name in ("equal", "different"))
    return join(
        _tile("Answered by modern", share(migrated(view.routes)), "of the requests of the last minute"),
        _tile("Traffic", f"{number(rate)}/s", "both sides, every route"),
        _tile("Compared lately", number(equal + different), f"{count(different, 'difference')}"),
        el("div", el("h2", "Stages"), el("ul", links, class_="stages"), class_="tile"),
    )


def _tile(title: str, value: str, about: str) -> Html:
    return el("div", el("h2", title), el("p", value, class_="big"), el("p", about, class_="quiet"), class_="tile")


def _needs(needs: Sequence[ActionItem]) -> Html:
    if not needs:
        return el("p", "Nothing. All routes behave, no approval is waited for.", class_="quiet")
    items = [
        el("li", el("a", need.what, href=need.href), f" · {need.why}" if need.why else None, class_=need.level)
        for need in needs[:_MOST_NEEDS]
    ]
    left = len(needs) - _MOST_NEEDS
    return join(el("ul", items, class_="needs"), el("p", f"… with {left} more.") if left > 0 else None)


_MOST_NEEDS = 20


def _filter(wanted: Wanted) -> Html:
    stages = [("", "every stage"), *STAGE_NAMES.items()]
    return el(
        "form",
        el("label", el("span", "Name or path"), el("input", type="search", name="q", value=wanted.text)),
        _select("Stage", "stage", stages, wanted.stage),
        _select("Order", "sort", list(SORTS.items()), wanted.sort),
        el("button", "Show"),
        method="get",
        action="/",
        class_="filter",
        role="search",
    )


def _select(label: str, name: str, choices: Sequence[tuple[str, str]], chosen: str) -> Html:
    options = [el("option", said, value=value, selected=value == chosen) for value, said in choices]
    return el("label", el("span", label), el("select", options, name=name))


def _chosen(routes: Sequence[RouteView], wanted: Wanted) -> list[RouteView]:
    text = wanted.text.lower()
    chosen = [
        route
        for route in routes
        if (not wanted.stage or route.stage == wanted.stage)
        and (text in route.name.lower() or text in route.path.lower())
    ]
    if wanted.sort == "traffic":
        return sorted(chosen, key=lambda route: -(route.legacy.rate + route.modern.rate))
    if wanted.sort == "name":
        return sorted(chosen, key=lambda route: route.name)
    return sorted(chosen, key=lambda route: (_URGENCY.index(route.stage), -route.different, route.name))


def _row(route: RouteView) -> Html:
    link = el("a", route.name, href=f"/routes/{route.name}", title=f"{' '.join(route.methods)} {route.path}".strip())
    figures = (
        *side_figures(route.legacy, route.legacy_copies),
        *side_figures(route.modern, route.modern_copies),
        share(route.mismatch_rate),
        route.told_coverage,
    )
    return join(
        el("th", link, scope="row"),
        el("td", badge(route.stage)),
        el("td", weight(route)),
        [el("td", figure, class_="number") for figure in figures],
    )


# Draws the migration report inside the console.


def migration(report: Mapping[str, Any], visitor: Visitor, state: Html) -> Html:
    """Return the page."""
    table = written.table(report)
    return page(
        "Report",
        "/report",
        visitor,
        el("h1", "Migration report"),
        [el("p", sentence) for sentence in written.summary(report)],
        el("p", _download("Markdown", "md"), " · ", _download("HTML", "html"), " · ", _download("JSON", "json")),
        el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Report"),
        [el("p", line) for line in (*written.retirement_lines(report), *written.resource_lines(report))],
        state=state,
    )


def _download(name: str, form: str) -> Html:
    return el("a", name, href=f"/api/v1/report?format={form}", download=f"migration-report.{form}")
