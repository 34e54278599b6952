"""Pairs of real applications, of the kinds that noise is about: each has the right verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.corpora import judged

CASES = Path(__file__).parents[1] / "data" / "compare-cases.jsonl"
KINDS = ("own noise", "learned noise", "html: any text but an empty one passes for a CSRF token")


def cases() -> Iterator[Any]:
    """The pairs of the kinds of this room."""
    for number, line in enumerate(CASES.read_text().splitlines(), 1):
        case = json.loads(line)
        if case["kind"].startswith(KINDS):
            yield pytest.param(case, id=f"{number}-{case['why'][:40]}")


@pytest.mark.parametrize("case", [*cases()])
def test_a_pair_has_the_right_verdict(case: Mapping[str, Any]) -> None:
    assert judged(case).verdict == case["right_verdict"], case["why"]
