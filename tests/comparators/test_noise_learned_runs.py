"""Made pieces side by side in one text are learned together: all of them vary, nothing between them does."""

from __future__ import annotations

import json
import re
from datetime import date
from random import Random
from string import ascii_letters, digits
from time import perf_counter
from typing import Any, Final

import pytest
import yaml

from comparators import Capture, Policy, compare
from comparators.model import Observation
from comparators.noise_clauses import found
from comparators.noise_learning import Learner, Suggestion
from comparators.noise_rules import masked_both
from comparators.noise_words import pasted
from tests.comparators.bodies import answer

TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0
LEARNS: dict[str, Any] = {"preset": "php", "noise": "learn"}
LETTERS: Final = {"h": "0123456789abcdef", "w": ascii_letters + digits, "u": ascii_letters + digits + "_-"}
FORMS = {
    "W3C traceparent": "00-<h32>-<h16>-01",
    "B3": "<h16>-<h16>-1",
    "B3 with its parent": "<h32>-<h16>-1-<h16>",
    "Symfony's token": "<h31>.<u43>.<u43>",
    "Symfony's token of base64": "<u24>.<u43>.<u43>",
    "django.signing": "<w12>:<w6>:<u43>",
    "itsdangerous": "<u54>.<u6>.<u27>",
    "in a path": "<h16>/<h16>/<h16>",
    "words of three": "<h16> <h16> <h16>",
}
HOLDERS = {
    "JSON": ("application/json", lambda text: json.dumps({"d": {"x": text}, "n": 1})),
    "sentence": ("application/json", lambda text: json.dumps({"d": {"x": f"Vorgang {text} angelegt"}, "n": 1})),
    "lines": ("text/plain", lambda text: f"hello\nsee {text} there"),
    "text": ("text/html", lambda text: f"<main><h1>a</h1><p class=x>{text}</p></main>"),
    "attribute": ("text/html", lambda text: f'<main><p><a href="/x" data-ref="{text}">go</a></p></main>'),
    "script": ("text/html", lambda text: f"<script>var a = {json.dumps({'ref': text})};</script>"),
    "document": ("application/xml", lambda text: f"<r><a>{text}</a><b>1</b></r>"),
    "table": ("text/csv", lambda text: f'id,x\n1,"{text}"\n'),
}
CASES = [(form, holder) for form in FORMS for holder in HOLDERS]
PIECE: Final = re.compile("<([hwu])([0-9]+)>")


def said(form: str, chance: Random) -> str:
    return PIECE.sub(lambda one: "".join(chance.choices(LETTERS[one[1]], k=int(one[2]))), form)


def filled(form: str, holder: str, chance: Random) -> Capture:
    media, write = HOLDERS[holder]
    return answer(write(said(form, chance)), media)


def learned(form: str, holder: str, chance: Random) -> tuple[Suggestion, ...]:
    learner, policy = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(12):
        first, again = filled(form, holder, chance), filled(form, holder, chance)
        observed = compare(first, first, policy, secondary=(again,)).observations
        learner.add_observations(observed, AT + 600 * number)
    return learner.suggestions(TODAY)


def by_rules(found: tuple[Suggestion, ...]) -> Policy:
    return Policy.from_mapping(LEARNS, noise=tuple(one.rule for one in found), today=TODAY)


def seeded(form: str, holder: str) -> Random:
    return Random(f"{form} in {holder}")


@pytest.mark.parametrize(("name", "holder"), CASES)
def test_all_pieces_of_a_run_are_learned(name: str, holder: str):
    chance, form = seeded(name, holder), FORMS[name]
    policy = by_rules(learned(form, holder, chance))

    found = [compare(filled(form, holder, chance), filled(form, holder, chance), policy) for _ in range(6)]

    assert {each.verdict for each in found} == {"noise"}, found[0].findings


def zeros(form: str) -> list[str]:
    """The form with a piece of nothing but zeros, each in turn, and with all of them."""
    one = [f"{form[: each.start()]}{'0' * int(each[2])}{form[each.end() :]}" for each in PIECE.finditer(form)]
    return [*one, PIECE.sub(lambda each: "0" * int(each[2]), form)]


@pytest.mark.parametrize("form", [*FORMS.values(), "<h32>", "Vorgang <h16> ok"])
@pytest.mark.parametrize("holder", ["JSON", "sentence", "text", "lines"])
def test_a_piece_of_zeros_was_not_made(form: str, holder: str):
    chance = Random(f"{form} {holder}")
    policy = by_rules(learned(form, holder, chance))
    long = [other for other in zeros(form) if re.search("0{8}", other)]

    assert long
    for other in long:
        found = compare(filled(form, holder, chance), filled(other, holder, chance), policy)

        assert found.verdict == "different", other


