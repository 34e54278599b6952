"""How targets are is on a page of its own and below the routes of a terminal, in the same words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from dashboards.html import Html
from dashboards.pages.backends import backends
from dashboards.pages.layout import Visitor
from dashboards.terminal import backends as lines
from dashboards.views import StatusView, status_view
from tests.dashboards.test_text import document
from tests.support import views

WELL: dict[str, Any] = {
    "target": "http://api.internal:8000", "up": True, "healthy": True, "left_out": 0, "probe_in": None, "in_flight": 7,
    "idle": 3, "waiting": 1, "errors": 12, "last_error": None, "workers": 2,
    "addresses": [{"address": "10.0.0.1:8000", "failures": 2, "missed": 1}],
}  # fmt: skip
DOWN = {**WELL, "target": "http://<m2>", "up": False, "healthy": False, "left_out": 1, "probe_in": 2.5,
        "last_error": "refused", "addresses": []}  # fmt: skip


def status(*targets: dict[str, Any]) -> StatusView:
    of = {"name": "modern", "max_connections": 256, "health_check": True, "targets": list(targets)}
    return status_view({**document(), "backends": [of]})


def page(*targets: dict[str, Any]) -> str:
    return str(backends(status(*targets).backends, Visitor(), Html(""), "/live"))


def test_a_target_has_its_load_its_errors_its_back_off_its_addresses():
    text = re.sub(r"<[^>]+>", " ", page(WELL, DOWN))

    for said in ("modern", "At most 256 connections", "http://api.internal:8000", "up", "10.0.0.1:8000",
                 "2 failures in a row", "not in the last 1 look-up", "down", "its health check fails",
                 "left out by 1 worker of 2, tried again in 2.5 s", "refused", "http://&lt;m2&gt;"):  # fmt: skip
        assert said in text, said


def test_a_target_that_no_worker_has_reported_is_neither_up_nor_down():
    text = page({**WELL, "up": None, "healthy": None, "workers": 0})

    assert "not reported yet" in text
    assert "badge" not in text.partition("<h2>")[2]


def test_a_terminal_has_a_line_for_each_backend_and_one_for_each_target_that_is_down():
    told = [line.text.strip() for line in lines(status(WELL, DOWN), 200)]

    assert told == [
        "modern: 1 of 2 targets up, 14 in flight, 24 errors",
        "http://<m2> is down: its health check fails; left out by 1 worker of 2, tried again in 2.5 s; refused",
    ]
    assert lines(replace(views.view(), backends=()), 80) == ()
