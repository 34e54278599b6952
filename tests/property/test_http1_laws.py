"""The laws of HTTP/1.1 parsing over messages that hypothesis spoils (requirement 20)."""

from __future__ import annotations

from random import Random

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.framing import ChunkedBody, chunk, last_chunk
from tests.support.h11_backend import Judged
from tests.support.laws import answer_law, chunked_law, cut, dechunked, request_law
from tests.support.material import ANSWERS, CHUNKED, REQUESTS, spoilt

pytestmark = pytest.mark.uvloop
CUTS = st.lists(st.integers(0, 2000), max_size=8)
SEEDS = st.integers(0, 1 << 60)


@settings(max_examples=500)  # `make fuzz` goes on from here
@given(SEEDS, CUTS)
async def test_a_spoilt_request_means_one_thing_however_it_is_cut(seed: int, cuts: list[int]) -> None:
    """Requirements 1, 20."""
    request_law(spoilt(Random(seed), REQUESTS), cuts)


@settings(max_examples=500)  # `make fuzz` goes on from here
@given(SEEDS, CUTS, st.sampled_from(["GET", "HEAD", "POST"]))
async def test_a_spoilt_answer_means_one_thing_however_it_is_cut(seed: int, cuts: list[int], method: str) -> None:
    """Requirements 11, 20."""
    answer_law(spoilt(Random(seed), ANSWERS), cuts, method)


@settings(max_examples=500)  # `make fuzz` goes on from here
@given(SEEDS, CUTS)
async def test_spoilt_chunks_mean_one_thing_however_they_are_cut(seed: int, cuts: list[int]) -> None:
    """Requirements 3, 20."""
    chunked_law(spoilt(Random(seed), CHUNKED), cuts)


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=10), CUTS)
async def test_what_is_chunked_comes_out_again(pieces: list[bytes], cuts: list[int]) -> None:
    """Requirement 20: round trip."""
    data = b"".join(chunk(piece) for piece in pieces) + last_chunk(["X-T: 1"]) + b"next"

    assert dechunked(cut(data, cuts)) == ("done", b"".join(pieces), b"next", ("X-T: 1",))


@given(st.binary(max_size=100))
async def test_no_bytes_make_the_chunk_reader_raise_anything_else(data: bytes) -> None:
    """Requirement 3: `BrokenAnswer` or progress."""
    dechunked([data])
    dechunked([data[at : at + 1] for at in range(len(data))])


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
METHODS = st.text(LETTERS + "!#$%&'*+.^_`|~-", min_size=1, max_size=32).filter(lambda m: m not in ("CONNECT", "TRACE"))
TARGETS = st.text(VISIBLE.replace("#", ""), max_size=50).map("/".__add__)
NAMES = st.text(LETTERS + "0123456789!#$%&'*+.^`|~-", min_size=1, max_size=20)
VALUES = st.text(VISIBLE + " \t" + "".join(map(chr, range(0x80, 0x100))), max_size=30).map(
    lambda value: value.strip(" \t")
)


@given(METHODS, TARGETS, st.lists(st.tuples(NAMES, VALUES), max_size=10), st.binary(max_size=300), st.booleans(), CUTS)
async def test_a_proper_request_of_h11_reaches_h11(
    method: str, target: str, fields: list[tuple[str, str]], body: bytes, chunked: bool, cuts: list[int]
) -> None:
    """Requirement 20: strict is not narrow; whatever a proper client makes, a proper server gets."""
    known = {
        "keep-alive",
        "http2-settings",
        "proxy-connection",
        "forwarded",
        "traceparent",
        "tracestate",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "expect",
        "te",
        "via",
        "max-forwards",
    }
    chosen = [(n, v.encode("latin-1")) for n, v in fields if n.lower() not in known and not n.lower().startswith("x-")]
    client = h11.Connection(h11.CLIENT)
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
    data = client.send(h11.Request(method=method, target=target, headers=[("Host", "a.test"), framing, *chosen]))
    data += client.send(h11.Data(data=body)) + client.send(h11.EndOfMessage())

    judged = Judged()
    judged.send(*cut(data, cuts))

    assert judged.status == 200
    heard = judged.heard[0]
    assert (heard.method.decode(), heard.target.decode(), heard.body) == (method, target, body)
    passed = [(n.lower().encode(), v) for n, v in chosen]
    assert [each for each in heard.fields if each in passed] == passed


@given(SEEDS)
async def test_a_body_reader_never_gives_more_than_it_got(seed: int) -> None:
    """Requirement 9: no byte is invented."""
    data = spoilt(Random(seed), CHUNKED)

    _, payload, rest, _ = dechunked([data])

    assert len(payload) + len(rest) <= len(data)


async def test_a_flood_of_tiny_chunks_is_read_in_portions() -> None:
    """Requirement 15: one read must not hold the loop (aiohttp GHSA-g84x)."""
    body = ChunkedBody()

    first = body.feed(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")

    assert 0 < len(first) < 2000
    assert body.more
    total = len(first)
    while body.more:
        total += len(body.feed(b""))
    assert total == 10_000
    assert body.done
