from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import Capture, Policy, compare
from comparators.model import Finding, Kind, Observation
from comparators.noise_learning import Learner, Suggestion
from comparators.noise_rules import NoiseRule, hides, hides_there, masked

AT = 1_795_228_800.0
TODAY = date(2026, 11, 21)
STAMPS = [f"2026-11-21 1{n}:00:0{n}" for n in range(8)]


def learned(
    path: str, samples: list[tuple[str, str]], kind: Kind = "value", step: float = 3600.0, today: date = TODAY
) -> tuple[Suggestion, ...]:
    """What is learned when each sample is seen in a pair of its own, `step` seconds apart."""
    learner = Learner()
    for number, (first, again) in enumerate(samples):
        learner.add_observations([Observation(path.replace("*", str(number)), kind, first, again)], AT + number * step)
    return learner.suggestions(today)


def rules(path: str, samples: list[tuple[str, str]], **more: object) -> tuple[NoiseRule, ...]:
    return tuple(each.rule for each in learned(path, samples, **more))  # type: ignore[arg-type]


def shapes(path: str, samples: list[tuple[str, str]], **more: object) -> list[str]:
    return [rule.shape for rule in rules(path, samples, **more)]


def quoted(*texts: str) -> list[tuple[str, str]]:
    return [(json.dumps(one), json.dumps(two)) for one, two in zip(texts[::2], texts[1::2], strict=True)]


TOKENS = quoted(*(f"{n * 7919 % 65536:04x}{n * 104729 % 65536:04x}{n:02x}{n * 31 % 256:02x}" for n in range(1, 21)))
TIMES = quoted(*(text for stamp in STAMPS for text in (stamp, stamp[:-1] + "9")))
COUNTS = [(str(n * 10), str(n * 10 + 1)) for n in range(1, 9)]
MODES = [(one, two) for one, two in (('"a"', '"b"'), ('"b"', '"a"')) * 4]
DURATIONS = [("12", "15"), ("11", "9"), ("30", "12"), ("14", "13"), ("12.5", "11"), ("10", "12")]
TIMED = quoted(*(f"<p>Hi</p> rendered in {n} ms by web1" for n in (12, 9, 14, 11, 13, 9, 15, 10, 16, 12)))


@pytest.mark.parametrize(
    ("samples", "shape"),
    [
        (TOKENS, "random"),
        (TIMES, "timestamp"),
        (COUNTS, "counter"),
        (MODES, "categorical"),
        (DURATIONS, "measure"),
        (TIMED, "text"),
    ],
)
def test_what_legacy_varies_by_is_recognised(samples: list[tuple[str, str]], shape: str) -> None:
    assert shapes("/items/*/x", samples) == [shape]


def test_an_epoch_near_now_is_a_timestamp() -> None:
    seconds = [(str(int(AT) + n * 3600), str(int(AT) + n * 3600 + 1)) for n in range(6)]
    milliseconds = [(f"{one}123", f"{two}456") for one, two in seconds]

    assert shapes("/at", seconds) == ["timestamp"]
    assert shapes("/at", milliseconds) == ["timestamp"]
    assert shapes("/at", seconds, step=0.0) == ["counter"]


def test_the_same_elements_in_another_order_are_a_permutation() -> None:
    assert shapes("/tags", [("[1,2]", "[2,1]")] * 6, kind="order") == ["permutation"]


@pytest.mark.parametrize("kind", ["missing", "extra", "type", "length", "status", "parse"])
def test_what_comes_and_goes_is_no_noise(kind: Kind) -> None:
    assert shapes("/x", TOKENS, kind=kind) == []


@pytest.mark.parametrize(
    "path", ["/total", "/items/*/price", "/balance/at", "/tax", "/due_date", "/quantity", "/creditNote"]
)
def test_money_is_never_noise(path: str) -> None:
    assert shapes(path, DURATIONS) == []
    assert shapes("/eta", DURATIONS) == ["measure"]


def test_a_text_about_money_has_no_pattern() -> None:
    texts = [f"Total: {n}.00 EUR" for n in range(12)]

    assert shapes("/html", quoted(*texts)) == []


def test_a_word_that_changes_in_a_text_is_no_noise() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]

    assert shapes("/html", quoted(*(f"The winner is {word} today" for word in words))) == []


def test_few_observations_teach_nothing() -> None:
    learner = Learner()
    learner.add_observations([Observation(f"/items/{n}/x", "value", *TOKENS[n]) for n in range(9)], AT)
    learner.add_observations([Observation("/items/0/x", "value", *TOKENS[9])], AT)

    assert shapes("/x", TOKENS[:4]) == []
    assert learner.suggestions(TODAY) == ()


