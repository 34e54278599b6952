from __future__ import annotations

import re

import pytest

from rules.regex_charsets import EVERY, ops, single

SETS = ["a", ".", "[abc]", "[^abc]", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[a-z_]", r"[^\d/]", "[é-ü]", "[^a]"]


@pytest.mark.parametrize("ignorecase", [False, True])
@pytest.mark.parametrize("text", SETS)
def test_the_characters_of_a_step_are_those_the_regex_takes(text: str, ignorecase: bool) -> None:
    flags = re.DOTALL | (re.IGNORECASE if ignorecase else 0)
    ((op, value),) = ops.parse(text)

    mask = single(op, value, ignorecase=ignorecase)

    assert mask is not None
    missed = [chr(code) for code in range(256) if re.match(text, chr(code), flags) and not mask >> code & 1]
    assert missed == []


def test_characters_beyond_latin_share_one_bit() -> None:
    ((op, value),) = ops.parse("日")

    assert single(op, value, ignorecase=False) == 1 << 256
    assert EVERY >> 256 == 1


def test_a_step_that_is_no_single_character_has_no_set() -> None:
    ((op, value),) = ops.parse("(?:ab)*")

    assert single(op, value, ignorecase=False) is None
