"""Digits that keep their length, digits that do not: what two or three answers of legacy say of a fourth."""

from __future__ import annotations

from random import Random

import pytest

from comparators.self_noise import fits

FORMS = ["{}", "Ihre PIN lautet {}.", "/ticket?code={}", "/tickets/{}/print", "R{}", "INV-{}"]
THREE = {
    "four": ("4829", "3913", "7712", "550"),
    "six": ("482913", "391382", "771204", "55091"),
    "a digit more": ("482913", "391382", "771204", "5509121"),
    "eight": ("48291377", "39138266", "77120463", "5509121"),
    "ten": ("4829137705", "3913826641", "7712046310", "550912118"),
    "twelve": ("482913770591", "391382664177", "771204631044", "55091211873"),
    "sixteen": ("4829137705912836", "3913826641770912", "7712046310449182", "550912118733092"),
    "padded": ("0482", "0391", "1771", "550"),
    "eighteen": ("482913770591283612", "391382664177091244", "771204631044918217", "55091211873309218"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("values", THREE.values(), ids=THREE)
def test_digits_of_one_length_keep_it(form: str, values: tuple[str, ...]) -> None:
    *legacy, wrong = (form.format(each) for each in values)
    right = form.format(values[-1].rjust(len(values[0]), "4")[: len(values[0])])

    assert not fits(legacy, wrong)
    assert fits(legacy, right)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("values", [each for each in THREE.values() if 6 <= len(each[0]) < 18])
def test_two_of_six_digits_and_more_are_enough(form: str, values: tuple[str, ...]) -> None:
    *legacy, wrong = (form.format(each) for each in values)

    assert not fits(legacy[:2], wrong)
    assert fits(legacy[:2], legacy[2])


@pytest.mark.parametrize(
    "values",
    [
        ("998", "999", "1003"),
        ("9980", "9991", "9999", "10012"),
        ("999980", "999991", "1000004"),
        ("980123", "991004", "1003552"),  # bytes of memory
        ("482", "913", "1204"),
        ("4829", "9130", "12040"),  # two of four digits say little
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_what_grows_or_is_measured_may_cross_a_power_of_ten(form: str, values: tuple[str, ...]) -> None:
    *legacy, modern = (form.format(each) for each in values)

    assert fits(legacy, modern)


@pytest.mark.parametrize("unit", [" ms", " us", " µs", " ns", "ns", " bytes", " kB"])
def test_before_a_unit_stands_a_measure(unit: str) -> None:
    legacy = [f"took {each}{unit}" for each in ("482913", "781204", "612044")]

    assert fits(legacy, f"took 1204118{unit}")


@pytest.mark.parametrize("form", [*FORMS[:4], FORMS[-1]])
@pytest.mark.parametrize("most", [2**31 - 1, 2**32 - 1, 2**63 - 1])
@pytest.mark.parametrize("answers", [2, 3, 4])
def test_numbers_of_a_word_are_shorter_now_and_then(form: str, most: int, answers: int) -> None:
    """`mt_rand()`, `crc32()`, `random_int(0, PHP_INT_MAX)`."""
    draw, alarms = Random(5), 0

    for _ in range(400):
        *legacy, modern = (form.format(draw.randint(0, most)) for _ in range(answers + 1))
        alarms += not fits(legacy, modern)

    assert alarms <= 10 if answers == 2 else alarms <= 3


EPOCH = 1_936_000_000
NANOSECONDS = "1936000000123456789", "1936000001123456789", "1936000002623456789"
SNOWFLAKES = "1823400000012345678", "1823400000812345678", "1823400000915345678"
LONG_FORMS = ["{}", "at {}, ok", "/x?t={}", "req-{}"]


@pytest.mark.parametrize("form", LONG_FORMS)
@pytest.mark.parametrize("answers", [2, 3])
@pytest.mark.parametrize(
    ("legacy", "wrong"),
    [
        (NANOSECONDS, "1936000000123456"),
        (NANOSECONDS, "1936000000123"),
        (NANOSECONDS, "1936000000"),
        (NANOSECONDS, "1936003601123456789"),  # an hour off, six digits the same
        (NANOSECONDS, "19360000001234567890123"),
        (SNOWFLAKES, "1823400000111"),
        (SNOWFLAKES, "18234000001113"),
        (SNOWFLAKES, "1823400000111345"),
    ],
)
def test_nanoseconds_and_snowflakes_are_of_nineteen_digits(
    form: str, answers: int, legacy: tuple[str, ...], wrong: str
) -> None:
    assert not fits([form.format(each) for each in legacy[:answers]], form.format(wrong))


@pytest.mark.parametrize("form", LONG_FORMS)
@pytest.mark.parametrize(
    ("legacy", "right", "wrong"),
    [
        (NANOSECONDS, "1936000003000000001", "193600000012345678"),
        (SNOWFLAKES, "1823400001031442901", "182340000091534567"),
        (("1936000000023456789", NANOSECONDS[1]), "1936000004023456789", "193600000012345678"),
    ],
)
def test_a_digit_lost_of_nineteen_is_seen(form: str, legacy: tuple[str, ...], right: str, wrong: str) -> None:
    """Of three, or where a zero stands behind the seconds: `mt_rand()` never has one in front."""
    texts = [form.format(each) for each in legacy]

    assert fits(texts, form.format(right))
    assert not fits(texts, form.format(wrong))


@pytest.mark.parametrize("form", LONG_FORMS)
@pytest.mark.parametrize("answers", [2, 3, 4])
@pytest.mark.parametrize("most", [9999, 999_999_999, 2**31 - 1])
def test_seconds_before_digits_at_random_are_of_any_length(form: str, answers: int, most: int) -> None:
    draw, alarms = Random(8), 0

    def made() -> str:
        return form.format(f"{EPOCH + draw.randrange(5)}{draw.randint(most // 10 + 1 if most < EPOCH else 0, most)}")

    for _ in range(400):
        *legacy, modern = (made() for _ in range(answers + 1))
        alarms += not fits(legacy, modern)

    assert alarms <= 3
