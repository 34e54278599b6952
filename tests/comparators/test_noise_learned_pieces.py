"""Each piece that legacy varies in a text is learned, with few words beside it, with none, beside other pieces."""

from __future__ import annotations

import json
import re
from datetime import date
from random import Random
from typing import Any

import pytest
import yaml

from comparators import Capture, Policy, compare
from comparators.model import Finding, Kind, Observation
from comparators.noise_learning import Learner, Suggestion
from comparators.noise_rules import hides_inside
from comparators.noise_words import pasted
from tests.comparators.bodies import answer

TODAY = date(2026, 11, 21)
AT = 1_795_228_800.0
LEARNS: dict[str, Any] = {"preset": "php", "noise": "learn"}
LINKS = [
    "/a?u=T&s=T",
    "/a?u=T&s=T&v=T",
    "/x/T?s=T",
    "/x/anna/T?s=T",
    "/f?signature=T.T",
    "/g/41/T/invoice-7?signature=T&k=1",
    "/g/41/T/7",
    "/T/a/T",
    "/T/T",
]
PROSE = [
    "T T",
    "T:T",
    "T-T",
    "T, T",
    "T by anna T",
    "token T of user 41",
    "by token: T",
    "with nonce T",
    "lorem ipsum " * 30 + "token T of user 41",
    "T anna " + "lorem ipsum " * 30 + "T",
]
HOLDERS = {
    "JSON": ("application/json", lambda text: json.dumps({"d": {"x": text}, "n": 1})),
    "lines": ("text/plain", lambda text: f"hello\nsee {text} there"),
    "text": ("text/html", lambda text: f"<main><h1>a</h1><p class=x>{text}</p></main>"),
    "link": ("text/html", lambda text: f'<main><p><a href="{text}">go</a></p></main>'),
    "document": ("application/xml", lambda text: f"<r><a>{text.replace('&', '&amp;')}</a><b>1</b></r>"),
    "table": ("text/csv", lambda text: f'id,x\n1,"{text}"\n'),
}
CASES = [(form, holder) for form in LINKS for holder in HOLDERS] + [
    (form, holder) for form in PROSE for holder in HOLDERS if holder != "link"
]


def filled(form: str, holder: str, chance: Random) -> Capture:
    media, write = HOLDERS[holder]
    parts = form.split("T")
    return answer(write("".join(f"{part}{chance.getrandbits(128):032x}" for part in parts[:-1]) + parts[-1]), media)


def learned(form: str, holder: str, chance: Random) -> tuple[Suggestion, ...]:
    learner, policy = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(8):
        first, again = filled(form, holder, chance), filled(form, holder, chance)
        found = compare(first, first, policy, secondary=(again,))
        learner.add_observations(found.observations, AT + 60 * number)
    return learner.suggestions(TODAY)


def by_rules(found: tuple[Suggestion, ...]) -> Policy:
    return Policy.from_mapping(LEARNS, noise=tuple(one.rule for one in found), today=TODAY)


@pytest.mark.parametrize(("form", "holder"), CASES)
def test_every_piece_is_learned(form: str, holder: str):
    chance = Random(form)
    policy = by_rules(learned(form, holder, chance))

    found = [compare(filled(form, holder, chance), filled(form, holder, chance), policy) for _ in range(6)]

    assert {each.verdict for each in found} == {"noise"}, found[0].findings


@pytest.mark.parametrize(("form", "holder"), CASES)
def test_nothing_beside_the_pieces_is_hidden(form: str, holder: str):
    chance = Random(form)
    policy = by_rules(learned(form, holder, chance))
    wrong = [f"{form}x", f"x{form}", form.replace("T", "TT", 1), form.replace("T", "None", 1), form.replace("T", "", 1)]
    wrong += [form.replace(one, other) for one, other in (("41", "42"), ("anna", "bert"), ("/a", "/b")) if one in form]

    for other in wrong:
        found = compare(filled(form, holder, chance), filled(other, holder, chance), policy)

        assert found.verdict == "different", other


@pytest.mark.parametrize(("form", "holder"), CASES)
def test_the_lines_to_paste_silence_every_piece(form: str, holder: str):
    chance = Random(form)
    found = learned(form, holder, chance)
    mapping = yaml.safe_load(pasted((one.setting, one.entry, "why") for one in found)) or {}
    rules = tuple(one.rule for one in found) if mapping.get("noise") == "learn" else ()
    policy = Policy.from_mapping({"preset": "php", "noise": "none", **mapping}, noise=rules, today=TODAY)

    verdict = compare(filled(form, holder, chance), filled(form, holder, chance), policy).verdict

    assert verdict in {"equal", "noise"}


@pytest.mark.parametrize(
    "form",
    [
        "password T of user 41",
        "api token T of user 41",
        "access_token T kept",
        "your reset token is T today",
        "session token T for you",
        "password by token T",
        "password: Bearer T",
        "api_key=Bearer T",
        "Basic T password",
        "secret Bearer of T",
    ],
)
def test_what_is_somebodys_secret_is_not_learned(form: str):
    assert [one.rule.pattern for one in learned(form, "JSON", Random(form))] == []


SCHEMES = ["Bearer T", "bearer T", "Authorization: Bearer T", "sent Bearer T to them"]


