from __future__ import annotations

import pytest

from proxy.http1.fields import BrokenAnswer
from proxy.http1.framing import (
    CHUNK_LINE_AT_MOST,
    TRAILER_BYTES_AT_MOST,
    TRAILERS_AT_MOST,
    ChunkedBody,
    CloseBody,
    LengthBody,
    chunk,
    last_chunk,
)


def test_a_body_of_known_length_ends_with_its_last_byte() -> None:
    body = LengthBody(5)

    assert (body.feed(b"he"), body.done) == (b"he", False)
    assert (body.feed(b"llo world"), body.done, body.rest) == (b"llo", True, b" world")


def test_a_body_of_no_length_is_done_before_it_begins() -> None:
    assert LengthBody(0).done


def test_a_body_until_close_takes_everything() -> None:
    body = CloseBody()

    assert (body.feed(b"a"), body.feed(b"0\r\n\r\n"), body.done) == (b"a", b"0\r\n\r\n", False)


def test_chunks_are_joined_their_extensions_dropped_their_trailers_kept() -> None:
    body = ChunkedBody()

    payload = body.feed(b'5;a=b;c="d;\\"e"\r\nhello\r\n1;x\r\n!\r\n0;last\r\nX-Sum: 1\r\nY:2 \r\n\r\nrest')

    assert (payload, body.done, body.rest, body.trailers) == (b"hello!", True, b"rest", ["X-Sum: 1", "Y: 2"])


@pytest.mark.parametrize("line", [b"5", b"05", b"000000000000005"])
def test_a_size_may_have_zeros_before_it(line: bytes) -> None:
    assert ChunkedBody().feed(line + b"\r\nhello\r\n") == b"hello"


@pytest.mark.parametrize("size", [CHUNK_LINE_AT_MOST, CHUNK_LINE_AT_MOST * 10])
def test_a_chunk_line_has_an_end(size: int) -> None:
    with pytest.raises(BrokenAnswer):
        ChunkedBody().feed(b"1;" + b"x" * size)


def test_a_chunk_line_at_the_limit_is_read() -> None:
    line = b"1;" + b"x" * (CHUNK_LINE_AT_MOST - 4) + b"\r\n"

    assert ChunkedBody().feed(line + b"a\r\n") == b"a"


def test_trailers_are_limited_in_number() -> None:
    fine, more = (b"0\r\n" + b"A: 1\r\n" * count for count in (TRAILERS_AT_MOST, TRAILERS_AT_MOST + 1))

    assert len(ended(fine).trailers) == TRAILERS_AT_MOST
    with pytest.raises(BrokenAnswer):
        ended(more)


def test_trailers_are_limited_in_bytes() -> None:
    with pytest.raises(BrokenAnswer):
        ended(b"0\r\n" + (b"A: " + b"x" * 1000 + b"\r\n") * (TRAILER_BYTES_AT_MOST // 1000 + 1))


def test_trailers_that_are_not_passed_on_count_as_well() -> None:
    with pytest.raises(BrokenAnswer):
        ended(b"0\r\n" + b"Content-Length: 1\r\n" * 1000)


def ended(data: bytes) -> ChunkedBody:
    body = ChunkedBody()
    body.feed(data + b"\r\n")
    return body


def test_an_unfinished_line_waits_for_its_end() -> None:
    body = ChunkedBody()

    assert [body.feed(piece) for piece in (b"5", b"\r", b"\nhe", b"llo", b"\r", b"\n0\r\n", b"\r\n")] == [
        b"",
        b"",
        b"he",
        b"llo",
        b"",
        b"",
        b"",
    ]
    assert body.done


def test_a_payload_is_framed_as_one_chunk() -> None:
    assert chunk(b"x" * 31) == b"1f\r\n" + b"x" * 31 + b"\r\n"


def test_nothing_is_framed_as_nothing() -> None:
    """An empty chunk would be the end."""
    assert chunk(b"") == b""


def test_the_end_carries_the_trailers() -> None:
    assert last_chunk([]) == b"0\r\n\r\n"
    assert last_chunk(["A: \xe9", "B: 2"]) == b"0\r\nA: \xe9\r\nB: 2\r\n\r\n"
