from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.redaction_text import is_card, without_cards

CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "2223003122003222",
    "4222222222222",
]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_known_by_its_check_digit(card: str) -> None:
    assert is_card(card)
    assert not is_card(card[:-1] + str((int(card[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "text",
    [
        "card 4111111111111111 ok", "4111-1111-1111-1111", "4111 1111 1111 1111", "n=4111+1111+1111+1111&x=1",
        "n=4111%201111%201111%201111", "12.50 4111 1111 1111 1111 12/27", "2 4111111111111111", '"4111111111111111"',
        "4111111111111111 5555555555554444",
    ],
)  # fmt: skip
def test_a_card_is_found_however_it_is_written(text: str) -> None:
    assert not any(digit_run in without_cards(text, lambda _: "*") for digit_run in ("1111", "4444"))


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "1763690400000",
        "x4111111111111111",
        "4111111111111111.5",
        "1" * 40,
        "2026-11-21 10:00:00",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert without_cards(text, lambda _: "*") == text


@given(st.text(st.sampled_from("0123456789 -+x"), max_size=60))
def test_masking_ends_whatever_the_digits(text: str) -> None:
    masked = without_cards(text, lambda _: "*")

    assert without_cards(masked, lambda _: "*") == masked
