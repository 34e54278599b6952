"""The reference matches the program."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from comparators.policy import EQUIVALENCES, PHP_RULES
from proxy.control.audit_log import CLOSED_LIST
from proxy.telemetry import events
from rules.config.schema_compare import Compare

DOCS = Path(__file__).resolve().parents[2] / "docs/reference"


def _make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_make", DOCS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _make()
FORGIVE_NOTHING = {"preset", "equivalent", "headers", "legacy_timezone", "body", "custom"}
"""Settings that have tables of their own, or say what is compared and how it is read."""
BESIDES = {"WWW-Authenticate", "xsi:type"}
"""What is held equal without a setting of its own."""


def test_every_key_has_its_sentence_and_every_sentence_its_key():
    meanings = yaml.safe_load((DOCS / "meanings.yaml").read_text())

    assert {name: set(keys) for name, keys in meanings.items()} == {
        name: set(node.get("properties", {})) for name, (_, node) in MAKE.sections().items()
    }


def test_every_rule_says_what_it_never_forgives():
    rules = yaml.safe_load((DOCS / "rules.yaml").read_text())
    tables = [*rules.values()]

    settings = {*Compare.model_fields} - FORGIVE_NOTHING
    assert set(rules.pop("settings of compare that forgive")) == {*settings, *BESIDES}
    assert [tuple(each) for each in rules.values()] == [PHP_RULES, EQUIVALENCES]
    assert all(forgives and never for table in tables for forgives, never in table.values())


@pytest.mark.parametrize("page", ["configuration.md", "commands.md", "metrics.md", "events.md", "strangler.1"])
def test_a_page_is_what_make_reference_writes(page: str):
    assert (DOCS / page).read_text() == MAKE.pages()[page].replace(" \n", "\n"), "run: make reference"


def test_groff_prints_the_manual_page_without_a_warning_and_with_every_command():
    program = shutil.which("groff")
    assert program, "groff is not installed: deploy/need.sh groff:groff-base"

    said = subprocess.run(
        [program, "-man", "-ww", "-Tutf8", "-P-cbou", str(DOCS / "strangler.1")],
        capture_output=True,
        text=True,
        check=True,
    )

    commands = [line.removeprefix("## `strangler ").strip("`").split()[0]
                for line in (DOCS / "commands.md").read_text().splitlines() if line.startswith("## ")]  # fmt: skip
    assert said.stderr == ""
    assert [name for name in commands if f"\n   {name}" not in said.stdout] == []


def test_every_event_has_its_sentence():
    told = {value for name, value in vars(events).items() if name.isupper()}

    assert set(MAKE.TRAIL) == set(CLOSED_LIST)
    assert {name for name, _ in MAKE.logged()} == told
