"""A route's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import retirement, words
from dashboards.charts import Beside, Chart, beside, figure
from dashboards.html import NOTHING, Html, count, el, join, number, percent, seconds, share, span
from dashboards.html import moment as as_seconds
from dashboards.pages import layout, rollback
from dashboards.pages.layout import (
    Blocks,
    Visitor,
    badge,
    block,
    entry,
    evidence,
    facts,
    following,
    form,
    page,
    state,
    table,
    weight,
)
from dashboards.views import CheckView, RouteView, SideView, StatusView

# Names the instances whose traffic a route is judged by where several instances share a store.


def judged_by(found: Mapping[str, Any] | None) -> str | None:
    """Return it in one or two sentences, None where there is one instance alone."""
    if found is None:
        return None
    if not found["heard"]:
        return "Judged by this instance's own traffic alone: the others' figures do not arrive."
    others = ", ".join(found["with"])
    told = f"Judged by this instance's own traffic, and together with that of {others}." if others else None
    left_out = "; ".join(f"{name} ({why})" for name, why in sorted(found["left_out"].items()))
    sentences = (told or "Judged by this instance's own traffic.", left_out and f"Left out: {left_out}.")
    return " ".join(sentence for sentence in sentences if sentence)


# Draws what an operator can do with a route; each action takes a reason.


def verbs(route: RouteView, visitor: Visitor) -> Html:
    """Return the forms, or a word on why there are none."""
    if not visitor.may_change:
        return el("p", "To act, log in with the operator's token.", class_="quiet", id="verbs")
    return el("section", el("h2", "Act", class_="hidden"), list(_forms(route, visitor)), class_="verbs", id="verbs")


def offered(route: RouteView) -> tuple[str, ...]:
    """Return the verbs that do something now."""
    if route.rolled_back is not None:
        return ("resume",)
    lifts, stays = (("resume",), ()) if route.held else ((), ("hold",))
    return ("rollback", *lifts, *stays, *(("advance",) if route.step is not None else ()), "weight")


def verbs_for_all(visitor: Visitor) -> Html | None:
    """Return what can be done to every route at once, folded away; nothing for who may only look."""
    if not visitor.may_change:
        return None
    back, again = (
        "Sends all users of every route to legacy at once.",
        "Lifts what a person rolled back. What the guard rolled back wants a look of its own.",
    )
    return el(
        "details",
        el("summary", "Every route at once"),
        el(
            "section",
            _form_for_all(visitor, "rollback", "Roll everything back", back),
            _form_for_all(visitor, "resume", "Resume what people rolled back", again),
            class_="verbs",
        ),
        class_="every",
        open=visitor.wrong is not None,
    )


def _form_for_all(visitor: Visitor, verb: str, name: str, about: str) -> Html:
    return form(
        f"/every-route/{verb}",
        visitor,
        entry(visitor, f"every-{verb}", "Reason", "reason", required=True, maxlength="2000", autocomplete="off"),
        el("label", el("input", type="checkbox", name="every", value="yes", required=True), " every route"),
        el("button", name, class_="danger" if verb == "rollback" else None),
        el("small", about),
        class_=f"verb {verb}",
    )


def _forms(route: RouteView, visitor: Visitor) -> Iterator[Html]:
    """Yield every form, those hidden that would do nothing now: what is typed stays when the state changes."""
    yield _form(route, visitor, "rollback", "Roll back", "Sends all users to legacy at once.", needs_reason=True)
    yield _form(route, visitor, "resume", "Resume", "Back to the file's weight, or to step 1.", needs_reason=True)
    yield _form(route, visitor, "hold", "Hold", "Stays where it is until a resume.")
    yield _form(route, visitor, "advance", "Advance", "Enters the next step now.")
    share = entry(
        visitor, "weight", "Percent", "weight", f"{route.effective:g}", inputmode="decimal", required=True, size="6"
    )
    yield _form(route, visitor, "weight", "Set weight", "The share of users that modern answers.", share)


def _form(
    route: RouteView, visitor: Visitor, verb: str, name: str, about: str, *more: Html, needs_reason: bool = False
) -> Html:
    reason = entry(visitor, verb, "Reason", "reason", required=needs_reason, maxlength="2000", autocomplete="off")
    button = el("button", name, class_="danger" if verb == "rollback" else None)
    content = (more, reason, button, el("small", about))
    place, is_hidden = f"/routes/{route.name}/{verb}", verb not in offered(route)
    return form(place, visitor, *content, class_=f"verb {verb}", data_verb=verb, hidden=is_hidden)


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a rollout: percent, the seconds it bakes, whether a person approves what follows."""

    weight: float
    seconds: float
    manual: bool = False


