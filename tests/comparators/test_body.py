from __future__ import annotations

import gzip

import brotli
import pytest

from comparators.body_kind import bodies, coding_of
from comparators.context import Stopped
from tests.comparators.bodies import answer, between, kinds

TEXT = b'{"items":[1,2,3],"name":"caf\xc3\xa9"}' * 50


def test_two_codings_of_one_body_are_undone_on_both_sides() -> None:
    context = between(
        answer(gzip.compress(TEXT), content_encoding="gzip"), answer(brotli.compress(TEXT), content_encoding="br")
    )

    assert bodies(context) == (TEXT, TEXT)


def test_a_coding_over_several_lines_is_one_list() -> None:
    capture = answer("x")
    lines = (("Content-Encoding", "gzip"), ("content-encoding", "br"))

    assert coding_of(type(capture)("GET", "/", 200, lines)) == "gzip, br"


def test_a_coding_that_only_one_side_broke_is_a_difference() -> None:
    context = between(answer(gzip.compress(TEXT), content_encoding="gzip"), answer(TEXT, content_encoding="gzip"))

    assert bodies(context) is None
    assert kinds(context) == ["parse"]


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [("gzip", b"broken", "encoding"), ("sdch", b"x", "encoding"), ("gzip", gzip.compress(bytes(17 << 20)), "body_cap")],
)
def test_what_cannot_be_undone_is_not_compared(coding: str, body: bytes, why: str) -> None:
    context = between(answer(body, content_encoding=coding), answer(b"other", content_encoding=coding))

    with pytest.raises(Stopped) as caught:
        bodies(context)

    assert caught.value.reason == why


def test_two_bodies_broken_alike_are_alike() -> None:
    context = between(answer("broken", content_encoding="gzip"), answer("broken", content_encoding="gzip"))

    assert bodies(context) is None
    assert context.findings == []
