"""Grafana's dashboards keep the conventions that let them be shipped."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from aiohttp import web

from dashboards.grafana.dashboards import BOARDS, texts
from dashboards.grafana.panels import Board, dashboard
from proxy.control.console.pages import Pages
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
    alerts = yaml.safe_load((ROOT / "dashboards" / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    rules = "\n".join(rule["expr"] for rule in alerts)

    asked = {name for query in queries(dashboard(board)) for name in NAMES.findall(query)}

    assert asked - known == set()
    assert set(re.findall(r"(?<![:\w])strangler_\w+", rules)) - known == set()


def test_every_metric_is_shown_somewhere():
    shown = {name for board in BOARDS for query in queries(dashboard(board)) for name in NAMES.findall(query)}
    not_for_pictures = {
        "strangler_build_info",
        "strangler_config_generation",
        "strangler_modern_writes_total",
        "strangler_spans_lost_total",
    }

    assert {name for name in BY_NAME if name not in shown and f"{name}_bucket" not in shown} == not_for_pictures


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_is_about_the_chosen_instances(board: Board):
    unchosen = [query for query in queries(dashboard(board)) if 'instance=~"$instance"' not in query]

    assert unchosen == []
    assert "instance" in [variable["name"] for variable in dashboard(board)["templating"]["list"]]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_figure_has_its_decimals_and_a_single_one_its_colour(board: Board):
    for panel in dashboard(board)["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["decimals"] in (0, 1, 2), panel["title"]
        values = [step["value"] for step in defaults["thresholds"]["steps"]]
        assert values == [None, *sorted(values[1:])], panel["title"]
        if panel["type"] == "stat":
            assert panel["options"]["colorMode"] == "value"
            assert len(values) > 1 or defaults["thresholds"]["steps"][0]["color"] == "blue", panel["title"]


STATES = {"strangler_backend_up", "strangler_config_reload_success", "strangler_data_check", "strangler_store_up"}
"""Gauges that are 0 or 1 for a state that has a name."""


def test_a_state_is_a_word_and_no_number():
    worded = {
        name
        for board in BOARDS
        for panel in dashboard(board)["panels"]
        for name in NAMES.findall(panel["targets"][0]["expr"])
        if panel["fieldConfig"]["defaults"]["mappings"]
    }

    assert worded == STATES


def test_a_figure_of_a_route_or_a_target_leads_to_the_consoles_page_of_it():
    pages = {route.path for route in console_paths()}
    for board in BOARDS:
        for panel in dashboard(board)["panels"]:
            links = panel["fieldConfig"]["defaults"]["links"]
            of_route = any("{{route}}" in target["legendFormat"] for target in panel["targets"])
            assert links or not of_route, panel["title"]
            for link in links:
                path = link["url"].removeprefix("${console}").partition("?")[0]
                assert path.replace("${__field.labels.route}", "{name}") in pages, link["url"]


def console_paths() -> list[web.RouteDef]:
    return [route for route in Pages(Any, Any).routes() if isinstance(route, web.RouteDef)]
