"""A decision is one line for people, one JSON object for programs."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.cli.common import plain
from proxy.cli.tail import line

DECISION: dict[str, Any] = {
    "at": "2026-11-29T10:03:01.250Z", "request_id": "a", "method": "GET", "path": "/api/me", "route": "profile",
    "generation": 3, "side": "modern", "reason": "weight", "bucket": 0.1234, "weight": 25.0, "answered": "modern",
    "status": 200, "target": "http://127.0.0.1:8000", "fallback": "", "error": "", "seconds": 0.0123,
}  # fmt: skip


def shown(**changes: Any) -> str:
    return " ".join(line({**DECISION, **changes}).split())


def test_a_line_says_when_where_why_and_what_came_of_it():
    assert shown() == "10:03:01.250 profile modern weight 25 %, bucket 12 % 200 12.3 ms GET /api/me"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": "no_identity", "side": "legacy", "answered": "legacy", "bucket": None}, " legacy no identity 200 "),
        ({"weight": 100.0, "bucket": None}, " weight 100 % 200 "),
        ({"answered": "legacy", "fallback": "connect"}, "/api/me (answered by legacy: connect)"),
        ({"answered": "none", "status": 502, "error": "no backend answers"},
         " 502 12.3 ms GET /api/me (answered by the proxy; no backend answers)"),
    ],
)  # fmt: skip
def test_what_is_not_usual_is_said(changes: dict[str, Any], told: str):
    assert told in shown(**changes)


def test_a_path_cannot_draw_on_the_terminal():
    assert "\x1b" not in plain(line({**DECISION, "path": "/\x1b[2J"}))
