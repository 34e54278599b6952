"""Laws of noise: what all of legacy's values share is kept, names that do not apply change nothing, findings grow."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import noisy
from comparators import Capture, Comparison, Policy, compare, comparison
from comparators.noise_learning import Learner, Suggestion
from comparators.noise_rules import Same, chunks, pieces
from comparators.self_noise import Own, are_tokens, fits, fits_by_pieces
from tests.comparators.answers import answer, policy

PHP = Policy.from_mapping({"preset": "php", "noise": "learn"})
SEEDS = st.integers(0, 2**32)
COMBINATIONS = [*noisy.combinations()]
WHERE = st.sampled_from(COMBINATIONS)
SETTLED = [(kind, place) for kind, place in COMBINATIONS if kind.name not in {"jwt", "laravel's sealed value"}]


def judged(one: noisy.Pair) -> str:
    return compare(one.legacy, one.modern, PHP, secondary=one.again).verdict


@given(SEEDS, WHERE)
def test_what_stands_beside_noise_counts(seed: int, where: Any) -> None:
    one = noisy.pair(Random(seed), *where, noisy.BESIDE, asked=2)

    assert judged(one) == "different"


@given(SEEDS, WHERE, st.data())
def test_a_value_that_breaks_what_all_samples_share_counts(seed: int, where: Any, data: st.DataObject) -> None:
    kind, place = where
    one = noisy.pair(Random(seed), kind, place, data.draw(st.sampled_from(sorted(kind.faults))), asked=3)

    assert judged(one) == "different" or not noisy.is_wrong(one)


@given(SEEDS, st.sampled_from(SETTLED))
def test_legacy_against_itself_asked_four_times_is_silent(seed: int, where: Any) -> None:
    one = noisy.pair(Random(seed), *where, asked=4)

    assert judged(one) in {"noise", "equal"}


def learned(seed: int, kind: noisy.Kind, place: noisy.Place) -> tuple[Suggestion, ...]:
    draw, learner, start = Random(seed), Learner(), noisy.START.timestamp()
    for number in range(8):
        one = noisy.pair(draw, kind, place, at=number * 600.0)
        learner.add_observations(
            compare(one.legacy, one.legacy, PHP, secondary=one.again).observations, start + number * 600
        )
    return learner.suggestions(noisy.START.date())


@given(SEEDS, WHERE, st.data())
def test_learned_noise_hides_nothing_that_breaks_what_all_samples_share(
    seed: int, where: Any, data: st.DataObject
) -> None:
    kind, place = where
    rules = tuple(each.rule for each in learned(seed, kind, place))
    fault = data.draw(st.sampled_from((*sorted(kind.faults), noisy.BESIDE)))
    one = noisy.pair(Random(seed + 1), kind, place, fault, at=7200.0)
    by_rules = Policy.from_mapping({"preset": "php", "noise": "learn"}, noise=rules, today=noisy.START.date())

    assert compare(one.legacy, one.modern, by_rules).verdict == "different" or not noisy.is_wrong(one)


@given(SEEDS, WHERE)
def test_learned_noise_of_one_name_changes_nothing_of_another(seed: int, where: Any) -> None:
    kind, place = where
    rules = [each.rule for each in learned(seed, kind, place) if each.rule.path.startswith("/")]
    one = noisy.pair(Random(seed), kind, place)
    other = [
        Capture("GET", "/", 200, each.headers, b'{"other":%s}' % each.body if rules else each.body)
        for each in (one.legacy, one.modern)
    ]
    by_rules = Policy.from_mapping({"preset": "php", "noise": "learn"}, noise=rules, today=noisy.START.date())

    assert compare(*other, by_rules) == compare(*other, PHP)


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
VALUES = st.integers(0, 99) | st.text("ab1-", max_size=9) | st.booleans() | st.none()


@given(st.dictionaries(NAMES, VALUES, min_size=1), st.data())
def test_findings_only_grow_with_more_differences(body: dict[str, Any], data: st.DataObject) -> None:
    again = {name: data.draw(VALUES) if data.draw(st.booleans()) else value for name, value in body.items()}
    modern = {name: data.draw(VALUES) if data.draw(st.booleans()) else value for name, value in body.items()}
    name = data.draw(st.sampled_from(sorted(body)))
    # One difference more, at a place where there was none.
    fewer, more = {**modern, name: body[name]}, {**modern, name: "something else altogether"}
    found = [asked(body, again, each) for each in (fewer, more)]

    assert {each.path for each in found[0].findings} <= {each.path for each in found[1].findings}
    assert any(each.path == f"/{name}" for each in found[1].findings)


def asked(legacy: Any, again: Any, modern: Any) -> Comparison:
    first, second, other = (answer(json.dumps(body)) for body in (legacy, again, modern))
    return compare(first, other, policy(), secondary=(second,))


TEXTS = st.text(st.sampled_from("abAB01 -_./:=+%&?<>\"'{}é…\x00"), max_size=80)


@given(TEXTS, TEXTS, TEXTS)
def test_texts_are_taken_apart_without_loss(one: str, two: str, three: str) -> None:
    assert "".join(chunks(one)) == one
    found = pieces((one, two, three))
    for at, text in enumerate((one, two, three)):
        assert (
            found is None or "".join(each.text if isinstance(each, Same) else each.values[at] for each in found) == text
        )


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS, st.booleans())
def test_any_texts_fit_or_not_and_legacys_own_always_do(values: list[str], given_: str, words: bool) -> None:
    assert fits(values, given_, words=words) in {True, False}
    assert not fits([values[0]], given_) or given_ == values[0]


def test_what_is_kept_of_texts_is_bounded() -> None:
    own = Own()
    for number in range(20_000):
        own.add_difference("/a", str(number), "x" * 2000, "y" * 2000)

    assert sum(len(one) + len(two) for _, _, one, two in own.all()) <= 8 << 20


@given(SEEDS, st.integers(6, 32))
def test_what_is_a_token_at_a_glance_fits(seed: int, size: int) -> None:
    draw = Random(seed)
    one, two, three = (draw.randbytes(size).hex() for _ in range(3))

    assert not are_tokens(one, two, three) or fits_by_pieces([one, two], three)
    assert not are_tokens(one, two, three[:-1])
    assert not are_tokens(one, two, "0" * len(one))


MANY = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), VALUES, min_size=8, max_size=14)


@pytest.mark.skipif(not str(comparison.__file__).endswith(".py"), reason="a compiled bound cannot be lowered")
@given(MANY, st.data())
def test_legacy_asked_place_by_place_hides_what_observations_hide(body: dict[str, Any], data: st.DataObject) -> None:
    again = {name: data.draw(VALUES) for name in body}
    modern = {name: data.draw(VALUES | st.just(body[name]) | st.just(again[name])) for name in body}
    observed_ = asked(body, again, modern)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "MOST_LOOKED_AT", 5)
        by_place = asked(body, again, modern)

    assert by_place.verdict == observed_.verdict
    assert {each.path for each in by_place.findings} <= {each.path for each in observed_.findings}
