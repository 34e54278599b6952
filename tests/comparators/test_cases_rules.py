"""Pairs of real applications, each with its right verdict: all kinds that are not learned noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.corpora import judged

DATA = Path(__file__).parent.parent / "data"
FILE = DATA / "compare-cases.jsonl"
MORE = [
    line for name in ("more-cases.jsonl", "strangers-cases.jsonl") for line in (DATA / name).read_text().splitlines()
]
"""Pairs of all kinds in one table, faults beside noise and noise without a fault: by their own names."""
ELSEWHERE = ("own noise", "learned noise", "html: any text but an empty one")
"""Kinds that are tested where noise is."""


def _cases() -> list[Any]:
    lines = [json.loads(line) for line in FILE.read_text().splitlines()]
    return [
        pytest.param(case, id=f"{number}-{case['kind'][:40]}".replace(" ", "-"))
        for number, case in enumerate(lines)
        if (case.get("guard") and not case.get("learn_from")) or not case["kind"].startswith(ELSEWHERE)
    ]


@pytest.mark.parametrize("case", _cases())
def test_a_pair_has_the_right_verdict(case: dict[str, Any]) -> None:
    comparison = judged(case)

    assert comparison.verdict == case["right_verdict"], (case["why"], comparison)


@pytest.mark.parametrize("line", MORE, ids=lambda line: json.loads(line)["kind"])
def test_a_further_pair_has_the_right_verdict(line: str) -> None:
    test_a_pair_has_the_right_verdict(json.loads(line))
