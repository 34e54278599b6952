"""The reference says what the program says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from comparators.policy import EQUIVALENCES, PHP_RULES
from proxy.control.audit_log import CLOSED_LIST
from proxy.telemetry import events

DOCS = Path(__file__).resolve().parents[2] / "docs/reference"


def _make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_make", DOCS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _make()


def test_every_key_has_its_sentence_and_every_sentence_its_key():
    meanings = yaml.safe_load((DOCS / "meanings.yaml").read_text())

    assert {name: set(keys) for name, keys in meanings.items()} == {
        name: set(node.get("properties", {})) for name, (_, node) in MAKE.sections().items()
    }


def test_every_rule_says_what_it_never_forgives():
    rules = yaml.safe_load((DOCS / "rules.yaml").read_text())

    assert [tuple(each) for each in rules.values()] == [PHP_RULES, EQUIVALENCES]
    assert all(forgives and never for table in rules.values() for forgives, never in table.values())


@pytest.mark.parametrize("page", ["configuration.md", "commands.md", "metrics.md", "events.md"])
def test_a_page_is_what_make_reference_writes(page: str):
    assert (DOCS / page).read_text() == MAKE.pages()[page].replace(" \n", "\n"), "run: make reference"


def test_every_event_has_its_sentence():
    told = {value for name, value in vars(events).items() if name.isupper()}

    assert set(MAKE.TRAIL) == set(CLOSED_LIST)
    assert {name for name, _ in MAKE.logged()} == told
