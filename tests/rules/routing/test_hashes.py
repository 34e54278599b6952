from __future__ import annotations

import pytest

from rules.routing.bucketing import fnv1a, js32, murmur2, murmur3


@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"test", 0, 0xBA6BD213),
        (b"Hello, world!", 0, 0xC0363E43),
        (b"The quick brown fox jumps over the lazy dog", 0, 0x2E4FF723),
    ],
)
def test_murmur3_gives_the_values_of_its_author(data: bytes, seed: int, expected: int) -> None:
    assert murmur3(data, seed) == expected


@pytest.mark.parametrize(("text", "expected"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_fnv1a_gives_the_values_of_its_author(text: str, expected: int) -> None:
    assert fnv1a(text) == expected


def test_js32_wraps_as_javascript_does() -> None:
    assert js32("polygenelubricants") == -(2**31)
    assert js32("") == 0


def test_murmur2_differs_for_each_length_of_tail() -> None:
    assert len({murmur2(b"abcdefgh"[:length]) for length in range(9)}) == 9