@pytest.mark.parametrize("form", SCHEMES)
@pytest.mark.parametrize("holder", ["JSON", "lines", "text", "document"])
def test_what_a_scheme_announces_is_learned_strictly(form: str, holder: str):
    """`Bearer` says that a token follows, as `token` does; whose it is it does not say."""
    chance = Random(form)
    policy = by_rules(learned(form, holder, chance))
    scheme = form.replace("Bearer", "Basic") if "Bearer" in form else form.replace("bearer", "basic")
    wrong = [scheme, *(form.replace("T", each) for each in ("", "None", "TT", "T0", "{{ token }}"))]

    assert compare(filled(form, holder, chance), filled(form, holder, chance), policy).verdict == "noise"
    for other in wrong:
        assert compare(filled(form, holder, chance), filled(other, holder, chance), policy).verdict == "different", (
            other
        )


def test_digits_behind_a_scheme_or_a_token_are_not_learned():
    """A code of eight digits is a number beside a secret's name."""
    chance = Random(8)
    learner = Learner()
    for number in range(20):
        for path, word in (("/a", "Bearer "), ("/b", "token:")):
            one, two = (json.dumps(f"{word}{chance.randrange(10**7, 10**8)}") for _ in "12")
            learner.add_observations([Observation(path, "value", one, two)], AT + 60 * number)

    assert [one.rule.pattern for one in learner.suggestions(TODAY) if one.rule.shape == "text"] == []


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ("T", ("T0", "", "None", "TT")),
        ("https://a.test/T?x=1", ("https://b.test/T?x=1", "https://a.test/T?x=2", "https://a.test/?x=1")),
        ("T T", ("T", "T T T", "T x")),
    ],
)
def test_a_value_of_json_in_a_script_is_hidden_at_its_place(form: str, wrong: tuple[str, ...]):
    chance = Random(form)

    def literal(text: str) -> str:
        return json.dumps(re.sub("T", lambda _: f"{chance.getrandbits(96):024x}", text))

    learner = Learner()
    for number in range(8):
        first, again = (f"html > body > script /rows/{number}/ref: {literal(form)}" for _ in "12")
        learner.add_observations([Observation("@body", "value", first, again)], AT + 60 * number)
    rules = [one.rule for one in learner.suggestions(TODAY)]

    def hidden(place: str, text: str, kind: Kind = "value") -> bool:
        return hides_inside(rules, place, Finding("/rows/41/ref", kind, literal(form), text))

    assert hidden("html > body > script /rows/41/ref", literal(form))
    assert [text for text in wrong if hidden("html > body > script /rows/41/ref", literal(text))] == []
    assert not hidden("html > body > script /rows/41/ref", "41")
    assert not hidden("html > body > script /rows/41/ref", literal(form), "type")


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_number_is_found_by_all_that_its_text_begins_with(holder: str):
    media, write = HOLDERS[holder]
    chance = Random(holder)

    def said(user: int = 41, scale: int = 1, last: str = "7") -> Capture:
        return answer(write(f"/g/{user}/{chance.randrange(200, 400) * scale}/{last}"), media)

    learner = Learner()
    for number in range(12):
        first = said()
        seen = compare(first, first, Policy.from_mapping(LEARNS, today=TODAY), secondary=(said(),)).observations
        learner.add_observations(seen, AT + 60 * number)
    policy = by_rules(learner.suggestions(TODAY))

    assert {compare(said(), said(), policy).verdict for _ in range(6)} == {"noise"}
    for wrong in (said(user=42), said(scale=1000), said(last="8")):
        assert compare(said(), wrong, policy).verdict == "different"


def test_a_place_teaches_nothing_of_another():
    chance = Random(4)
    policy = by_rules(learned("T T", "text", chance))
    one, two = (
        answer(f"<main><h1>{chance.getrandbits(128):032x} {chance.getrandbits(128):032x}</h1></main>", "text/html")
        for _ in "12"
    )

    assert compare(one, two, policy).verdict == "different"


@pytest.mark.parametrize(
    "form",
    [
        '<script type="application/json">{"z":"n\\/1","ref":"T","sig":"T"}</script>',
        '<script>window.a = {"z":"n\\/1","rows":[{"link":"\\/r\\/T?x=1"}]};</script>',
        '<div data-page=\'{"z":"n\\/1","ref":"T"}\'>x</div>',
    ],
)
def test_learned_noise_inside_json_holds_however_modern_writes_it(form: str):
    chance = Random(form)

    def page(name: str = "n", spelled: str = "\\/") -> Capture:
        said = form.replace('"n', f'"{name}').replace("\\/", spelled)
        return answer(re.sub("T", lambda _: f"{chance.getrandbits(96):024x}", said), "text/html")

    learner, plain = Learner(), Policy.from_mapping(LEARNS, today=TODAY)
    for number in range(8):
        first = page()
        learner.add_observations(compare(first, first, plain, secondary=(page(),)).observations, AT + 60 * number)
    policy = by_rules(learner.suggestions(TODAY))

    assert compare(page(), page(spelled="/"), policy).verdict == "noise"
    (found,) = compare(page(), page("m", "/"), policy).findings
    assert found.legacy.endswith('/z: "n/1"')
