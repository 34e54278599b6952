"""What parts a code is no letter of it, how numbers are written is no chance: of legacy's answers to one request."""

from __future__ import annotations

from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

import pytest

from comparators.noise_forms import spelled
from comparators.noise_letters import letters_of, name_of, plausible
from comparators.self_noise import fits

UPPER = ascii_uppercase
CODES = {
    "ABC-1234": lambda draw: f"{drawn(draw, 3, UPPER)}-{drawn(draw, 4, digits)}",
    "ABC_1234": lambda draw: f"{drawn(draw, 3, UPPER)}_{drawn(draw, 4, digits)}",
    "1234-ABCD": lambda draw: f"{drawn(draw, 4, digits)}-{drawn(draw, 4, UPPER)}",
    "ABCD-EFGH": lambda draw: f"{drawn(draw, 4, UPPER)}-{drawn(draw, 4, UPPER)}",
    "AB-12-CD": lambda draw: f"{drawn(draw, 2, UPPER)}-{drawn(draw, 2, digits)}-{drawn(draw, 2, UPPER)}",
    "two of 62 letters": lambda draw: f"{drawn(draw, 23)}-{drawn(draw, 25)}",
    "two with a line": lambda draw: f"{drawn(draw, 20)}_{drawn(draw, 20)}",
    "two with a tilde": lambda draw: f"{drawn(draw, 6)}~{drawn(draw, 6)}",
    "a name and a token": lambda draw: f"{draw.choice(['moon', 'chair', 'red'])}-{drawn(draw, 6, digits + 'abcdef')}",
}
HELD = ["{}", "Ticket {} is ready", "/t/{}/print", "/t?code={}&v=2"]
PAIRS = {
    "hardware": (6, ":", str.lower),
    "HARDWARE": (6, ":", str.upper),
    "hardware with dashes": (6, "-", str.lower),
    "EUI-64": (8, ":", str.lower),
    "SHA-1": (20, ":", str.upper),
    "SHA-256": (32, ":", str.upper),
}


def drawn(draw: Random, size: int, letters: str = ascii_letters + digits) -> str:
    return "".join(draw.choices(letters, k=size))


def pairs(draw: Random, kind: str) -> str:
    many, mark, case = PAIRS[kind]
    return case(mark.join(drawn(draw, 2, digits + "abcdef") for _ in range(many)))


def differing(draw: Random, kind: str, further: int) -> list[str]:
    """Legacy's answers; a name that is the same in all of them is no draw, it is held."""
    while True:
        found = [CODES[kind](draw) for _ in range(further + 1)]
        if len({each[:3] for each in found}) == len(found) and len({each[-3:] for each in found}) == len(found):
            return found


@pytest.mark.parametrize("further", [1, 3])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("kind", CODES)
def test_a_mark_is_not_exchanged(kind: str, held: str, further: int) -> None:
    draw = Random(f"{kind} {held} {further}")
    for _ in range(40):
        kept = kind if kind != "a name and a token" or further == 1 else "two of 62 letters"
        legacy = differing(draw, kept, further)
        mark = next(each for each in legacy[0] if not each.isalnum())
        wrong = CODES[kept](draw).replace(mark, "_" if mark != "_" else "-")

        assert not fits([held.format(each) for each in legacy], held.format(wrong))


@pytest.mark.parametrize("further", [1, 3])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("kind", [each for each in CODES if each != "a name and a token"])
def test_another_code_is_one(kind: str, held: str, further: int) -> None:
    draw = Random(f"{kind} {held} {further}")
    quiet = sum(
        fits([held.format(each) for each in differing(draw, kind, further)], held.format(CODES[kind](draw)))
        for _ in range(40)
    )

    assert quiet >= 39


@pytest.mark.parametrize("size", [10, 21, 22, 43, 86])
@pytest.mark.parametrize("marks", ["-_", "+/", ",-"], ids=["base64url", "base64", "sessions of PHP"])
def test_marks_that_are_letters_come_as_they_will(size: int, marks: str) -> None:
    draw = Random(f"{size} {marks}")
    letters = ascii_letters + digits + marks
    loud = sum(
        not fits([drawn(draw, size, letters), drawn(draw, size, letters)], drawn(draw, size, letters))
        for _ in range(1000)
        if marks != ",-" or size >= 21
    )

    assert loud <= (10 if marks != ",-" else 60)


@pytest.mark.parametrize(
    ("texts", "never"),
    [
        (["ABC-1234", "XYZ-9876"], "_"),
        (["ABC_1234", "XYZ_9876"], "-"),
        (["ab-12", "xyz-12"], "_"),
        (["a-b-c-d-e", "f-g-hh-i-j"], "_"),
        (["aB3x~cD4y", "Zk9w~Qp1v"], "-"),
    ],
    ids=["same place", "the other", "same place from the end", "eight of one", "another kind"],
)
def test_marks_that_never_come(texts: list[str], never: str) -> None:
    assert never not in plausible(texts)


