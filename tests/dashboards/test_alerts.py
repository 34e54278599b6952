"""Alerts fire for what they are meant for; each has a page that says what to do. Needs Debian's prometheus."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT

FOLDER = ROOT / "dashboards" / "prometheus"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]


def promtool(*arguments: str) -> str:
    tool = shutil.which("promtool")
    assert tool, "promtool is not installed: deploy/need.sh prometheus:prometheus"
    done = subprocess.run([tool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_are_well_formed_and_sound_as_their_tests_say():
    promtool("check", "rules", "recording.yml", "alerts.yml")
    promtool("test", "rules", "alerts.test.yaml")


def test_every_alert_is_tested_to_sound_and_to_be_silent():
    sounds = {each["alertname"] for one in TESTS for each in one["alert_rule_test"] if each["exp_alerts"]}
    silent = {each["alertname"] for one in TESTS for each in one["alert_rule_test"] if not each["exp_alerts"]}

    assert sounds == silent == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_a_page_that_says_what_to_do(rule: dict[str, Any]):
    page = rule["annotations"]["runbook_url"].rpartition("/")[2]
    board = re.search(r"/d/([\w-]+)", rule["annotations"]["dashboard"])

    text = (ROOT / "docs" / "runbooks" / page).read_text()
    assert board
    assert text.startswith(f"# {rule['alert']}\n")
    assert "## Look" in text
    assert "## Do" in text
    assert (ROOT / "dashboards" / "grafana" / f"{board[1]}.json").exists()
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_links_are_absolute_where_the_operator_says_of_what_and_name_the_route():
    sounding = [each for one in TESTS for each in one["alert_rule_test"] if each["exp_alerts"]]

    for each in sounding:
        for alert in each["exp_alerts"]:
            annotations, route = alert["exp_annotations"], alert["exp_labels"].get("route")
            assert annotations["runbook_url"].startswith("https://docs.test/runbooks/")
            assert annotations["dashboard"].startswith("https://grafana.test/d/strangler-")
            assert annotations["dashboard"].endswith(f"?var-route={route}") == bool(route)


def test_no_page_is_about_an_alert_that_is_not_there():
    pages = {path.name for path in Path(ROOT / "docs" / "runbooks").glob("*.md")} - {"README.md"}

    assert pages == {rule["annotations"]["runbook_url"].rpartition("/")[2] for rule in RULES}