def test_a_suggestion_comes_with_evidence_that_shows_no_values() -> None:
    suggestion = learned("/items/*/token", TOKENS)[0]

    assert (suggestion.rule.path, suggestion.rule.alphabet) == ("/items/*/token", "hex")
    assert (suggestion.seen, suggestion.pairs) == (10, 10)
    assert (suggestion.first_seen, suggestion.last_seen) == (AT, AT + 9 * 3600)
    assert all(set(text) <= set('"9a') for pair in suggestion.examples for text in pair)


def test_what_was_learned_expires() -> None:
    assert rules("/x", TOKENS)[0].until == date(2027, 1, 1)
    assert rules("/x", TOKENS, today=date(2026, 12, 31)) != ()
    assert rules("/x", TOKENS, today=date(2027, 1, 1)) == ()


def test_a_rule_survives_the_store() -> None:
    for samples in (TOKENS, TIMES, COUNTS, MODES, TIMED):
        rule = rules("/items/*/x", samples)[0]

        assert NoiseRule.from_mapping(json.loads(json.dumps(rule.to_mapping()))) == rule


@pytest.mark.parametrize(
    ("samples", "legacy", "modern", "hidden"),
    [
        (TOKENS, TOKENS[0][0], TOKENS[5][1], True),
        (TOKENS, TOKENS[0][0], '""', False),
        (TOKENS, TOKENS[0][0], "null", False),
        (TOKENS, TOKENS[0][0], '"XYZ!----uvwx"', False),
        (TOKENS, TOKENS[0][0], f'"{"a" * 40}"', False),
        (TIMES, '"2026-11-21 10:00:00"', '"2026-11-21 10:00:05"', True),
        (TIMES, '"2026-11-21 10:00:00"', '"2026-11-21 11:00:00"', False),
        (TIMES, '"2026-11-21 10:00:00"', '"2026-11-21T10:00:00"', False),
        (TIMES, '"2026-11-21 10:00:00"', '""', False),
        (TIMES, '"2026-11-21 10:00:00"', "1795255200", False),
        (COUNTS, "80", "85", True),
        (COUNTS, "80", "8000", False),
        (COUNTS, "80", '"85"', False),
        (COUNTS, "80", "80.5", False),
        (MODES, '"a"', '"b"', True),
        (MODES, '"a"', '"c"', False),
        (DURATIONS, "12", "31", True),
        (DURATIONS, "12", "12000", False),
        (DURATIONS, "12", "-12", False),
        (DURATIONS, "12", '"12"', False),
    ],
)
def test_only_what_has_the_learned_shape_is_hidden(
    samples: list[tuple[str, str]], legacy: str, modern: str, hidden: bool
) -> None:
    found = rules("/items/*/x", samples)

    assert hides(found, Finding("/items/7/x", "value", legacy, modern)) is hidden
    assert not hides(found, Finding("/items/7/y", "value", legacy, modern))
    assert not hides(found, Finding("/items/7/x", "type", legacy, modern))
    assert not hides(found, Finding("/items/7/x", "missing", legacy, ""))


def test_only_the_order_of_a_permutation_is_hidden() -> None:
    found = rules("/tags", [("[1,2]", "[2,1]")] * 6, kind="order")

    assert hides(found, Finding("/tags", "order", "[1,2]", "[2,1]"))
    assert not hides(found, Finding("/tags", "length", "[1,2]", "[2]"))


def test_an_order_is_one_of_the_same_elements_however_much_of_them_is_shown() -> None:
    def body(*numbers: int) -> Capture:
        rows = json.dumps([f"row {number} of a long list" for number in numbers])
        return Capture("GET", "/", 200, (("Content-Type", "application/json"),), rows.encode())

    many = list(range(20))
    found = rules("", [("[1,2]", "[2,1]")] * 6, kind="order")
    judged = Policy.from_mapping({"noise": "learn"}, noise=found)

    assert compare(body(*many), body(*reversed(many)), judged).verdict == "noise"
    assert compare(body(*many), body(*reversed(many[1:]), 0), judged).verdict == "noise"
    assert compare(body(*many), body(*reversed(many[1:]), 21), judged).verdict == "different"
    assert compare(body(*many), body(*reversed(many[1:]), 1), judged).verdict == "different"


def test_a_literal_that_was_cut_is_never_hidden() -> None:
    long = '"' + "ab12" * 64

    assert not hides(rules("/items/*/x", TOKENS), Finding("/items/1/x", "value", long[:256], long[:256]))


def test_a_piece_inside_a_text_is_masked_and_nothing_beside_it() -> None:
    found = rules("/html", TIMED)

    one, two = (
        masked(found, "/html", f"<p>{who}</p> rendered in {ms} ms by web1") for who, ms in (("Hi", 7), ("Hi", 88))
    )
    other = masked(found, "/html", "<p>Ho</p> rendered in 7 ms by web1")

    assert one == two != other
    assert masked(found, "/html", "rendered in no ms") == "rendered in no ms"
    assert masked(found, "/other", "rendered in 7 ms by web1") == "rendered in 7 ms by web1"


