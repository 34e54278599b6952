"""Grafana's dashboards keep the conventions that let them be shipped."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dashboards.grafana.dashboards import BOARDS, texts
from dashboards.grafana.panels import Board, dashboard
from proxy.telemetry.metric_names import BY_NAME, HISTOGRAM
from tests.architecture.source import ROOT

FOLDER = ROOT / "dashboards" / "grafana"
NAMES = re.compile(r"strangler_\w+")


def queries(made: dict[str, Any]) -> list[str]:
    """Every expression of a dashboard."""
    of_panels = [target["expr"] for panel in made["panels"] for target in panel["targets"]]
    return of_panels + [mark["expr"] for mark in made["annotations"]["list"]]


def test_the_files_are_what_the_dashboards_say():
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == texts(), "run: make dashboards"


def test_there_are_four_whose_addresses_never_change():
    uids = [board.uid for board in BOARDS]

    assert uids == ["strangler-overview", "strangler-route", "strangler-diffs", "strangler-gateway"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_dashboard_can_be_put_into_any_grafana(board: Board):
    made = dashboard(board)

    assert made["id"] is None
    assert 36 <= made["schemaVersion"] <= 41
    ids = [panel["id"] for panel in made["panels"]]
    assert len(set(ids)) == len(ids)
    sources = re.findall(r'"uid": "([^"]+)"', json.dumps(made))
    assert set(sources) == {board.uid, "${datasource}"}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_says_what_to_do_about_it_in_a_unit(board: Board):
    for panel in dashboard(board)["panels"]:
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_panels_do_not_lie_on_each_other(board: Board):
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(board)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}

        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_only_metrics_that_there_are_are_asked_for(board: Board):
    known = set(BY_NAME) | {f"{name}_bucket" for name, metric in BY_NAME.items() if metric.kind == HISTOGRAM}
    rules = (ROOT / "dashboards" / "prometheus" / "alerts.yml").read_text()

    asked = {name for query in queries(dashboard(board)) for name in NAMES.findall(query)}

    assert asked - known == set()
    assert set(re.findall(r"(?<![:\w])strangler_\w+", rules)) - known == set()


def test_every_metric_is_shown_somewhere():
    shown = {name for board in BOARDS for query in queries(dashboard(board)) for name in NAMES.findall(query)}
    not_for_pictures = {
        "strangler_backend_in_flight",
        "strangler_backend_up",
        "strangler_lookups_total",
        "strangler_loops_total",
        "strangler_pool_waits_total",
        "strangler_retries_total",
        "strangler_slow_clients_total",
        "strangler_build_info",
        "strangler_config_generation",
        "strangler_modern_writes_total",
        "strangler_spans_lost_total",
    }

    assert {name for name in BY_NAME if name not in shown and f"{name}_bucket" not in shown} == not_for_pictures
