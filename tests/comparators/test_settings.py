"""Every setting of the `compare:` mapping: what it covers, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from comparators.policy import EQUIVALENCES
from tests.comparators.answers import found, held
from tests.support.tables import cases


@pytest.mark.parametrize("case", cases("comparing_settings"))
def test_a_setting_forgives_what_it_names_and_nothing_else(case: dict[str, Any]):
    comparison = held(case["legacy"], case["modern"], case.get("policy"))

    assert found(comparison) == case.get("finds", [])
    assert comparison.verdict == ("different" if "finds" in case else "equal")
    assert dict(comparison.forgiven) == case.get("forgiven", {})


def test_the_table_knows_every_equivalence_of_json():
    forgiven = {rule for case in cases("comparing_settings") for rule in case.values[0].get("forgiven", {})}

    assert set(EQUIVALENCES) - forgiven == {"content_type", "cookies"}
