"""The smugglers' catalogue (requirements 2, 5): whatever is sent, one message is one message to every parser.

The mutations are those of defparam/smuggler and of the desync families CL.TE, TE.CL, TE.TE, CL.0, 0.CL. The law: a
mutated request is refused, or it reaches the backend in one plain framing; the hidden request never does.
"""

from __future__ import annotations

import pytest

from tests.support.h11_backend import Judged

HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nX: "
TAIL = b"0\r\n\r\n" + HIDDEN

BYTE_TEMPLATES = {
    "between colon and value": b"Transfer-Encoding:%cchunked",
    "before the colon": b"Transfer-Encoding%c: chunked",
    "before the name": b"%cTransfer-Encoding: chunked",
    "behind the value": b"Transfer-Encoding: chunked%c",
    "before the value": b"Transfer-Encoding: %cchunked",
    "inside the name": b"Transfer%cEncoding: chunked",
    "inside the value": b"Transfer-Encoding: chu%cnked",
    "hidden in another field": b"X: X%cTransfer-Encoding: chunked",
    "another field hidden in it": b"Transfer-Encoding: chunked%cX: X",
    "behind a CR": b"X: X\r%cTransfer-Encoding: chunked",
    "before a LF": b"X: X%c\nTransfer-Encoding: chunked",
    "value, CR, byte": b"Transfer-Encoding: chunked\r%cX: X",
    "value, byte, LF": b"Transfer-Encoding: chunked%c\nX: X",
    "a length with the byte before": b"Content-Length: %c5",
    "a length with the byte behind": b"Content-Length: 5%c",
    "a length's name with the byte": b"Content-Length%c: 5",
    "a length's name after the byte": b"%cContent-Length: 5",
    "a length inside the name": b"Content%cLength: 5",
}

LINES = [
    b" Transfer-Encoding: chunked",
    b"\tTransfer-Encoding: chunked",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding\t:\tchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer Encoding: chunked",
    b"Transfer_Encoding: chunked",
    b"transfer_encoding: chunked",
    b"Transfer.Encoding: chunked",
    b"Transfer-Encodingchunked",
    b"Transfer-Encoding chunked",
    b"Transfer-Encoding",
    b"Transfer-Encoding:",
    b"Transfer-Encoding:chunked",
    b"TRANSFER-ENCODING: CHUNKED",
    b"tRANSFER-ENCODING: cHUNKED",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: 'chunked'",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked, cow",
    b"Transfer-Encoding: cow, chunked",
    b"Transfer-Encoding: cow chunked bar",
    b"Transfer-Encoding: chunked;foo=bar",
    b"Transfer-Encoding: chunked;",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: c",
    b"Transfer-Encoding: chunk",
    b"Transfer-Encoding: chunkedd",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: x; chunked",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: \x00chunked",
    b"Transfer-Encoding: ch\x96nked",
    b"Transf\x82r-Encoding: chunked",
    b"Transfer-Encoding: \xffchunked",
    b"Transfer\r-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding:\r\n\tchunked",
    b"Transfer-Encoding: chunked\r\n x",
    b"Transfer-\r\n Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: chunked\r\ntransfer-encoding: chunked",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    b"Connection: Content-Length\r\nTransfer-Encoding: chunked",
    b"Connection: close, Content-Length",
    b"X-Transfer-Encoding: chunked",
    b"Content-Transfer-Encoding: chunked",
    b"Content-Encoding: chunked",
    b"TE: chunked",
    b"Foo: bar\nTransfer-Encoding: chunked",
    b"Foo: bar\rTransfer-Encoding: chunked",
    b"Foo: bar\r\n\rTransfer-Encoding: chunked",
    b"Foo\r\nTransfer-Encoding: chunked",
    b": chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nExpect: 100-continue",
    b"Expect: 100-continue",
    b"Expect: y 100-continue",
    b"Expect:\r\n 100-continue",
    b"Upgrade: websocket\r\nConnection: Upgrade",
    b"Content-Length: 0",
    b"Content-Length: 6",
    b"Content-Length: 5, 5",
    b"Content-Length: 5,",
    b"Content-Length: ,5",
    b"Content-Length: +5",
    b"Content-Length: 0x5",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 5\r\n 6",
    b"Content_Length: 5",
    b"Content.Length: 5",
    b"Content Length: 5",
    b"Content-Length : 5",
    b"Content-Length\x00: 5",
    b"Content-Length: 5\x00",
    b"Content-Length: 5\x0b",
    b"Content-Length: \xc2\xa05",
    b"Content-Length: \xef\xbc\x95",
]


