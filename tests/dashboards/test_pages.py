"""Pages show what their views hold; the live blocks of a page are those that are sent again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from dashboards.html import el
from dashboards.pages import other, overview, route
from dashboards.pages.layout import Visitor, page
from dashboards.views import CheckView, RolledBackView, VerdictView
from rules.guard import versus_legacy
from rules.guard.evidence import Evidence
from rules.guard.sequential import Trials
from rules.guard.window import Tally
from rules.model import GuardPolicy
from tests.support import views

OPERATOR = Visitor(may_change=True, secret="s3cret")
BACK = RolledBackView("2026-11-21T03:00:00.000Z", "errors", "guard", {"requests": 20, "by": ["a", "b"]}, "so <be> it")


def shown(**changes: Any) -> route.RoutePage:
    one = views.route(**changes)
    return route.RoutePage(views.view(one), one, ())


@pytest.mark.parametrize("visitor", [Visitor(), OPERATOR])
def test_every_live_block_of_a_page_is_on_it_once(visitor: Visitor):
    one = shown()
    view = views.view(views.route(), views.route(name="other"))

    for blocks, text in (
        (route.blocks(one), route.page_of(one, visitor, "/live")),
        (
            overview.blocks(view, (), overview.Wanted()),
            overview.overview(view, (), overview.Wanted(), visitor, "/live"),
        ),
    ):
        for name, html in blocks.items():
            assert re.findall(f'id="{name}"', text) == [f'id="{name}"']
            assert html in text


@pytest.mark.parametrize(
    ("changes", "verbs"),
    [
        ({}, ["rollback", "hold", "weight"]),
        ({"held": True}, ["rollback", "resume", "weight"]),
        ({"rolled_back": BACK}, ["resume"]),
        ({"step": {"number": 1, "of": 3}}, ["rollback", "hold", "advance", "weight"]),
    ],
)
def test_only_what_can_be_done_now_is_offered(changes: dict[str, Any], verbs: list[str]):
    text = route.page_of(shown(**changes), OPERATOR, "")

    assert re.findall(r'action="/routes/profile/(\w+)" class="verb \w+" data-verb="\w+">', text) == verbs
    assert f'<div id="offers" hidden>{" ".join(verbs)}</div>' in text


def test_a_rollback_shows_who_why_and_the_evidence():
    text = route.page_of(shown(rolled_back=BACK, stage="rolled_back"), Visitor(), "")

    assert "Rolled back by guard: errors" in text
    assert "so &lt;be&gt; it" in text
    assert "<dt>requests</dt><dd>20</dd>" in text


@pytest.mark.parametrize(
    ("visitor", "offered"),
    [
        (Visitor(), None),
        (Visitor(can_log_in=True), "Log in"),
        (Visitor(can_log_in=True, logged_in=True), "Log out"),
    ],
)
def test_the_way_in_and_the_way_out_are_offered_where_there_is_one(visitor: Visitor, offered: str | None):
    text = page("Title", "/events", visitor)

    assert [word for word in ("Log in", "Log out") if word in text] == ([offered] if offered else [])


def test_five_hundred_routes_are_one_page_of_moderate_size():
    routes = [replace(views.route(), name=f"r{number}") for number in range(500)]

    text = overview.overview(views.view(*routes), (), overview.Wanted(), Visitor(), "")

    assert text.count('id="route-') == 500
    assert len(text) < 500_000


def test_an_address_that_a_route_could_be_is_no_markup():
    text = overview.overview(views.view(views.route(path='/"><script>')), (), overview.Wanted(), Visitor(), "")

    assert "<script>" not in text


def test_a_finished_route_says_what_legacy_still_waits_for_and_what_may_go():
    found = {"safe": False, "waits_for": ["2.0 more <quiet> days"], "what": ["GET /plans on legacy"], "look": ["a log"]}

    waiting, done, early = (
        route.blocks(route.RoutePage(views.view(), views.route(retirement=each), ()))["retirement"]
        for each in (found, {**found, "safe": True}, None)
    )

    assert "<li>2.0 more &lt;quiet&gt; days</li>" in waiting
    assert "<li>GET /plans on legacy</li>" in done
    assert "modern does not answer all users yet" in early


GROUP = {
    "id": "g1", "path": "/tax", "count": 7, "kind": "value", "route": "profile",
    "first_seen": "2026-11-21T02:00:00Z", "last_seen": "2026-11-21T03:00:00Z", "known": None,
    "examples": [{"path": "/tax", "at": "2026-11-21T03:00:00Z", "answers": {
        "legacy": {"status": 200, "body": '{"tax": 2.21}'}, "modern": {"status": 200, "body": '{"tax": 2.20}'}}}],
}  # fmt: skip
VERDICT = {
    "outcome": "bad", "reason": "mismatch", "window": 60.0, "instances": 1,
    "checks": [{"name": "mismatch", "outcome": "bad", "value": 7 / 124, "limit": 0.01,
                "detail": "7 of 124 differ, a rate of at least 2.10%"}],
}  # fmt: skip


def test_a_rollback_is_one_card_why_where_who_is_where_now_the_lines_and_the_way_back():
    back = RolledBackView("2026-11-21T03:00:00.000Z", "mismatch", "guard", VERDICT)
    one = shown(rolled_back=back, stage="rolled_back", effective=0.0)
    lines = ((248, "  - name: profile"), (249, "    guard: {mismatch_rate: 1%}"))

    card = route.blocks(replace(one, worst=GROUP, place="proxy.yaml, line 248", lines=lines))["where"]

    assert "Rolled back by guard: 7 of 124 differ at /tax, limit 1 %" in card
    assert "2.21" in card
    assert "2.20" in card
    assert 'href="/differences/g1"' in card
    assert "Every request goes to legacy now" in card
    assert "proxy.yaml, line 248" in card
    assert "249      guard: {mismatch_rate: 1%}" in card
    assert "Resume" in card


@pytest.mark.parametrize(
    ("reason", "value", "limit", "detail", "said"),
    [
        ("errors", 0.3, 0.05, "6 of 20 failed", "6 of 20 failed, limit 5 %"),
        ("p95", 0.9, 0.5, "9 of 20 took longer", "9 of 20 took longer, limit 500 ms"),
        ("worse_p95", 0.6, 0.05, "12 of 20 were slower", "12 of 20 were slower, limit 5 %"),
        ("consecutive", None, 5.0, "5 failures in a row", "5 failures in a row"),
    ],
)
def test_every_cause_has_its_figures_and_no_bodies_that_are_not_the_cause(
    reason: str, value: float | None, limit: float, detail: str, said: str
):
    check = {"name": reason, "outcome": "bad", "value": value, "limit": limit, "detail": detail}
    back = RolledBackView("2026-11-21T03:00:00Z", reason, "guard", {**VERDICT, "reason": reason, "checks": [check]})

    card = route.blocks(replace(shown(rolled_back=back, stage="rolled_back"), worst=GROUP))["where"]

    assert f"Rolled back by guard: {said}<" in card
    assert "2.21" not in card


def test_a_rollback_that_not_every_worker_confirmed_is_not_called_complete():
    card = route.blocks(shown(rolled_back=BACK, stage="rolled_back", effective=2.5))["where"]

    assert "Still 2.5 % reach modern" in card


def test_steps_are_a_tree_with_the_time_left():
    one = shown(step={"number": 2, "of": 3, "since": "2026-11-21T03:00:00.000Z"})
    steps = (route.StepView(1, 600), route.StepView(10, 3600, manual=True), route.StepView(100, 0))
    at = replace(one.status, at="2026-11-21T03:20:00.000Z")

    tree = route.blocks(replace(one, steps=steps, status=at))["where"]
    later = route.blocks(replace(one, steps=steps, status=replace(at, at="2026-11-21T05:00:00.000Z")))["where"]

    assert "<li>✓ 1. 1 % for 10 min</li>" in tree
    assert '<li aria-current="step">→ 2. 10 % for 1 h, then a person approves: 40 min left</li>' in tree
    assert "<li>· 3. 100 %</li>" in tree
    assert "approves: baked" in later


def tally(requests: int, errors: int, client_errors: int) -> Tally:
    made = Tally()
    for _ in range(requests):
        made.count_response(0.01)
    made.errors, made.client_errors = errors, client_errors
    return made


def test_what_the_guard_compares_with_legacy_is_drawn_from_what_it_says():
    policy = GuardPolicy()
    trials = Trials(policy.worse_than_legacy)
    for second in range(20):
        trials.add_tallies(second, tally(15, errors=0, client_errors=1), tally(15, errors=3, client_errors=0))
    checks = versus_legacy.checks(policy, Evidence(trials=trials))
    seen = tuple(CheckView(each.name, each.outcome, each.value, each.limit, each.detail) for each in checks)

    guard = route.blocks(shown(verdict=VerdictView("bad", "worse_errors", seen)))["guard"]

    assert "<figcaption>Errors beside legacy" in guard
    assert "modern 20 % (" in guard
    assert "<figcaption>4xx beside legacy" in guard
    assert "legacy 6.7 % (" in guard


@pytest.mark.parametrize(
    ("outcome", "value", "figure"),
    [("good", 0.0, "modern 3 % (9 of 300"), ("bad", 0.6, "modern 60 % (180 of 300")],
)
def test_slow_requests_are_drawn_as_the_guard_holds_them_against_modern(outcome: str, value: float, figure: str):
    told = "9 of 300 were slower than legacy's P95 of late, of legacy's own 12 of 300"
    check = CheckView("worse_p95", outcome, value, 0.05, told)

    guard = route.blocks(shown(verdict=VerdictView(outcome, "worse_p95", (check,))))["guard"]

    assert figure in guard
    assert ("threshold 5 %" in guard) == (outcome == "bad")


def test_copies_are_shown_beside_what_users_got_and_thinned_ones_are_said():
    slow = replace(views.BUSY, p95=0.9, error_rate=0.05)
    text = route.page_of(shown(modern_copies=slow, compare={"not_compared": {"failing": 7}}), OPERATOR, "")

    assert "5 % failed, P95 900 ms" in text
    assert "7 copies were not sent: a side failed ten in a row, it gets one a second until it is well" in text
    assert "Thinned" not in route.page_of(shown(), OPERATOR, "")


def test_the_overview_shows_a_mirrored_side_by_its_copies():
    one = views.route(stage="shadow", effective=0.0, modern_copies=replace(views.BUSY, p95=0.9))
    text = overview.overview(views.view(one), (), overview.Wanted(), OPERATOR, "")

    assert '<td class="number">10 copies</td><td class="number">1 %</td><td class="number">900 ms</td>' in text


def test_what_legacy_varies_is_shown_with_the_differences_as_lines_to_paste():
    lines = "ignore_text:\n  - '(?<=made in )[0-9]{1,3}(?= ms)'  # legacy differed from itself 6 times, in 6 pairs"

    def drawn(suggested: list[dict[str, str]]) -> str:
        return str(other.differences([], {}, None, OPERATOR, el("p"), suggested))

    assert "What legacy varies by itself" in drawn([{"route": "profile", "compare": lines}])
    assert "(?&lt;=made in )[0-9]{1,3}(?= ms)" in drawn([{"route": "profile", "compare": lines}])
    assert "What legacy varies by itself" not in drawn([])
