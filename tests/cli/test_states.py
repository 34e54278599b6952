"""Waiting for a state of routes; the order in which routes are shown."""

from __future__ import annotations

import pytest

from dashboards.terminal import details
from dashboards.views import RolledBackView, troubled_first
from proxy.cli.routes import is_reached
from tests.support.views import route, view

BACK = RolledBackView("2027-01-31T12:00:00Z", "mismatch", "guard", None, "7 of 124 differ at /tax")
STEPPING = {"number": 1, "of": 3}


@pytest.mark.parametrize(
    ("state", "changes", "reached"),
    [
        ("settled", {}, True),
        ("settled", {"step": STEPPING}, None),
        ("settled", {"step": {"number": 3, "of": 3}}, True),
        ("settled", {"step": STEPPING, "held": True}, True),
        ("settled", {"step": STEPPING, "waits_for": {"kind": "ask", "reason": "approval", "detail": ""}}, True),
        ("settled", {"stage": "rolled_back", "rolled_back": BACK}, False),
        ("modern", {"stage": "modern"}, True),
        ("modern", {"stage": "canary"}, None),
        ("modern", {"stage": "rolled_back"}, False),
        ("rolled_back", {"stage": "rolled_back"}, True),
        ("ready", {"stage": "rolled_back"}, True),
    ],
)
def test_a_state_is_reached_not_yet_reached_or_out_of_reach(
    state: str, changes: dict[str, object], reached: bool | None
):
    assert is_reached(view(route(**changes)), state) is reached


def test_all_routes_have_to_be_there_but_the_default_one():
    moving = route(name="moving", step=STEPPING)
    default = route(name="_default", stage="legacy")

    assert is_reached(view(route(stage="modern"), default), "modern") is True
    assert is_reached(view(route(), moving), "settled") is None


def test_troubled_routes_come_first_the_others_stay_in_the_order_of_the_file():
    fine, held, back, last = (
        route(name="fine"),
        route(name="held", held=True),
        route(name="back", stage="rolled_back", rolled_back=BACK),
        route(name="last"),
    )

    shown = troubled_first(view(fine, held, back, last))

    assert [each.name for each in shown.routes] == ["back", "held", "fine", "last"]


def test_one_route_is_shown_with_why_it_is_where_it_is():
    told = [line.text for line in details(route(rolled_back=BACK, step=STEPPING), 100)]

    assert told == [
        "  answers GET /api/me",
        "  rolled back 2027-01-31T12:00:00Z by guard: 7 of 124 differ at /tax",
        "  step 1 of 3",
    ]
