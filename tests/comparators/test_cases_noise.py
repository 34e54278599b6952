"""Pairs of real applications, of the kinds that noise is about: each has the right verdict."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from comparators import Capture, Policy, compare
from comparators.noise_learning import Learner
from comparators.noise_rules import NoiseRule

CASES = Path(__file__).parents[1] / "data" / "compare-cases.jsonl"
KINDS = ("own noise", "learned noise", "html: any text but an empty one passes for a CSRF token")
TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0


def cases() -> Iterator[Any]:
    """The pairs of the kinds of this room."""
    for number, line in enumerate(CASES.read_text().splitlines(), 1):
        case = json.loads(line)
        if case["kind"].startswith(KINDS):
            yield pytest.param(case, id=f"{number}-{case['why'][:40]}")


def capture(case: Mapping[str, Any], one: Mapping[str, Any]) -> Capture:
    """One answer of a case."""
    body = b64decode(one["body_base64"]) if "body_base64" in one else one["body"].encode()
    headers = tuple((name, value) for name, value in one["headers"])
    return Capture(case.get("method", "GET"), case.get("path", "/"), one["status"], headers, body)


def learned(case: Mapping[str, Any]) -> tuple[NoiseRule, ...]:
    """What is learned from the pairs of legacy's own answers that a case begins with."""
    learner, policy = Learner(), Policy.from_mapping(case["policy"], today=TODAY)
    for number, bodies in enumerate(case.get("learn_from") or ()):
        first, again = (capture(case, {**case["legacy"], "body": body}) for body in bodies)
        found = compare(first, first, policy, secondary=(again,))
        learner.add_observations(found.observations, AT + number * case["learn_every_s"])
    return tuple(each.rule for each in learner.suggestions(TODAY))


@pytest.mark.parametrize("case", [*cases()])
def test_a_pair_has_the_right_verdict(case: Mapping[str, Any]) -> None:
    policy = Policy.from_mapping(case["policy"], noise=learned(case), today=TODAY)
    secondary = tuple(capture(case, one) for one in case.get("secondary") or ())

    found = compare(capture(case, case["legacy"]), capture(case, case["modern"]), policy, secondary=secondary)

    assert found.verdict == case["right_verdict"], case["why"]
