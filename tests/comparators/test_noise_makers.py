"""By what whole values vary: made anew, in turn, about a size; whatever a few of many samples look like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.model import Finding, Observation
from comparators.noise_learning import Learner
from comparators.noise_rules import hides, hides_there
from tests.comparators.test_noise import AT, TODAY, TOKENS, quoted, rules


def sampled_twice(values: Sequence[str], path: str, *, step: float = 30.0) -> list[str]:
    """What is learned where each of legacy's first answers is held against a secondary, then against a re-check."""
    learner = Learner()
    for at, (first, other, again) in enumerate(zip(values[::3], values[1::3], values[2::3], strict=True)):
        for seconds, pair in ((0.0, (first, other)), (0.6, (again, first))):
            learner.add_observations([Observation(path, "value", *pair)], AT + at * step + seconds)
    return [each.rule.shape for each in learner.suggestions(TODAY)]


@pytest.mark.parametrize("form", ["{:032x}", "uuid", "ref_{:032x}", "html > p: {:032x}"])
@pytest.mark.parametrize("pairs", [4, 30])
def test_an_answer_that_is_held_against_two_others_was_made_once(form: str, pairs: int):
    chance = Random(form)
    made = [UUID(int=chance.getrandbits(128)) for _ in range(3 * pairs)]
    texts = [str(each) if form == "uuid" else form.format(each.int) for each in made]
    paged = form.startswith("html")

    found = sampled_twice(texts if paged else [json.dumps(each) for each in texts], "@body" if paged else "/ref")

    assert set(found) == {"text" if form.startswith("ref_") else "random"}


@given(st.integers(2, 8), st.integers(3, 60), st.integers(0, 2**32))
def test_a_few_values_in_turn_are_never_made_at_random(many: int, pairs: int, seed: int):
    chance = Random(seed)
    few = [f'"{chance.getrandbits(64):016x}"' for _ in range(many)]
    given = [each for _ in range(pairs) for each in chance.choices(few, k=3)]

    assert not {"random", "text"} & set(sampled_twice(given, "/ref", step=0.1))


@pytest.mark.parametrize("size", [8, 10])
def test_a_token_that_looks_like_a_word_by_chance_is_one_of_many(size: int) -> None:
    chance = Random(size)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
    tokens = ["".join(chance.choices(letters, k=size)) for _ in range(22)]
    word = ["CxudfYuLm1", "p0rteHJxzy"] if size == 10 else ["Xudfyulm", "p0rteHJx"]
    (rule,) = rules("/mark", quoted(*tokens, *word))

    assert rule.shape == "random"
    assert hides([rule], Finding("/mark", "value", f'"{tokens[0]}"', f'"{word[0]}"'))
    assert not hides([rule], Finding("/mark", "value", f'"{tokens[0]}"', f'"{word[0]}x"'))


def test_words_with_numbers_among_few_tokens_are_not_made() -> None:
    words = [f"{name}{number}" for number, name in enumerate(("Anna", "Bert", "Celine", "Dora", "Emil", "Frida"), 10)]

    assert rules("/name", quoted(*words, *(json.loads(one) for one, _ in TOKENS[:6]))) == ()
    assert rules("/name", quoted(*words, *(word.lower() for word in words))) == ()


@pytest.mark.parametrize(
    ("numbers", "like", "unlike"),
    [
        ((10.5, 58.0), ("8.1", "99"), ("0.0105", "4.1", "580")),
        ((30.5, 96.0), ("15.1", "150"), ("0.096", "960")),
    ],
)
def test_a_measure_may_be_a_little_beyond_its_records(
    numbers: tuple[float, float], like: tuple[str, ...], unlike: tuple[str, ...]
) -> None:
    made = rules("/ms", [(str(numbers[0] + n), str(numbers[1] - n)) for n in range(8)])

    assert [each for each in like if not hides(made, Finding("/ms", "value", "31.5", each))] == []
    assert [each for each in unlike if hides(made, Finding("/ms", "value", "31.5", each))] == []


@pytest.mark.parametrize("form", ["{}-{}", "/g/{}/{}/7", "ref.{}.{}", "{1}-{0}"])
@pytest.mark.parametrize("path", ["/ref", "@body"])
def test_an_id_of_the_requests_own_is_no_part_of_a_token_beside_it(form: str, path: str) -> None:
    chance = Random(form)

    def made() -> str:
        return "".join(chance.choices("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNOPQRSTUVWXYZ0123456789-_", k=22))

    def said(user: str) -> str:
        return f"html > p: {form.format(user, made())}" if path == "@body" else f'"{form.format(user, made())}"'

    users = [made()[:12] for _ in range(12)]
    found = rules(path, [(said(user), said(user)) for user in users])
    legacy, modern = said(users[0]), said(users[1])

    if path == "@body":
        assert not hides_there(found, path, "html > p", legacy[10:], modern[10:])
    else:
        assert not hides(found, Finding(path, "value", legacy, modern))


@pytest.mark.parametrize(("pieces", "shapes"), [(1, ["random"]), (6, [])])
def test_two_tokens_that_look_like_rows_of_pieces_by_chance_are_tokens(pieces: int, shapes: list[str]) -> None:
    chance = Random(7)
    texts = [f"/r/a: {chance.getrandbits(256):064x}" for _ in range(22)]
    samples = list(zip(texts[::2], texts[1::2], strict=True))
    for _ in range(pieces):
        samples += [("/r/a: 3f…", "/r/a: 9c…"), ("/r/a: …-41", "/r/a: …-7f")]
    made = rules("@body", samples)

    assert [rule.shape for rule in made if rule.shape != "text"] == shapes
    assert hides_there(made, "@body", "/r/a", texts[0][6:], f"{41:064x}"[::-1]) is bool(shapes)
