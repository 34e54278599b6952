from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from comparators.body import MOST_BYTES, Undecodable, bodies, coding_of, decode
from comparators.context import Stopped
from tests.comparators.bodies import answer, between, kinds

TEXT = b'{"items":[1,2,3],"name":"caf\xc3\xa9"}' * 50


def raw_deflate(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(body) + squeezer.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": partial(brotli.compress, quality=2),
    "zstd": zstd.compress,
    "identity": bytes,
    "": bytes,
}
SQUEEZING = {name: squeeze for name, squeeze in CODINGS.items() if name not in {"", "identity"}}


def reason(body: bytes, coding: str, cap: int = MOST_BYTES) -> str:
    with pytest.raises(Undecodable) as caught:
        decode(body, coding, cap)
    return caught.value.reason


@pytest.mark.parametrize(("coding", "squeeze"), CODINGS.items())
def test_a_coding_is_undone(coding: str, squeeze: Callable[[bytes], bytes]) -> None:
    assert decode(squeeze(TEXT), coding) == TEXT
    assert decode(squeeze(TEXT), coding, len(TEXT)) == TEXT
    assert decode(squeeze(b""), coding) == b""


def test_codings_are_undone_last_first() -> None:
    assert decode(brotli.compress(gzip.compress(TEXT)), " gzip , identity, BR ") == TEXT


@pytest.mark.parametrize("coding", ["gzip", "br, zstd", "identity"])
def test_no_body_has_no_coding(coding: str) -> None:
    assert decode(b"", coding) == b""


@pytest.mark.parametrize(("coding", "squeeze"), SQUEEZING.items())
def test_a_bomb_does_not_go_off(coding: str, squeeze: Callable[[bytes], bytes]) -> None:
    bomb = squeeze(bytes(MOST_BYTES + 1))

    assert reason(bomb, coding) == "body_cap"
    assert reason(squeeze(TEXT), coding, len(TEXT) - 1) == "body_cap"


def test_a_bomb_in_a_bomb_does_not_go_off() -> None:
    assert reason(gzip.compress(gzip.compress(bytes(8 << 20))), "gzip, gzip", 1 << 16) == "body_cap"


def test_many_parts_share_one_cap() -> None:
    assert decode(gzip.compress(b"a") * 20 + bytes(12), "gzip", 20) == b"a" * 20
    assert decode(zstd.compress(b"a") * 20, "zstd", 20) == b"a" * 20
    assert reason(gzip.compress(b"a") * 21, "gzip", 20) == "body_cap"
    assert reason(gzip.compress(b"") * 2000, "gzip") == "corrupt"


@pytest.mark.parametrize(("coding", "squeeze"), SQUEEZING.items())
def test_a_broken_coding_is_noticed(coding: str, squeeze: Callable[[bytes], bytes]) -> None:
    whole = squeeze(os.urandom(4000))

    assert reason(whole[:-5], coding) == "corrupt"
    assert reason(whole + b"more", coding) == "corrupt"
    assert reason(b"<html>no such coding</html>", coding) == "corrupt"


@pytest.mark.parametrize("coding", ["compress", "gzip, sdch", "gzip,gzip,gzip,gzip", "dcb"])
def test_an_unknown_coding_is_not_guessed(coding: str) -> None:
    assert reason(b"x", coding) == "encoding"


@given(st.binary(max_size=300), st.sampled_from(list(CODINGS)), st.integers(0, 400))
def test_nothing_decodes_to_more_than_its_cap(body: bytes, coding: str, cap: int) -> None:
    for encoded in (body, CODINGS[coding](body)):
        try:
            decoded = decode(encoded, coding, cap)
        except Undecodable as error:
            decoded = b""
            assert error.reason in {"body_cap", "corrupt"}  # noqa: PT017 - one of two ways, not an expected one
        assert len(decoded) <= cap


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
