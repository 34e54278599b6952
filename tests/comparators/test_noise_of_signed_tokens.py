"""A signed token is known by its parts: who it is about stays, when it was made and its signature vary."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date
from random import Random
from typing import Any

import pytest

from comparators import Comparison, Policy, compare
from comparators.noise_learning import Learner
from comparators.noise_rules import NoiseRule
from tests.comparators.answers import answer, policy

TODAY = date(2026, 11, 21)
AT = 1_795_228_800
LEARNS: dict[str, Any] = {"preset": "php", "noise": "learn"}
DRAW = Random(3)
FORMS = {
    "a value": '{"session":"@"}',
    "an address": '{"url":"/files/7?sig=@&page=2"}',
    "a sentence": '{"note":"use @ before noon"}',
}


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(user: str = "4711", at: int = AT, *, signature: int = 32, head: str = "HS256", **more: Any) -> str:
    claims = {"sub": user, "iat": at, "jti": DRAW.randbytes(12).hex(), **more}
    made = urlsafe_b64encode(DRAW.randbytes(signature)).rstrip(b"=").decode()
    return f"{part({'typ': 'JWT', 'alg': head})}.{part(claims)}.{made}"


def asked_again(form: str, first: str, again: str, modern: str) -> Comparison:
    one, two, three = (answer(FORMS[form].replace("@", each)) for each in (first, again, modern))
    return compare(one, three, policy({"preset": "php"}), secondary=(two,))


def learned(form: str) -> tuple[NoiseRule, ...]:
    learner, rules = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(8):
        at = AT + 600 * number
        one, two = (answer(FORMS[form].replace("@", token(at=at + late))) for late in (0, 1))
        learner.add_observations(compare(one, one, rules, secondary=(two,)).observations, at)
    return tuple(each.rule for each in learner.suggestions(TODAY))


WRONG = {
    "another user": {"user": "4712"},
    "another hour": {"at": AT + 7200},
    "a role more": {"role": "admin"},
    "a shorter signature": {"signature": 20},
    "another algorithm": {"head": "none"},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_token_made_anew_is_noise(form: str):
    assert asked_again(form, token(), token(at=AT + 1), token(at=AT + 2)).verdict == "noise"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_token_says_is_no_noise(form: str, wrong: str):
    assert asked_again(form, token(), token(at=AT + 1), token(**WRONG[wrong])).verdict == "different"


@pytest.mark.parametrize("form", FORMS)
def test_what_was_learned_hides_a_token_of_any_user_but_no_other_users(form: str):
    rules = learned(form)
    later = AT + 9000
    for user in ("4711", "815"):
        legacy, modern, *wrong = (
            answer(FORMS[form].replace("@", each))
            for each in (
                token(user, later), token(user, later + 1), token("4712", later), token(user, later, signature=20),
            )
        )  # fmt: skip
        judge = Policy.from_mapping(LEARNS, noise=rules, today=TODAY)
        assert compare(legacy, modern, judge).verdict == "noise"
        assert [compare(legacy, each, judge).verdict for each in wrong] == ["different", "different"]
