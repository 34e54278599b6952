"""The status fits a terminal, with the evidence about a route below it."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.terminal import lines
from dashboards.views import RouteView
from tests.support.views import BUSY, route, view

READY: dict[str, Any] = {
    "ready": True,
    "compared": 3204,
    "different": 0,
    "upper_bound": 0.00094,
    "coverage": 0.98,
    "open_groups": 0,
    "never_compared": (),
    "wanting": (),
}
KINDS = (
    "GET /orders/* 4xx",
    "HEAD /orders 2xx",
    "GET /orders text/html",
    "GET /orders 3xx",
    "GET /a 2xx",
    "GET /b 2xx",
)


def told(*routes: RouteView, width: int = 200) -> list[str]:
    return [line.text for line in lines(view(*routes), width)]


def test_a_wide_terminal_has_a_row_for_each_route_with_its_figures_under_their_columns():
    head, quiet, busy = told(route(), route(name="invoices-export", modern=BUSY, mismatch_rate=0.004, coverage=1.0))

    assert head.split() == ["route", "stage", "weight", *(["legacy/s", "errors", "P95"]),
                            *(["modern/s", "errors", "P95"]), "mismatch", "coverage"]  # fmt: skip
    assert quiet.startswith("profile          canary")
    assert busy.startswith("invoices-export  canary")
    assert busy.index("0.4 %") + len("0.4 %") == head.index("mismatch") + len("mismatch")


def test_below_a_route_stands_what_speaks_for_giving_it_more_users():
    _, _, known = told(route(readiness=READY))

    assert known == "  ready: 3,204 compared (98 % of what could be), at most 0.094 % differ, 0 open differences"


def test_what_was_never_compared_is_told_the_first_few_by_name():
    *_, few = told(route(readiness={**READY, "never_compared": KINDS[:2]}))
    *_, many = told(route(readiness={**READY, "never_compared": KINDS}))

    assert few == "  never compared: GET /orders/* 4xx, HEAD /orders 2xx"
    assert many.endswith("GET /orders text/html, GET /orders 3xx, 2 more")


def test_a_route_that_is_not_ready_says_so():
    *_, nothing = told(route(readiness={**READY, "ready": False, "compared": 0, "upper_bound": 1.0}))
    *_, open_ = told(route(readiness={**READY, "ready": False, "upper_bound": 0.02, "open_groups": 1}))

    assert nothing == "  not ready: nothing compared yet, 0 open differences"
    assert open_.endswith("at most 2 % differ, 1 open difference")


def test_what_is_not_mirrored_has_nothing_below_it():
    assert len(told(route())) == 2


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_a_narrow_terminal_and_no_figure_is_cut(width: int):
    routes = (
        route(modern=BUSY, mismatch_rate=0.004, coverage=0.98, readiness={**READY, "never_compared": KINDS}),
        route(name="admin-invoices", stage="rolled_back", effective=0.0),
    )

    said = told(*routes, width=width)

    assert max(map(len, said)) <= width
    whole = " ".join(" ".join(said).split())
    assert "profile canary 10 %" in whole
    assert "admin-invoices rolled_back 0 % (file: 10 %)" in whole
    assert "legacy 10/s, 1 % errors, P95 120 ms · modern 10/s, 1 % errors, P95 120 ms" in whole
    assert "mismatch 0.4 %, coverage 98 %" in whole
    assert "never compared: GET /orders/* 4xx" in whole


def test_a_proxy_without_routes_is_drawn_as_well():
    assert told(width=80) == []
    assert len(told(width=200)) == 1