@dataclass(frozen=True, slots=True)
class RoutePage:
    """All that the page shows of one route.

    `place` names its line in the file, `lines` are what stands there. `worst` is the difference seen most, with its
    examples; both are asked for where the route is rolled back.
    """

    status: StatusView
    route: RouteView
    charts: tuple[Chart, ...]
    events: Sequence[Mapping[str, Any]] = ()
    groups: Sequence[Mapping[str, Any]] = ()
    place: str = ""
    span: str = "1h"
    worst: Mapping[str, Any] | None = None
    steps: Sequence[StepView] = ()
    lines: rollback.Lines = ()


SPANS = {"15m": 900.0, "1h": 3600.0, "6h": 21600.0, "24h": 86400.0}
"""How far back the charts may reach, in seconds."""


def blocks(shown: RoutePage) -> Blocks:
    """Return all that changes while the page is open."""
    route = shown.route
    return {
        "state": state(shown.status),
        "where": _where(shown),
        "offers": join(" ".join(offered(route))),
        "sides": _sides(route),
        "guard": _guard(route),
        "compare": _compare(route),
        "retirement": retirement.advice(route.retirement),
        "charts": join([figure(chart) for chart in shown.charts]),
        "differences": layout.groups(shown.groups, "Differences of this route"),
        "events": layout.events(shown.events, "Events of this route"),
    }


def page_of(shown: RoutePage, visitor: Visitor, live: str) -> Html:
    """Return the page."""
    route, parts = shown.route, blocks(shown)
    spans = [el("a", name, href=f"?span={name}", aria_current="true" if name == shown.span else None) for name in SPANS]
    what = " ".join((*route.methods, route.path))
    return page(
        route.name,
        "/",
        visitor,
        el("h1", route.name),
        el("p", el("code", what or "everything else"), " ", el("span", shown.place, class_="quiet")),
        block("where", parts),
        block("offers", parts, hidden=True),
        verbs(route, visitor),
        el("section", el("h2", "Side by side"), block("sides", parts)),
        el("section", el("h2", "The guard"), block("guard", parts)),
        el("section", el("h2", "Comparison"), block("compare", parts)),
        el(
            "section",
            el("h2", "History"),
            el("nav", spans, aria_label="Span of the charts", class_="spans"),
            block("charts", parts, class_="charts"),
        ),
        el("section", el("h2", "What legacy still has of it"), block("retirement", parts)),
        el("section", el("h2", "Differences"), block("differences", parts)),
        el("section", el("h2", "Events"), block("events", parts)),
        live=following(live, parts),
        state=parts["state"],
    )


def _where(shown: RoutePage) -> Html:
    route, back = shown.route, shown.route.rolled_back
    now = el("p", badge(route.stage), " ", weight(route), _step(route), class_="now")
    now = join(now, _steps(shown))
    return now if back is None else join(now, rollback.card(route, back, shown.worst, shown.place, shown.lines))


def _step(route: RouteView) -> str | None:
    step = route.step
    if not step:
        return None
    waits = f": {route.waits_for['detail']}" if route.waits_for and route.waits_for.get("detail") else ""
    return f" · step {step.get('number', '?')} of {step.get('of', '?')}{waits}"


def _sides(route: RouteView) -> Html:
    rows = [
        el("tr", el("th", name, scope="row"), [el("td", word(side), class_="number") for side in _both(route)])
        for name, word in _FIGURES
    ]
    return table(f"The last {route.window:g} seconds", ("", "#legacy", "#modern"), rows)


def _both(route: RouteView) -> tuple[SideView, SideView]:
    return route.legacy, route.modern


_FIGURES: tuple[tuple[str, Callable[[SideView], str]], ...] = (
    ("Requests a second", lambda side: number(side.rate)),
    ("Requests", lambda side: f"{side.requests:,}"),
    ("Errors", lambda side: f"{side.errors:,} ({share(side.error_rate)})" if side.requests else NOTHING),
    ("P50", lambda side: seconds(side.p50)),
    ("P95", lambda side: seconds(side.p95)),
    ("P99", lambda side: seconds(side.p99)),
)