def test_noise_in_a_page_is_learned_without_its_place() -> None:
    pairs = [(f"body > p: made in {n} ms…", f"body > p: made in {n + 1} ms…") for n in range(8)]
    found = rules("@body", pairs)

    assert masked(found, "@body", "<p>made in 5 ms</p>") == masked(found, "@body", "<p>made in 77 ms</p>")


def test_a_learner_is_bounded() -> None:
    learner = Learner()
    learner.add_observations([Observation(f"/key{n}x/y", "value", "1", "2") for n in range(5000)], AT)
    for n in range(500):
        learner.add_observations([Observation("/key1x/y", "value", str(n), str(n + 1))], AT)

    assert [suggestion.seen for suggestion in learner.suggestions(TODAY)] == [501]
    assert len(learner._spots) == 400
    assert max(len(spot.samples) for spot in learner._spots.values()) == 60


LITERALS = st.text(max_size=12).map(json.dumps) | st.integers().map(str) | st.floats().map(str) | st.text(max_size=12)


@given(
    st.lists(st.tuples(LITERALS, LITERALS), min_size=5, max_size=8),
    st.sampled_from(["/x", "@body", "@header:etag"]),
    LITERALS,
    LITERALS,
)
def test_learning_and_hiding_end_well_whatever_the_literals(
    samples: list[tuple[str, str]], path: str, legacy: str, modern: str
) -> None:
    found = rules(path, samples)

    assert hides(found, Finding(path, "value", legacy, modern)) in {True, False}
    assert masked(found, path, "") == ""


@pytest.mark.parametrize("text", ["${}", "${}.99", "US${}", "€{}", "{} €", "{}zł", "{} kr", "₹{}", "EUR {}"])
@pytest.mark.parametrize("numbers", [range(11, 35), (19, 24) * 12], ids=["all different", "two in turn"])
def test_amounts_of_money_are_never_learned(text: str, numbers: Sequence[int]):
    values = [text.format(each) for each in numbers]
    samples = list(zip(values[::2], values[1::2], strict=True))

    assert learned("/label", [(f'"{one}"', f'"{two}"') for one, two in samples]) == ()
    assert learned("@body", [(f"html > p: {one}", f"html > p: {two}") for one, two in samples]) == ()


@pytest.mark.parametrize("text", ["{} views", "$2y$10${}abcdefgh", "v{}"])
def test_what_stands_beside_an_amount_is_learned(text: str):
    values = [text.format(each) for each in range(111, 135)]

    assert learned("/label", [(f'"{one}"', f'"{two}"') for one, two in zip(values[::2], values[1::2], strict=True)])


WHOLE = [(str(60 + n * 7 % 31), str(60 + n * 11 % 31)) for n in range(8)]
LOWER = quoted(*(str(UUID(int=n * 7919**9 % 2**128, version=4)) for n in range(1, 17)))


@pytest.mark.parametrize(
    ("samples", "like", "unlike"),
    [
        (WHOLE, "77", "75.5"),
        (
            quoted(*(f"<p>{text} visits</p>" for pair in WHOLE for text in pair)),
            '"<p>77 visits</p>"',
            '"<p>75.5 visits</p>"',
        ),
        (LOWER, json.dumps("7a236859-e753-490f-af14-35d77cbc8bb5"), json.dumps("7A236859-E753-490F-AF14-35D77CBC8BB5")),
        (
            quoted(*(f"job {json.loads(text)} done" for pair in LOWER for text in pair)),
            '"job 7a236859-e753-490f-af14-35d77cbc8bb5 done"',
            '"job 7A236859-E753-490F-AF14-35D77CBC8BB5 done"',
        ),
    ],
    ids=["measure", "a number in a text", "uuid", "a uuid in a text"],
)
def test_whole_numbers_stay_whole_and_uuids_in_their_case(samples: list[tuple[str, str]], like: str, unlike: str):
    made = rules("/a", samples)

    assert hides(made, Finding("/a", "value", samples[0][0], like))
    assert not hides(made, Finding("/a", "value", samples[0][0], unlike))


