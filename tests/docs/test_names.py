"""What the pages name exists: commands, options, keys, metrics, events, alerts, pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer
import yaml

import rules
from proxy.cli.app import app
from proxy.control.api.endpoints import SCHEMAS
from proxy.control.audit_log import CLOSED_LIST
from proxy.control.retirement import UnseenWrites
from proxy.telemetry import events
from proxy.telemetry.metric_names import METRICS
from rules.config import json_schema
from tests.docs.material import PAGES, ROOT, blocks, commands, lines, text_of, words
from tests.support.rollout_rig import a_route

MAIN = typer.main.get_command(app)
MADE = {metric.name for metric in METRICS}
ALERTS = yaml.safe_load((ROOT / "dashboards/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_a_command_is_one_that_the_program_takes(page: str):
    refused = [(said, why) for said in commands(page) if (why := _wrong_with(MAIN, said))]

    assert refused == []


def _wrong_with(command: Any, said: list[str]) -> str:
    """Why the command would be refused, or ""."""
    while hasattr(command, "commands") and said and said[0] in command.commands:
        command, said = command.commands[said[0]], said[1:]
    if hasattr(command, "commands"):
        # `strangler --install-completion`, or a group that is only talked about
        return "" if not said or said[0].startswith("--") else f"no command {said[0]}"
    try:
        with click.Context(command, info_name=command.name, resilient_parsing=False) as context:
            command.make_parser(context).parse_args(list(said))
    except Exception as error:  # noqa: BLE001 - typer brings its own exceptions, or click's
        return str(error) or type(error).__name__
    return ""


def test_a_page_about_a_command_that_does_not_exist_would_be_seen():
    assert _wrong_with(MAIN, ["rollbck", "profile"])
    assert _wrong_with(MAIN, ["rollback", "profile", "--because", "x"])


def test_every_target_of_make_that_is_told_exists():
    told = [
        words(line)[1]
        for page in PAGES
        for block in blocks(page)
        if block.language == "console"
        for line in lines(block)
        if line.startswith("make ")
    ]

    assert {"demo", "test"} <= set(told)
    assert set(told) <= TARGETS


NO_METRICS = {"strangler_session", "strangler_id", "strangler_runbooks", "strangler_grafana"}
"""Cookies, and labels that the operator's Prometheus adds."""


@pytest.mark.parametrize("page", PAGES)
def test_a_metric_is_one_that_the_program_counts(page: str):
    told = set(re.findall(r"(?<![\w:])strangler_[a-z0-9_]+(?!:)", text_of(page)))

    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in told} <= MADE | NO_METRICS


def test_every_alert_has_its_page_in_the_list():
    listed = dict(re.findall(r"^- \[(\w+)\]\(([\w-]+\.md)\)", text_of("docs/runbooks/README.md"), re.MULTILINE))

    assert listed == {rule["alert"]: rule["annotations"]["runbook_url"].rpartition("/")[2] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_page_of_an_alert_says_where_to_look_and_what_to_do(rule: dict[str, Any]):
    text = (ROOT / "docs" / "runbooks" / rule["annotations"]["runbook_url"].rpartition("/")[2]).read_text()

    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Look", "Do"]


# ── words with an underscore: keys, rules, reasons, events ──


def _words_of(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                yield from value
            yield from _words_of(value)
    elif isinstance(node, list):
        yield from (each for each in node if isinstance(each, str))
        for each in node:
            yield from _words_of(each)
    elif isinstance(node, str):
        yield node


def _known_words() -> set[str]:
    known = set(_words_of(json_schema())) | set(CLOSED_LIST) | MADE
    known |= set(_words_of(SCHEMAS))
    known |= {value for name, value in vars(events).items() if name.isupper()}
    known |= UnseenWrites(lambda _: 0).evidence(a_route(rollback="lossy")).keys()
    known |= set(re.findall(r'"(\w+)"', text_of("comparators/row_values.py")))  # rules of two databases
    known |= set(re.findall(r"`(\w+)`", text_of("docs/decisions/0006-mirroring.md")))  # the reasons, tested there
    return known


ELSEWHERE = {
    "split_clients": "nginx",
    "proxy_pass": "nginx",
    "metric_relabel_configs": "Prometheus",
    "prometheus_client": "Prometheus' package for Python",
    "snake_case": "a way to write names",
    "strangler_id": "the sticky cookie; its name is a default, no word of the file",
}
"""Words of other people's programs."""


@pytest.mark.parametrize("page", PAGES)
def test_a_word_of_the_program_is_one_it_knows(page: str):
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    told = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", prose))

    assert told - _known_words() - set(ELSEWHERE) == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_somewhere(page: str):
    folder = (ROOT / page).parent
    told = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(page))

    assert [link for link in told if not (folder / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_whole_file_in_a_page_is_accepted(page: str):
    for block in blocks(page):
        if block.language == "yaml" and block.text.startswith("version: 1"):
            assert rules.load(block.text, source=page).routes
