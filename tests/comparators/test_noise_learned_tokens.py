"""Tokens of letters alone, of several pieces, of bytes: learned from many answers, with all around them held."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final

import pytest

from comparators import Capture, Policy, compare
from comparators.noise_learning import Learner, Suggestion
from tests.comparators.bodies import answer

TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0
LEARNS: dict[str, Any] = {"preset": "php", "noise": "learn"}
LETTERS: Final = {
    "U": ascii_uppercase,
    "l": ascii_lowercase,
    "w": ascii_letters + digits,
    "h": digits + "abcdef",
    "b": ascii_uppercase + "234567",
}
WHOLE = {
    "client secret": ("pi_3<w23>_secret_<w25>", "si_3<w23>_secret_<w25>|pi_3<w23>-secret-<w25>|pi_3<w23>_secret_<w24>"),
    "setup secret": ("seti_1<w23>_secret_<w25>", "pi_1<w23>_secret_<w25>|seti_1<w23>_key_<w25>|seti_1<w23>"),
    "two with a dash": ("<w23>-<w25>", "<w23>_<w25>|<w23><w25>|<w22>-<w25>|<w23>.<w25>|<w23>-<w24>!"),
    "two with a line": ("<w20>_<w20>", "<w20>-<w20>|<w20>_<w19>|<w41>"),
    "three": ("<w12>-<w12>-<w12>", "<w12>_<w12>-<w12>|<w12>-<w12>"),
    "letters": ("<U5>", "<l5>|<U4>|<U6>|None"),
    "small letters": ("<l8>", "<U8>|<l7>|undefined"),
    "two of letters": ("<U4>-<U4>", "<U4>_<U4>|<U4>-<U3>|<l4>-<l4>"),
    "hardware": ("<h2>:<h2>:<h2>:<h2>:<h2>:<h2>", "<h2>-<h2>-<h2>-<h2>-<h2>-<h2>|<h2>:<h2>:<h2>:<h2>:<h2>|<h12>"),
    "of one maker": ("02:42:ac:<h2>:<h2>:<h2>", "02:42:ad:<h2>:<h2>:<h2>|02:42:ac:<h2>:<h2>"),
    "a fingerprint": (":".join(["<h2>"] * 20), "<h40>|" + ":".join(["<h2>"] * 19)),
}
INSIDE = {
    "in a query": (
        "/f/4?k=<U8>&v=2",
        "/f/5?k=<U8>&v=2|/f/4?k=<U8>&v=3|/f/4?k=<U7>&v=2|/f/4?k=None&v=2|/f/4?k=<l8>&v=2",
    ),
    "at the end": ("/f/4?v=2&k=<U8>", "/f/5?v=2&k=<U8>|/f/4?v=3&k=<U8>|/f/4?v=2&k=<U8>&a=1"),
    "a picture": ("/captcha/<U5>.png", "/captcha/<U5>.jpg|/picture/<U5>.png|/captcha/<U6>.png|/captcha/.png"),
    "in a path": ("https://x.test/r/<l8>/file/4", "https://x.test/r/<l8>/file/5|https://y.test/r/<l8>/file/4"),
    "a sentence": ("Code <U6> for seat 12C", "Code <U6> for seat 12D|Code <l6> for seat 12C|Code NONE for seat 12C"),
    "a sentence, small": ("Code <l6> for seat 12C", "Code <l6> for seat 12D|Code undefined for seat 12C"),
    "two in a sentence": ("Ref <w23>-<w25> is done", "Ref <w23>_<w25> is done|Ref <w23>-<w25> is lost"),
    "a client secret": ("See /pay?s=pi_3<w23>_secret_<w25>&r=7", "See /pay?s=pi_3<w23>_secret_<w25>&r=8"),
    "base32": ("Scan or enter <b16> in the app", "Scan or enter <b16> in the box|Scan or enter <b15> in the app"),
    "hardware in a sentence": ("Device <h2>:<h2>:<h2>:<h2>:<h2>:<h2> in room 4", "Device <h12> in room 4"),
}
HOLDERS: dict[str, tuple[str, Callable[[str], str]]] = {
    "JSON": ("application/json", lambda text: json.dumps({"d": {"x": text}, "n": 1})),
    "text": ("text/html", lambda text: f"<main><h1>a</h1><p class=x>{text}</p></main>"),
    "document": ("application/xml", lambda text: f"<r><a>{text.replace('&', '&amp;')}</a><b>1</b></r>"),
    "table": ("text/csv", lambda text: f'id,x\n1,"{text}"\n'),
}
CASES = [(form, wrong, holder) for form, wrong in (*WHOLE.values(), *INSIDE.values()) for holder in HOLDERS]
NAMED = [f"{name}, {holder}" for name in (*WHOLE, *INSIDE) for holder in HOLDERS]


def said(form: str, chance: Random) -> str:
    head, *rest = form.split("<")
    for part in rest:
        kind, _, after = part.partition(">")
        head += "".join(chance.choices(LETTERS[kind[0]], k=int(kind[1:]))) + after
    return head


def filled(text: str, holder: str) -> Capture:
    media, write = HOLDERS[holder]
    return answer(write(text), media)


def learned(draw: Callable[[int], tuple[str, str]], holder: str, many: int = 12) -> tuple[Suggestion, ...]:
    learner, policy = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(many):
        first, again = (filled(text, holder) for text in draw(number))
        found = compare(first, first, policy, secondary=(again,)).observations
        learner.add_observations(found, AT + 600 * number)
    return learner.suggestions(TODAY)


def by_rules(found: tuple[Suggestion, ...]) -> Policy:
    return Policy.from_mapping(LEARNS, noise=tuple(one.rule for one in found), today=TODAY)


@pytest.mark.parametrize(("form", "wrong", "holder"), CASES, ids=NAMED)
def test_another_token_is_noise_and_nothing_else(form: str, wrong: str, holder: str) -> None:
    chance = Random(f"{form} in {holder}")
    policy = by_rules(learned(lambda _: (said(form, chance), said(form, chance)), holder))

    def held(text: str) -> str:
        return compare(filled(said(form, chance), holder), filled(said(text, chance), holder), policy).verdict

    assert sum(held(form) != "noise" for _ in range(20)) == 0
    assert [each for each in wrong.split("|") for _ in range(5) if held(each) != "different"] == []


@pytest.mark.parametrize(
    ("form", "pieces"),
    [
        ("{}-<w25>", "<w23>"),
        ("<w25>-{}", "<w23>"),
        ("{}_<w20>", "<U6>"),
        ("pi_{}_secret_<w25>", "<w23>"),
        ("{}-{}", "<w12>"),
        ("{}:<h2>:<h2>:<h2>", "<h2>:<h2>:<h2>"),
    ],
    ids=["first", "last", "letters", "in a client secret", "the same twice", "a maker of hardware"],
)
def test_what_stays_in_each_pair_is_the_request_s_own(form: str, pieces: str) -> None:
    chance = Random(form)

    def pair(_: int) -> tuple[str, str]:
        own = said(pieces, chance)
        both = form.replace("{}-{}", f"{own}-<w12>").replace("{}", own)
        return said(both, chance), said(both, chance)

    policy = by_rules(learned(pair, "JSON"))
    for number in range(10):
        one, other = pair(number)[0], pair(number)[0]

        assert compare(filled(one, "JSON"), filled(other, "JSON"), policy).verdict == "different"


NAMES = ["Anna", "Bo", "Casper", "Eva"]
GREETED = {
    "a token": (
        "{} opened <h8> in room 4",
        "{} opened <h8> in room 5|{} closed <h8> in room 4|{} opened <h7> in room 4",
    ),
    "a name behind": ("<h8> is open for {} in room 4", "<h8> is open for {} in room 5|<h8> is shut for {} in room 4"),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(("form", "wrong"), GREETED.values(), ids=GREETED)
def test_a_few_names_beside_a_token_are_these_names(form: str, wrong: str, holder: str) -> None:
    chance = Random(f"{form} in {holder}")

    def text(form: str = form) -> str:
        return said(form.replace("{}", chance.choice(NAMES)), chance)

    found = learned(lambda _: (text(), text()), holder, many=30)
    policy = by_rules(found)

    def held(text_: str) -> str:
        return compare(filled(text(), holder), filled(text_, holder), policy).verdict

    assert all(held(text()) in {"equal", "noise"} for _ in range(20))
    assert [each for each in wrong.split("|") if held(text(each)) != "different"] == []
    for stranger in ("None", "Dirk", "undefined", "anna", "ANNA", ""):
        assert held(said(form.replace("{}", stranger), chance)) == "different", stranger
    assert not any(name in json.dumps(one.rule.to_mapping()) for one in found for name in NAMES)
    assert {one.setting for one in found if one.rule.values} == {"noise"}


@pytest.mark.parametrize("names", [["Anna", "Bo"], ["yes", "no"], ["Anna", "Evan"]], ids=" ".join)
@pytest.mark.parametrize("holder", HOLDERS)
def test_two_words_in_turn_are_these_two(names: list[str], holder: str) -> None:
    chance = Random(f"{names} in {holder}")

    def text() -> str:
        return said(f"Host {chance.choice(names)} opened <h8> in room 4", chance)

    policy = by_rules(learned(lambda _: (text(), text()), holder, many=30))

    def held(name: str) -> str:
        return compare(
            filled(text(), holder), filled(said(f"Host {name} opened <h8> in room 4", chance), holder), policy
        ).verdict

    assert {held(each) for each in names} <= {"equal", "noise"}
    assert {held(each) for each in ("Eva", "Dirk", "None", "null", "anna")} == {"different"}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(
    "rest", ["welcome", "your loan is ready and waits for you at the desk on the first floor, behind the stairs"]
)
def test_a_text_with_one_of_a_few_names_is_learned(rest: str, holder: str) -> None:
    chance = Random(f"{rest} in {holder}")

    def text(name: str) -> str:
        return f"Hello {name}, {rest}"

    policy = by_rules(learned(lambda _: (text(chance.choice(NAMES)), text(chance.choice(NAMES))), holder, many=30))

    def held(modern: str) -> str:
        return compare(filled(text("Anna"), holder), filled(modern, holder), policy).verdict

    assert held(text("Bo")) == "noise"
    assert {held(text("None")), held(text("Bo").replace("Hello", "Bye"))} == {"different"}


def test_a_name_is_one_of_few_at_its_own_place_alone() -> None:
    chance = Random(5)

    def page(served: str, host: str = "Anna") -> Capture:
        token = said("<h8>", chance)
        return answer(
            f"<main><h1>Hosted by {host} today</h1><p>{token} served by {served} today</p></main>", "text/html"
        )

    learner, policy = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(30):
        first, again = page(chance.choice(NAMES)), page(chance.choice(NAMES))
        learner.add_observations(compare(first, first, policy, secondary=(again,)).observations, AT + 600 * number)
    policy = by_rules(learner.suggestions(TODAY))

    assert compare(page("Anna"), page("Bo"), policy).verdict == "noise"
    assert compare(page("Anna"), page("Bo", host="Bo"), policy).verdict == "different"


WORDS = [
    "moon",
    "rain",
    "tree",
    "bird",
    "fish",
    "lamp",
    "door",
    "wall",
    "road",
    "hill",
    "sand",
    "gold",
    "wood",
    "iron",
    "leaf",
    "seed",
    "rope",
    "coat",
    "boot",
    "ring",
]


@pytest.mark.parametrize("form", ["Our word is {} on <h8> now", "/w/{}?t=<h8>", "{}"])
def test_words_of_one_length_are_no_tokens(form: str) -> None:
    chance = Random(form)

    def text() -> str:
        return said(form.replace("{}", chance.choice(WORDS)), chance)

    found = learned(lambda _: (text(), text()), "JSON", many=30)

    assert not any(each.rule.alphabet in {"lower", "letters"} or "[a-z]{4}" in each.rule.pattern for each in found)


@pytest.mark.parametrize("name", ["Secret", "API key:", "password"])
def test_beside_a_secret_s_name_nothing_is_learned(name: str) -> None:
    chance = Random(name)
    form = f"{name} <b16> of user 4"

    assert learned(lambda _: (said(form, chance), said(form, chance)), "JSON") == ()


@pytest.mark.parametrize("form", ["{}_total_{}", "{}-price-{}"])
def test_what_joins_numbers_is_their_label(form: str) -> None:
    chance = Random(form)

    def text() -> str:
        return form.format(chance.randint(10, 99), chance.randint(10, 99))

    assert not any(
        "total" in one.rule.pattern or "price" in one.rule.pattern
        for one in learned(lambda _: (text(), text()), "JSON")
    )


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", ["decimals", "decimals alone", "grouped", "unpadded", "unpadded alone"])
def test_a_learned_number_keeps_how_it_is_written(name: str, holder: str) -> None:
    chance = Random(f"{name} {holder}")
    draw, wrong = {
        "decimals": (
            lambda: f"load {chance.uniform(30, 70):.2f} now",
            ["load 53.2 now", "load 53 now", "load 53.201 now"],
        ),
        "decimals alone": (lambda: f"{chance.uniform(30, 70):.2f}", ["53.2", "53", "53.201"]),
        "grouped": (lambda: f"{chance.randint(10_000, 90_000):,} books", ["29429 books", "29.429 books"]),
        "unpadded": (lambda: f"read by {chance.randint(2, 40)} people", ["read by 0029 people", "read by 029 people"]),
        "unpadded alone": (lambda: str(chance.randint(20, 90)), ["0029", "029"]),
    }[name]
    # A number with a zero at its end says that all are padded.
    fixed = iter({"decimals": ["load 40.10 now"], "decimals alone": ["40.10"]}.get(name, []))
    policy = by_rules(learned(lambda _: (next(fixed, None) or draw(), draw()), holder, many=20))

    def held(text: str) -> str:
        return compare(filled(draw(), holder), filled(text, holder), policy).verdict

    assert sum(held(draw()) == "different" for _ in range(20)) == 0
    assert [each for each in wrong if held(each) != "different"] == []
