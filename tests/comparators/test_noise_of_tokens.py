"""Tokens against forged requests are learned from legacy itself where pages are compared as text."""

from __future__ import annotations

from datetime import date
from random import Random
from string import ascii_letters, digits
from typing import Any

import pytest

from comparators.comparison import compare
from comparators.model import Capture, Comparison
from comparators.noise_learning import Learner
from comparators.noise_rules import NoiseRule
from comparators.policy import Policy
from tests.comparators.bodies import answer

TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0
NONE: dict[str, Any] = {"preset": "none", "noise": "learn"}
PLACES = {
    "laravel": '<input type="hidden" name="_token" value="{}">',
    "laravel's own order": '<input type="hidden" name="_token" value="{}" autocomplete="off">',
    "value first": '<input type="hidden" value="{}" name="csrf_token" />',
    "rails": '<input name="authenticity_token" type="hidden" value="{}" />',
    "single quotes": "<input type='hidden' name='csrfmiddlewaretoken' value='{}'>",
    "no quotes": "<input type=hidden name=sectok value={}>",
    "meta": '<meta name="csrf-token" content="{}">',
    "nonce": '<script nonce="{}">run()</script>',
    "script": '<script>var csrfToken = "{}";</script>',
    "data": '<div data-csrf="{}">x</div>',
}
ALL = "<head>" + "\n".join(PLACES.values()) + "</head>"


def token(draw: Random, length: int = 40) -> str:
    return "".join(draw.choices(ascii_letters + digits + "-_", k=length))


def page(form: str, draw: Random, title: str = "Plans", length: int = 40) -> Capture:
    filled = form.replace("{}", "\0")
    while "\0" in filled:
        filled = filled.replace("\0", token(draw, length), 1)
    return answer(f"<h1>{title}</h1>\n<form>{filled}</form><p>7 results</p>", "text/html")


def learned(form: str, seed: int = 1) -> tuple[NoiseRule, ...]:
    """What is learned from ten requests that legacy answered twice."""
    draw, learner, policy = Random(seed), Learner(), Policy.from_mapping(NONE, today=TODAY)
    for number in range(10):
        legacy = page(form, draw)
        found = compare(legacy, legacy, policy, secondary=(page(form, draw),))
        learner.add_observations(found.observations, AT + number)
    return tuple(each.rule for each in learner.suggestions(TODAY))


def judged(legacy: Capture, modern: Capture, rules: tuple[NoiseRule, ...], **settings: Any) -> Comparison:
    return compare(legacy, modern, Policy.from_mapping({**NONE, **settings}, noise=rules, today=TODAY))


@pytest.mark.parametrize("form", [*PLACES.values(), ALL], ids=[*PLACES, "all of them"])
def test_legacy_against_itself_is_silent_after_noise_learning(form: str):
    rules, draw = learned(form), Random(2)
    pairs = [(page(form, draw), page(form, draw)) for _ in range(10)]

    verdicts = {judged(one, two, rules).verdict for one, two in pairs}

    assert verdicts == {"noise"}
    assert {judged(one, two, ()).verdict for one, two in pairs} == {"different"}


@pytest.mark.parametrize("form", [*PLACES.values(), ALL], ids=[*PLACES, "all of them"])
def test_a_pair_whose_legacy_side_was_asked_twice_needs_no_learning(form: str):
    draw = Random(3)
    policy = Policy.from_mapping(NONE, today=TODAY)

    found = compare(page(form, draw), page(form, draw), policy, secondary=(page(form, draw),))
    changed = compare(page(form, draw), page(form, draw, "Plan"), policy, secondary=(page(form, draw),))

    assert found.verdict == "noise"
    assert [each.legacy for each in changed.findings] == ["line 1: <h1>Plans</h1>"]


@pytest.mark.parametrize("form", PLACES.values(), ids=PLACES)
def test_nothing_beside_a_token_is_hidden_nor_a_token_of_another_shape(form: str):
    rules, draw = learned(form), Random(4)
    legacy = page(form, draw)

    title = judged(legacy, page(form, draw, "Plan"), rules)
    longer = judged(legacy, page(form, draw, length=200), rules)
    empty = judged(legacy, page(form, draw, length=0), rules)
    gone = judged(legacy, page("", draw), rules)

    assert {each.verdict for each in (title, longer, empty, gone)} == {"different"}


def test_a_difference_behind_a_token_is_shown_where_it_is():
    form = f"{PLACES['laravel']}<b>{{title}}</b>"
    rules, draw = learned(form.replace("{title}", "one")), Random(5)
    legacy, modern = (page(form.replace("{title}", title), draw) for title in ("one", "two"))

    (found,) = judged(legacy, modern, rules).findings

    assert "<b>one</b>" in found.legacy
    assert "<b>two</b>" in found.modern


def test_what_is_no_token_by_its_name_is_not_learned_as_one():
    assert learned('<input type="hidden" name="password_hash" value="{}">') == ()
    assert learned('<input type="text" name="_token" value="{}">') == ()


def test_tokens_are_not_hidden_where_learning_is_only_suggested():
    form, draw = PLACES["laravel"], Random(6)

    assert judged(page(form, draw), page(form, draw), learned(form), noise="suggest").verdict == "different"


def test_a_page_that_is_made_to_be_slow_is_not():
    draw = Random(7)
    nasty = ["<a " * 50_000, '<a "' * 50_000, "<a x='" * 30_000, '<input name="_token" ' * 20_000, "csrf" * 50_000]
    policy = Policy.from_mapping(NONE, today=TODAY)

    for text in nasty:
        pages = [answer(f"{text}{token(draw)}", "text/html") for _ in range(3)]
        assert compare(*pages[:2], policy, secondary=pages[2:]).verdict in {"different", "noise"}


def drawn(text: str) -> Capture:
    return answer(f"<p>a</p><script>f('db=shed', '{text}');</script>", media="text/html")


@pytest.mark.parametrize(
    ("modern", "verdict"),
    [("745610:28289", "noise"), ("1045571:8019", "noise"), ("1045571:801", "different"), ("745610", "different"),
     ("745610:", "different"), ("745610:x", "different"), ("745610:28289:1", "different"), ("None:None", "different")],
)  # fmt: skip
def test_a_token_of_two_draws_may_be_a_small_one(modern: str, verdict: str):
    legacy, again = drawn("510513:836666"), drawn("288303:401466")

    assert compare(legacy, drawn(modern), Policy.from_mapping({"preset": "php"}), secondary=(again,)).verdict == verdict


def test_two_numbers_that_grow_are_no_draws():
    legacy, again = drawn("5105:8366"), drawn("5109:8367")

    assert (
        compare(legacy, drawn("5110:8368"), Policy.from_mapping({"preset": "php"}), secondary=(again,)).verdict
        == "noise"
    )
    assert (
        compare(legacy, drawn("5110:12"), Policy.from_mapping({"preset": "php"}), secondary=(again,)).verdict
        == "different"
    )
