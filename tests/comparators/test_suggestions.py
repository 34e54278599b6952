"""What is suggested of legacy's noise, pasted into the file, silences what it was drawn from and nothing beside it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
import yaml

from bench import noisy
from comparators import Policy, compare
from comparators.noise_learning import Learner, Suggestion
from comparators.noise_words import pasted
from rules.safe_regex import refuse_dangerous
from tests.comparators.test_noise_of_signed_tokens import token

LEARNS: dict[str, Any] = {"preset": "php", "noise": "learn"}
PAIRS = 6


def learned(pairs: list[noisy.Pair], begun: float) -> tuple[tuple[Suggestion, ...], date]:
    learner, policy, start = Learner(), Policy.from_mapping(LEARNS), noisy.START.timestamp() + begun
    for number, one in enumerate(pairs):
        seen = compare(one.legacy, one.legacy, policy, secondary=one.again).observations
        learner.add_observations(seen, start + number * 600)
    today = (datetime.fromtimestamp(start, tz=UTC) + timedelta(days=1)).date()
    return learner.suggestions(today), today


def by_file(found: tuple[Suggestion, ...], today: date) -> Policy:
    """The policy of a route whose file has the suggested lines; what it learns is in force where they say so."""
    mapping: dict[str, Any] = yaml.safe_load(pasted((one.setting, one.entry, "why") for one in found)) or {}
    rules = tuple(one.rule for one in found) if mapping.get("noise") == "learn" else ()
    return Policy.from_mapping({"preset": "php", "noise": "none", **mapping}, noise=rules, today=today)


@pytest.mark.parametrize("kind", noisy.KINDS, ids=lambda kind: kind.name)
def test_what_is_suggested_silences_its_samples_and_nothing_beside_them(kind: noisy.Kind):
    draw = Random(kind.name)
    without: list[str] = []
    for place in noisy.PLACES:
        if place.bare and not kind.bare:
            continue
        begun = draw.uniform(0, 1e6)
        pairs = [noisy.pair(draw, kind, place, at=begun + 600 * number) for number in range(PAIRS)]
        found, today = learned(pairs, begun)
        if not found:
            without.append(place.name)
            continue
        policy = by_file(found, today)
        wrong = noisy.pair(draw, kind, place, noisy.BESIDE, at=begun + 3000)

        assert all(one.setting and one.entry for one in found)
        for pattern in (yaml.safe_load(one.entry) for one in found if one.setting == "ignore_text"):
            refuse_dangerous(pattern)
        assert {compare(one.legacy, one.again[0], policy).verdict for one in pairs} <= {"equal", "noise"}, place.name
        assert compare(wrong.legacy, wrong.modern, policy).verdict == "different", place.name

    assert len(without) <= (2 if kind.bare else 3), without


@pytest.mark.parametrize("form", ["use {} before noon", "/files/7?sig={}&page=2"])
def test_no_line_is_suggested_that_looks_into_a_signed_token(form: str):
    at = noisy.START.timestamp()
    pairs = [
        tuple(
            noisy.answer(f'{{"note":"{form.format(token(at=int(at) + 600 * number + late))}"}}', noisy.JSON)
            for late in (0, 1)
        )
        for number in range(PAIRS)
    ]
    learner = Learner()
    for number, (one, two) in enumerate(pairs):
        seen = compare(one, one, Policy.from_mapping(LEARNS), secondary=(two,)).observations
        learner.add_observations(seen, at + 600 * number)
    today = noisy.START.date()

    found = learner.suggestions(today)

    assert {one.setting for one in found} == {"noise"}
    assert [compare(one, two, by_file(found, today)).verdict for one, two in pairs] == ["noise"] * PAIRS


def test_each_pattern_of_the_file_matches_what_it_was_learned_from():
    draw = Random(4)
    for kind, place in noisy.combinations():
        if place.media != noisy.JSON or kind.name not in {"uuid", "hex of 32", "epoch", "base64 of 32 bytes"}:
            continue
        pairs = [noisy.pair(draw, kind, place, at=600 * number) for number in range(PAIRS)]
        for one in learned(pairs, 0)[0]:
            if one.setting == "ignore_text":
                pattern = re.compile(yaml.safe_load(one.entry).replace("\\A", '(?<=")').replace("\\Z", '(?=")'))
                assert pattern.search(pairs[0].legacy.body.decode()), one.entry
