"""Binary bodies: every range is listed, what legacy varies itself hides no other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import pytest

from comparators import Comparison, compare
from comparators.model import Capture
from tests.comparators.answers import answer, policy

STREAM = bytes(range(11, 256)) * 3


def document(date: str = "20310304091501", key: str = "9f2c41d07be8a365", total: str = "12.50", **more: Any) -> Capture:
    """A PDF in short: a date, a random id, a stream that is packed, a total."""
    stream = more.get("stream", STREAM)
    text = (
        b"%%PDF-1.7\n1 0 obj\n<< /Producer (FPDF) /CreationDate (D:%s+00'00') >>\nendobj\n"
        b"2 0 obj\n(Total: %s EUR) Tj\nendobj\n3 0 obj\nstream\n%s\nendstream\ntrailer\n<< /ID [<%s><%s>] >>\n%%%%EOF"
    ) % (date.encode(), total.encode(), stream, key.encode(), key.encode())
    return answer(text, media="application/pdf")


def thrice(modern: Capture, **more: Any) -> Comparison:
    again = document("20310304091502", "00c41d07be8a3bb1")
    return compare(document(), modern, policy({"preset": "php", **more}), secondary=(again,))


def test_all_ranges_are_told():
    found = compare(document(), document("20310304091522", total="13.50"), policy()).findings

    assert [finding.legacy.partition(": ")[2][:4] for finding in found] == ["3031", "322e"]


def test_what_a_pdf_varies_by_itself_is_noise():
    assert thrice(document("20310304091502", "aa2c41d07be8a3f0")).verdict == "noise"
    assert thrice(document("20310304091521", "aa2c41d07be8a3f0"), noise="none").verdict == "different"


@pytest.mark.parametrize(
    "wrong",
    [
        document("20310304091502", "aa2c41d07be8a3f0", "13.50"),
        document("20310304091502", "aa2c41d07be8a3f0", "112.50"),
        document("20310304091502", "aa2c41d07be8a3f0", stream=STREAM[:-1] + b"\x00"),
        document("20310305091502", "aa2c41d07be8a3f0"),
        document("20310304091502", "00000000000000000"),
        document("20310304091502", ""),
    ],
    ids=["total", "longer total", "stream", "a day on", "another id", "no id"],
)
def test_a_varying_date_hides_nothing_else_of_a_pdf(wrong: Capture):
    assert thrice(wrong).verdict == "different"


def test_more_ranges_than_are_listed_are_not_forgotten():
    legacy, modern = b"a-------" * 20, b"b-------" * 20

    found = compare(answer(legacy, media="image/x"), answer(modern, media="image/x"), policy()).findings

    assert len(found) == 9
    assert found[-1].legacy.startswith("not the last, ")


def test_random_bytes_of_a_fixed_place_are_noise_and_no_others():
    def body(key: bytes, rest: bytes = b"\x01\x02" * 40) -> Capture:
        return answer(b"\x89BIN\x00" + key + rest, media="application/octet-stream")

    keys = [bytes((seed * 73 + at * 29) % 256 for at in range(16)) for seed in (1, 2, 3)]
    legacy, again = body(keys[0]), body(keys[1])

    assert compare(legacy, body(keys[2]), policy(), secondary=(again,)).verdict == "noise"
    assert compare(legacy, body(keys[2], b"\x01\x03" * 40), policy(), secondary=(again,)).verdict == "different"
    assert compare(legacy, body(keys[2] + b"x"), policy(), secondary=(again,)).verdict == "different"


def test_packed_bytes_that_differ_as_a_whole_are_never_noise():
    packed = [answer(Random(seed).randbytes(2000), media="image/png") for seed in range(3)]

    assert compare(*packed[:2], policy(), secondary=packed[2:]).verdict == "different"


def workbook(clocks: Iterator[bytes], total: bytes = b"100.00") -> Capture:
    """A file of forty parts, each with the time at which it was saved: a spreadsheet."""
    rows = b"".join(b"part %02d at %s\n" % (at, next(clocks)) for at in range(40))
    return answer(b"PK\x03\x04" + rows + b"total " + total, media="application/zip")


def test_each_of_many_ranges_that_legacy_varies_is_noise():
    clocks = (Random(seed).randbytes(6).hex().encode() for seed in count())
    legacy, again = workbook(clocks), workbook(clocks)

    assert compare(legacy, workbook(clocks), policy(), secondary=(again,)).verdict == "noise"
    assert compare(legacy, workbook(clocks, b"900.00"), policy(), secondary=(again,)).verdict == "different"
