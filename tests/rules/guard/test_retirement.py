"""Nothing of legacy is called safe to delete while it may still be needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rules.guard.rollout import Served, retirement
from rules.model import Fallback, Route
from tests.rules.asking import route, snapshot

DAY = 86_400.0
NOW = 100 * DAY
DONE = Served(weight=100.0, since=NOW - 8 * DAY, requests=50_000)


def made(**more: Any) -> Route:
    (one,) = snapshot(route(fallback="none", **more)).routes
    return one


def test_a_quiet_week_at_all_users_is_enough():
    found = retirement(made(), DONE, (), NOW)

    assert found.safe
    assert found.waits_for == ()
    assert found.quiet_days == pytest.approx(8.0)
    assert any("/a on backend legacy" in one for one in found.what)
    assert any("access log" in one for one in found.look)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"weight": 90.0}, "90 %"),
        ({"since": None}, "100 %"),
        ({"since": NOW - 2 * DAY}, "5.0 more quiet days"),
        ({"open_groups": 2, "differed_at": NOW - DAY}, "2 groups"),
        ({"legacy_requests": 3}, "3 requests"),
        ({"requests": 10}, "only 10 requests"),
        ({"rolled_back": True}, "rolled back"),
    ],
)
def test_what_is_waited_for_is_said(change: dict[str, Any], told: str):
    found = retirement(made(), replace(DONE, **change), (), NOW)

    assert not found.safe
    assert any(told in one for one in found.waits_for)


def test_a_fallback_needs_legacy():
    found = retirement(replace(made(), fallback=Fallback("safe")), DONE, (), NOW)

    assert found.waits_for == ("fallback still leads to legacy",)


def test_excluded_users_need_legacy():
    found = retirement(made(rollout={"exclude": ["7"]}), DONE, (), NOW)

    assert found.waits_for == ("1 users are excluded from modern",)


def test_another_route_to_the_same_place_needs_it():
    one = made()

    found = retirement(one, DONE, (one, replace(one, name="b")), NOW)

    assert found.waits_for == ("route b leads to the same place on legacy",)
