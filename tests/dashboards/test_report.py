"""The migration report shows both sides of every route."""

from __future__ import annotations

from typing import Any

from dashboards.report import markdown, page, summary

SIDE = {"requests": 1200, "rate": 20.0, "p50": 0.02, "p95": 0.5, "error_rate": 0.01}
IDLE = {"requests": 0, "rate": 0.0, "p50": None, "p95": None, "error_rate": 0.0}


def report(**more: Any) -> dict[str, Any]:
    route = {
        "name": "pro|file",
        "stage": "canary",
        "weight": {"intended": 10.0, "effective": 10.0},
        "legacy": SIDE,
        "modern": IDLE,
        "mismatch_rate": 0.004,
        "coverage": 0.9,
    }
    usual = {"at": "2026-11-21T03:00:00.000Z", "seconds": 7200.0, "digest": "abcdef", "share_migrated": 0.25}
    return {**usual, "routes": [route], "resources": {}, **more}


def test_markdown_has_a_row_for_each_side_that_no_name_can_break():
    lines = markdown(report()).splitlines()

    assert "| pro\\|file | canary | 10 % | legacy | 1,200 | 20 | 20 ms | 500 ms | 1 % |  |  |" in lines
    assert "|  |  |  | modern | 0 | - | - | - | - | 0.4 % | 90 % |" in lines


def test_a_side_that_answers_nobody_shows_its_copies_as_such():
    (route,) = report()["routes"]
    copies = {"legacy": SIDE, "modern": {**SIDE, "requests": 40, "rate": 0.5}}
    lines = markdown(report(routes=[{**route, "copies": copies}])).splitlines()

    assert "| pro\\|file | canary | 10 % | legacy | 1,200 | 20 | 20 ms | 500 ms | 1 % |  |  |" in lines
    assert "|  |  |  | modern (copies, lately) | 40 | - | 20 ms | 500 ms | 1 % | 0.4 % | 90 % |" in lines


def test_the_page_stands_alone_and_escapes_names():
    written = page(report(digest="<script>"))

    assert written.startswith("<!doctype html>")
    assert "<script>" not in written
    assert "http" not in written


def test_the_summary_says_how_far_it_is_and_over_what():
    assert summary(report()) == (
        "25 % of the requests were answered by modern.",
        "0 of 1 route is all modern.",
        "Counted over 2 h under configuration abcdef.",
    )


def test_what_processes_use_is_said_where_it_is_known():
    used = {"legacy": {"memory_bytes": 5e7, "cpu_seconds": 3.2, "processes": 1}}

    assert "- legacy: 50 MB of memory, 3 s of CPU, 1 process" in markdown(report(resources=used))


def test_what_legacy_may_lose_is_said_of_routes_that_are_all_modern():
    waits = {"safe": False, "waits_for": ["2.0 more quiet days"], "what": ["x"], "look": ["y"]}
    safe = {"safe": True, "waits_for": [], "what": ["GET /plans on backend legacy"], "look": ["legacy's access log"]}
    (route,) = report()["routes"]
    routes = [route, {**route, "name": "plan", "retirement": waits}, {**route, "name": "plans", "retirement": safe}]

    lines = markdown(report(routes=routes)).splitlines()

    assert "- plan: not yet to be deleted from legacy: 2.0 more quiet days" in lines
    assert "- plans: may go from legacy: GET /plans on backend legacy. Look first at: legacy's access log" in lines
    assert "may go from legacy: GET /plans" in page(report(routes=routes))
