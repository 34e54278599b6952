"""Every rule of `preset: php` against the contract's table: what it excuses, what never, and the reverse."""

from __future__ import annotations

from typing import Any

import pytest

from comparators.policy import PHP_RULES
from tests.comparators.answers import found, held
from tests.support.tables import cases

PHP = {"preset": "php"}


@pytest.mark.parametrize("case", cases("comparing_preset"))
def test_a_rule_forgives_what_it_names_and_nothing_else(case: dict[str, Any]):
    comparison = held(case["legacy"], case["modern"], case.get("policy", PHP))

    assert found(comparison) == case.get("finds", [])
    assert comparison.verdict == ("different" if "finds" in case else "equal")
    assert dict(comparison.forgiven) == case.get("forgiven", {})


@pytest.mark.parametrize(
    "case",
    [case for case in cases("comparing_preset") if "forgiven" in case.values[0] and "finds" not in case.values[0]],
)
def test_nothing_is_forgiven_without_the_preset_or_with_the_rule_taken_out(case: Any):
    for rule in case["forgiven"]:
        but = {**case.get("policy", PHP), "preset": {"name": "php", "except": [rule]}}

        assert held(case["legacy"], case["modern"], but).verdict == "different"
    assert held(case["legacy"], case["modern"]).verdict == "different"


def test_the_table_knows_every_rule_of_json():
    forgiven = {rule for case in cases("comparing_preset") for rule in case.values[0].get("forgiven", {})}

    assert set(PHP_RULES) - forgiven == {"html", "text_html_json", "attributes", "embedded_json", "charset", "clock"}