def wrong_forms(form: str) -> list[str]:
    """The form with each of its pieces lost, spoilt, longer, shorter, and with what stands between changed."""
    wrong = [f"{form}x", f"x{form}", form[::-1].replace("-", ":", 1)[::-1] if "-" in form else f"{form}:"]
    for piece in PIECE.finditer(form):
        size = int(piece[2])
        others = ("", "None", "{{ x }}", f"{piece[0]}{piece[0]}", f"<{piece[1]}{size // 2}>", f"<{piece[1]}{size - 1}>")
        wrong += [f"{form[: piece.start()]}{other}{form[piece.end() :]}" for other in others]
    marks = {mark for mark in ".:/- " if f">{mark}<" in form}
    wrong += [form.replace(f">{mark}<", f">{other}<", 1) for mark in marks for other in ("|", "", f"{mark}{mark}")]
    kept = [(r"\A00", "01"), (r"-01\Z", "-00"), (r"-1\Z", "-0"), ("-1-", "-0-")]
    return wrong + [re.sub(one, other, form) for one, other in kept if re.search(one, form)]


@pytest.mark.parametrize(("name", "holder"), CASES)
def test_nothing_else_of_a_run_may_vary(name: str, holder: str):
    chance, form = seeded(name, holder), FORMS[name]
    policy = by_rules(learned(form, holder, chance))

    for other in wrong_forms(form):
        if (holder, other) == ("text", form.replace(" ", "  ", 1)):
            continue  # white space of a page

        found = compare(filled(form, holder, chance), filled(other, holder, chance), policy)

        assert found.verdict == "different", other


@pytest.mark.parametrize(("name", "holder"), CASES)
def test_the_lines_to_paste_silence_a_run(name: str, holder: str):
    chance, form = seeded(name, holder), FORMS[name]
    suggested = learned(form, holder, chance)
    mapping = yaml.safe_load(pasted((one.setting, one.entry, "why") for one in suggested)) or {}
    rules = tuple(one.rule for one in suggested) if mapping.get("noise") == "learn" else ()
    policy = Policy.from_mapping({"preset": "php", "noise": "none", **mapping}, noise=rules, today=TODAY)

    verdict = compare(filled(form, holder, chance), filled(form, holder, chance), policy).verdict

    assert verdict in {"equal", "noise"}


@pytest.mark.parametrize("form", ["<h32>-user{}-<h16>", "<h16>.{}.<h16>.<h16>", "{}.<h32>.<h16>.<h16>"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_what_stays_in_each_pair_is_no_part_of_a_run(form: str, holder: str):
    """Another user's id beside tokens is another user's, however many users were seen."""
    chance = Random(f"{form} {holder}")
    learner, policy = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(60):
        first, again = (filled(form.format(41 + number % 4), holder, chance) for _ in "12")
        learner.add_observations(compare(first, first, policy, secondary=(again,)).observations, AT + 600 * number)
    policy = by_rules(learner.suggestions(TODAY))

    one, two = (filled(form.format(user), holder, chance) for user in (41, 42))

    assert compare(one, two, policy).verdict == "different"


@pytest.mark.parametrize(
    "form", ["password <h16>.<h16>.<h16>", "<h16>.<h16>.<h16> api_key=<h16>", "sid=<h16>.<h16> ok"]
)
def test_a_run_with_a_secret_in_it_is_not_learned_as_one(form: str):
    there = learned(form, "JSON", seeded(form, "JSON"))

    assert [each.rule.pattern for each in there if re.compile(each.rule.pattern).groups] == []


def test_a_run_of_numbers_is_none():
    observed = [
        Observation("/a", "value", *(json.dumps(f"{chance.randrange(1, 9)} {chance.randrange(1, 9)} 7") for _ in "12"))
        for chance in map(Random, range(20))
    ]
    learner = Learner()
    for number, each in enumerate(observed):
        learner.add_observations([each], AT + 60 * number)

    assert [one.rule.pattern for one in learner.suggestions(TODAY) if re.compile(one.rule.pattern).groups] == []


def test_a_run_is_masked_piece_by_piece():
    chance = Random(7)
    rules = [one.rule for one in learned(FORMS["W3C traceparent"], "JSON", chance)]
    text = said(FORMS["W3C traceparent"], chance)

    assert masked_both(rules, "/d/x", text, text)[0] == "00-\0-\0-01"


def test_a_long_text_of_runs_takes_no_long():
    chance = Random(8)
    rules = [one.rule for one in learned(FORMS["Symfony's token of base64"], "sentence", chance)]
    texts = ["Vorgang " + "a" * 200_000, "Vorgang " * 40_000, "Vorgang " + f"{'b' * 24}.{'c' * 43}." * 3_000]
    many = "-".join(f"{chance.getrandbits(64):016x}" for _ in range(3_000))

    start = perf_counter()
    for text in texts:
        masked_both(rules, "/d/x", text, text)
    found(many, many[::-1], whole=True, placed=True)

    assert perf_counter() - start < 2