@pytest.mark.parametrize(
    ("samples", "like", "unlike"),
    [
        ([(str(60 + n), str(62 + n)) for n in range(0, 20, 2)], "91", "-5"),
        (quoted(*(f"{550 + n:08}" for n in range(16))), '"00000568"', '"568"'),
    ],
    ids=["sign", "zeros"],
)
def test_a_counter_keeps_its_sign_and_the_zeros_before_it(samples: list[tuple[str, str]], like: str, unlike: str):
    made = rules("/a", samples)

    assert [rule.shape for rule in made] == ["counter"]
    assert hides(made, Finding("/a", "value", samples[-1][0], like))
    assert not hides(made, Finding("/a", "value", samples[-1][0], unlike))


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("cb_{}", ("cc_123456", "cb_", "cb_12", "123456")),
        ("{}-x", ("123456-y", "-123456-x", "12-x", "None-x")),
        ("41|{}", ("42|123456", "41|")),
    ],
)
@pytest.mark.parametrize("place", ["html > body > p", "/r/a", "row 2, column 2"])
def test_whole_texts_of_a_page_with_one_piece_that_varies_are_learned(value: str, wrong: tuple[str, ...], place: str):
    texts = [value.format(100_003 + n * 37 % 89 * 10_007) for n in range(1, 17)]
    samples = [(f"{place}: {one}", f"{place}: {two}") for one, two in zip(texts[::2], texts[1::2], strict=True)]
    made = rules("@body", samples)

    assert hides_there(made, "@body", place, texts[0], value.format(123_456))
    assert [each for each in wrong if hides_there(made, "@body", place, texts[0], each)] == []
    assert not hides_there(made, "@body", f"{place} > b", texts[0], value.format(123_456))


def test_a_time_in_a_whole_text_of_a_page_stays_near():
    texts = [f"29/11/2026 10:0{n}:0{n}" for n in range(8)]
    made = rules("@body", [(f"p: {one}", f"p: {one[:-1]}9") for one in texts])

    assert hides_there(made, "@body", "p", texts[3], f"{texts[3][:-1]}7")
    assert not hides_there(made, "@body", "p", texts[3], "29/11/2026 14:03:03")
    assert not hides_there(made, "@body", "p", texts[3], "28/11/2026 10:03:03")


def test_numbers_with_commas_between_thousands_are_numbers():
    """Written as legacy writes them."""
    texts = [f"{15_000 + n * 997:,}" for n in range(8)] + [f"{40_000 - n * 1013:,}" for n in range(8)]
    made = rules("@body", [(f"p: {one}", f"p: {two}") for one, two in zip(texts[::2], texts[1::2], strict=True)])

    assert hides_there(made, "@body", "p", "15,234", "18,301")
    for wrong in ("18301", "18,30", "1,8301", "18,301.5", "180,301,000", "None"):
        assert not hides_there(made, "@body", "p", "15,234", wrong), wrong


def test_a_log_time_is_learned_for_all_months():
    written = "at [{}/2026:10:0{}:{}0 +0000] ok".format
    made = rules("/a", quoted(*(written("21/Oct", n, tens) for n in range(8) for tens in (2, 3))))

    assert masked(made, "/a", written("02/Nov", 1, 4)) == masked(made, "/a", written("21/Oct", 3, 1)) == "at [\0] ok"


def test_where_numbers_go_beyond_a_thousand_a_lost_comma_is_no_noise():
    texts = [f"{900 + n * 57:,}" for n in range(16)]
    made = rules("@body", [(f"p: {one}", f"p: {two}") for one, two in zip(texts[::2], texts[1::2], strict=True)])

    assert not hides_there(made, "@body", "p", "950", "1043")


@pytest.mark.parametrize("value", ["{}-{:024x}", "{}/{:024x}", "cart {} {:024x}"])
@pytest.mark.parametrize("path", ["/ref", "@body"])
def test_an_id_that_stays_in_each_pair_is_the_requests_own_whatever_varies_beside_it(value: str, path: str):
    """Another user's id beside a token that is made anew each time."""
    chance = Random(value)
    place = "p: " if path == "@body" else ""
    said = [tuple(f"{place}{value.format(1042 + n * 37, chance.getrandbits(96))}" for _ in "12") for n in range(8)]
    made = rules(path, said if place else [pair for one, two in said for pair in quoted(one, two)])
    own, others = (value.format(user, chance.getrandbits(96)) for user in (1042, 9999))

    assert not hides_there(made, "@body", "p", own, others)
    assert not hides(made, Finding("/ref", "value", f'"{own}"', f'"{others}"'))


@pytest.mark.parametrize("values", [TOKENS, TIMED], ids=["a value", "a text"])
def test_a_name_about_money_that_identifies_a_row_is_about_money(values: list[tuple[str, str]]) -> None:
    made = rules("/rows/sku_471*", values)
    legacy, modern = values[0]

    assert [rule.path for rule in made] == ["/rows/*"]
    assert rules("/rows/price_471*", values) == ()
    assert masked(made, "/rows/price_4711", json.loads(legacy)) == json.loads(legacy)
    assert hides(made, Finding("/rows/sku_4788", "value", legacy, modern))
