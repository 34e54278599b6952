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

from comparators.content_coding import MOST_BYTES, Undecodable, decode

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