def obeys_the_law(data: bytes) -> None:
    judged = Judged()
    judged.send(data)

    for request in judged.heard:
        assert request.target == b"/", data
        framings = len(request.all(b"content-length")) + len(request.all(b"transfer-encoding"))
        assert framings <= 1, data
        names = {name.replace(b"_", b".") for name, _ in request.fields}
        assert not {b"transfer.encoding", b"content.length"} & names, data
    assert len(judged.heard) <= 1, data
    if not judged.heard:
        assert judged.status in (400, 417, 501), data


def attacks(line: bytes) -> list[bytes]:
    """One odd line in every place of a head."""
    length, chunked = b"Content-Length: %d" % len(TAIL), b"Transfer-Encoding: chunked"
    heads = [[length, line], [line], [chunked, line], [line, length], [b"Content-Length: 4", line], [line, chunked]]
    starts = [b"POST / HTTP/1.1\r\nHost: a", b"GET / HTTP/1.1\r\nHost: a", b"POST / HTTP/1.0\r\nConnection: keep-alive"]
    return [b"\r\n".join([start, *head]) + b"\r\n\r\n" + TAIL for start in starts for head in heads]


@pytest.mark.parametrize("line", LINES, ids=repr)
async def test_no_known_obfuscation_hides_a_request(line: bytes) -> None:
    """Requirement 2."""
    for data in attacks(line):
        obeys_the_law(data)


@pytest.mark.parametrize("name", BYTE_TEMPLATES)
async def test_no_single_byte_hides_a_request(name: str) -> None:
    """Requirement 2: all 256 bytes in every odd place."""
    template = BYTE_TEMPLATES[name]
    for value in range(256):
        line = template.replace(b"%c", bytes([value]))
        for data in attacks(line)[:3]:
            obeys_the_law(data)


@pytest.mark.parametrize("value", range(256))
async def test_no_single_byte_in_the_start_line_changes_who_is_asked_for_what(value: int) -> None:
    """Requirements 1, 7: a byte is refused, or it arrives where it stood."""
    byte = bytes([value])
    for data in (
        byte + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET" + byte + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + byte + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + byte + b"x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / " + byte + b"HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1" + byte + b"\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r" + byte + b"\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a" + byte + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + byte + b"\r\n\r\n",
    ):
        judged = Judged()
        judged.send(data)

        if judged.heard:
            request = judged.heard[0]
            assert len(judged.heard) == 1
            assert data.startswith(request.method + b" " + request.target + b" HTTP/1.1\r\n")
            assert b"Host: " + request.all(b"host")[0] in data
        else:
            assert judged.status == 400 or not judged.over, data


@pytest.mark.parametrize("value", range(256))
async def test_no_single_byte_in_chunk_framing_is_overlooked(value: int) -> None:
    """Requirement 3: a byte between the parts of a chunk is refused, or it belongs to an extension or to data."""
    byte = bytes([value])
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (
        byte + b"5\r\nhello\r\n0\r\n\r\n",
        b"5" + byte + b"\r\nhello\r\n0\r\n\r\n",
        b"5\r" + byte + b"\nhello\r\n0\r\n\r\n",
        b"5\r\nhello" + byte + b"\r\n0\r\n\r\n",
        b"5\r\nhello\r" + byte + b"\n0\r\n\r\n",
        b"5\r\nhello\r\n" + byte + b"0\r\n\r\n",
        b"5\r\nhello\r\n0" + byte + b"\r\n\r\n",
        b"5\r\nhello\r\n0\r\n" + byte + b"\r\n\r\n",
        b"5;a" + byte + b"\r\nhello\r\n0\r\n\r\n",
        b"5;a=" + byte + b"\r\nhello\r\n0\r\n\r\n",
        b'5;a="' + byte + b'"\r\nhello\r\n0\r\n\r\n',
    ):
        judged = Judged()
        judged.send(head + body)

        if judged.status == 200:
            assert judged.heard[0].whole
            assert judged.heard[0].body == b"hello", body
        else:
            assert not any(heard.whole for heard in judged.heard), body
            assert judged.status == 400 or not judged.over, body