@pytest.mark.parametrize("texts", [["aB-3dE", "xY3-dE"], ["aB3dEf", "xY3kdE"], ["Zm9vYmE=", "YmF6cXU="]])
def test_marks_that_may(texts: list[str]) -> None:
    wide = plausible([each * 2 if "=" not in each else each for each in texts])

    assert {"-", "_"} <= wide or {"+", "/"} <= wide


@pytest.mark.parametrize("texts", [["ABC-1234", "XYZ-9876"], ["aB3x~cD4y", "Zk9w~Qp1v"], ["ab_12", "xyz_12"]])
def test_an_alphabet_without_a_mark_has_a_name(texts: list[str]) -> None:
    assert letters_of(name_of(plausible(texts))) == plausible(texts)


@pytest.mark.parametrize("further", [1, 3])
@pytest.mark.parametrize("held", ["{}", "Device {} in room 4"])
@pytest.mark.parametrize("kind", PAIRS)
def test_bytes_in_pairs_are_one_value(kind: str, held: str, further: int) -> None:
    draw, mark = Random(f"{kind} {held}"), PAIRS[kind][1]
    wrong = {
        "another mark": lambda text: text.replace(mark, "-" if mark == ":" else ":"),
        "no mark": lambda text: text.replace(mark, ""),
        "one lost": lambda text: text[:-3],
        "one more": lambda text: f"{text}{mark}0b",
        "no digit": lambda text: f"{text[:-1]}g",
        "nothing": lambda text: mark.join(["00"] * (text.count(mark) + 1)),
    }
    loud = 0
    for _ in range(100):
        legacy = [held.format(pairs(draw, kind)) for _ in range(further + 1)]
        loud += not fits(legacy, held.format(pairs(draw, kind)))
        for name, spoil in wrong.items():
            assert not fits(legacy, held.format(spoil(pairs(draw, kind)))), name

    assert loud <= 2


@pytest.mark.parametrize("further", [1, 2])
@pytest.mark.parametrize("wrong", ["02:42:ad:", "03:42:ac:", "02:42:AC:"])
def test_a_maker_of_hardware_stays(wrong: str, further: int) -> None:
    draw = Random(wrong)
    legacy = [f"02:42:ac:{pairs(draw, 'hardware')[:8]}" for _ in range(further + 1)]

    assert fits(legacy, f"02:42:ac:{pairs(draw, 'hardware')[:8]}")
    assert not fits(legacy, f"{wrong}{pairs(draw, 'hardware')[:8]}")


WRITTEN = ["{}", "load {} now", "{} books read", "read: {}"]


@pytest.mark.parametrize("held", WRITTEN)
@pytest.mark.parametrize(
    ("legacy", "right", "wrong"),
    [
        ("63.58 62.42", "73.2 64.20 31.69", "73 73.2013 73.2000000000013"),
        ("63.58 62.42 31.69", "73.21", "73 73.2013"),
        ("63.50 62.42", "73.21 73.20", "73.2 73 73.201"),
        ("0.0120 0.0345", "0.0211", "0.021 0.02113"),
        ("13,209 81,430", "29,429 9,950", "29429"),
        ("13,209 981", "29,429 950", "29429"),
        ("13209 81430", "29429 9500", "29,429"),
        ("980 950", "1020 1,020 990", ""),
        ("29 31", "17 9 104", "0029 017 00"),
        ("29 7", "17 9 104", "07 0029"),
        ("0.5 0.25", "0.75 1 1.5", ""),
        ("0.5 0.2", "0.25 1 0.9", ""),
        ("0.0123 0.0345", "0.021 0.02", ""),
        ("13.209 81.430", "29.429 95", ""),
        ("-4.50 -3.25", "-4.75", "-4.7 -4"),
    ],
    ids=lambda text: text or "none",
)
def test_how_a_number_is_written_stays(legacy: str, right: str, wrong: str, held: str) -> None:
    texts = [held.format(each) for each in legacy.split()]

    assert [each for each in right.split() if not fits(texts, held.format(each))] == []
    assert [each for each in wrong.split() if fits(texts, held.format(each))] == []


def test_two_of_the_echo_of_a_rounded_float_say_nothing_of_zeros_at_the_end() -> None:
    draw = Random(4)
    loud = 0
    for _ in range(1000):
        one, two, three = (f"memory {round(draw.uniform(1.8, 2.4), 2)} MB" for _ in range(3))
        loud += not fits([one, two], three)

    assert loud <= 20


def test_many_numbers_without_a_zero_at_the_end_have_them_by_rule() -> None:
    assert spelled([f"{each}.125" for each in range(1, 60)]).least == 0
    assert spelled([f"0.{each}" for each in range(1001, 1045) if each % 10][:39]).least == 0
    assert spelled([f"0.{each}" for each in range(1001, 1099) if each % 10]).least == 4


def test_letters_of_one_case_are_one_alphabet() -> None:
    assert set(ascii_lowercase) <= plausible(["hdjsk-qpwoe", "mvnbc-ztrye"])