def _guard(route: RouteView) -> Html:
    verdict = route.verdict
    if verdict is None:
        return el("p", "Nothing judges this route now.", class_="quiet")
    rows = [
        el(
            "tr",
            el("th", words.check_name(check.name), scope="row", title=check.name),
            el("td", check.outcome.replace("_", " "), class_=f"outcome {check.outcome}"),
            el("td", words.check_figure(check.name, check.value), class_="number"),
            el("td", words.check_figure(check.name, check.limit), class_="number"),
            el("td", check.detail),
        )
        for check in verdict.checks
    ]
    why = f": {words.check_name(verdict.reason)}" if verdict.reason else ""
    said = f"{words.outcome(verdict.outcome)}{why}"
    answer = el("p", "Verdict: ", el("b", said, class_=f"outcome {verdict.outcome}"))
    by = judged_by(route.together)
    whose = el("p", by, class_="quiet") if by else None
    drawn = el("div", [beside(each) for each in _compared(verdict.checks)], class_="charts")
    return join(
        answer, whose, drawn, table("What the guard asked", ("Check", "Answer", "#Seen", "#Limit", "Why"), rows)
    )


_BESIDE = {
    "worse_errors": "Errors beside legacy",
    "worse_4xx": "4xx beside legacy",
    "worse_p95": "Slower than legacy's P95",
}


def _compared(checks: Sequence[CheckView]) -> Iterator[Beside]:
    """Yield what the guard compares with legacy at the same time, where both sides had traffic."""
    for check in checks:
        found = words.counts(check.detail) if check.name in _BESIDE else None
        if found is not None:
            yield _beside(check, *found)


def _beside(check: CheckView, modern: tuple[int, int], legacy: tuple[int, int]) -> Beside:
    """Errors may be so much above legacy's; of slow requests those count that are slower by more than is allowed."""
    usual, title, limit = legacy[0] / max(1, legacy[1]), _BESIDE[check.name], check.limit or 0.0
    if check.name != "worse_p95":
        return Beside(title, legacy, modern, min(1.0, usual + limit))
    if check.outcome != "bad" or check.value is None:
        return Beside(title, legacy, modern)
    far = round(check.value * modern[1]), modern[1]
    return Beside(f"{title}, modern by more than is allowed", legacy, far, max(limit, usual))


def _steps(shown: RoutePage) -> Html | None:
    """The rollout's steps: those done, the present one with the time that is left, those to come."""
    step = shown.route.step
    if not step or not shown.steps:
        return None
    now = step.get("number") or 0
    items = [
        el("li", _step_line(number, one, now, shown), aria_current="step" if number == now else None)
        for number, one in enumerate(shown.steps, 1)
    ]
    return el("ol", items, class_="steps", aria_label="Steps")


def _step_line(number: int, one: StepView, now: int, shown: RoutePage) -> str:
    mark = "✓" if number < now else "→" if number == now else "·"
    bakes = f" for {span(one.seconds)}" if one.seconds else ""
    approval = ", then a person approves" if one.manual else ""
    return f"{mark} {number}. {percent(one.weight)}{bakes}{approval}{_left(one, shown) if number == now else ''}"


def _left(one: StepView, shown: RoutePage) -> str:
    since = (shown.route.step or {}).get("since")
    if not since or not one.seconds or not shown.status.at:
        return ""
    left = as_seconds(since) + one.seconds - as_seconds(shown.status.at)
    return f": {span(left)} left" if left >= 1 else ": baked"


def _copies(route: RouteView) -> Iterator[tuple[str, str]]:
    """Yield what each side did with copies, beside what users got: slow or failing copies are seen here first."""
    for name, copies, live in (
        ("Legacy", route.legacy_copies, route.legacy),
        ("Modern", route.modern_copies, route.modern),
    ):
        if copies is not None and copies.requests:
            beside = f" (live: {seconds(live.p95)})" if live.requests else ""
            yield f"{name}'s copies", f"{share(copies.error_rate)} failed, P95 {seconds(copies.p95)}{beside}"


def _thinned(route: RouteView) -> Iterator[tuple[str, str]]:
    if route.thinned:
        copies = count(route.thinned, "copy was", "copies were")
        yield "Thinned", f"{copies} not sent: a side failed ten in a row, it gets one a second until it is well"


def _compare(route: RouteView) -> Html:
    found = route.compare
    left_out = found.get("not_compared", 0)
    told = [
        ("Equal", f"{route.equal:,}"),
        ("Different", f"{route.different:,}"),
        ("Differs from itself", f"{found.get('noise', 0):,}"),
        ("Equal when asked again", f"{found.get('transient', 0):,}"),
        ("Not compared", evidence(left_out) if isinstance(left_out, Mapping) else f"{left_out:,}"),
        ("Coverage", route.told_coverage),
        ("Mismatch rate", share(route.mismatch_rate)),
        *_copies(route),
        *_thinned(route),
        ("Shadows sent", f"{route.shadow.get('sent', 0):,}"),
        ("Shadows dropped", f"{route.shadow.get('dropped', 0):,}"),
    ]
    readiness = el("div", el("h3", "Readiness"), evidence(route.readiness)) if route.readiness else None
    return join(facts(told), readiness)
