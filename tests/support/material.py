"""Raw material for messages: what is usual, what is nasty, ways to spoil one with the other."""

from __future__ import annotations

from random import Random

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a/b?c=d HTTP/1.1\r\nHost: example.test\r\nUser-Agent: x\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
    b"POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n",
    b"GET http://b.test:80/x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: [::1]:80\r\nTE: trailers\r\nConnection: TE\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nServer: x\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    b'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\nsad!",
]
CHUNKED = [
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b'5;a=b;c="d e\\"f"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\nY: 2\r\n\r\nGET / HTTP/1.1\r\n',
    b"1\r\na\r\n" * 20 + b"0\r\n\r\n",
    b"ff\r\n" + b"x" * 255 + b"\r\n0\r\n\r\n",
]
NASTY = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"=", b"0", b"5", b"f", b"-", b"+", b"_", b"0x", b"\"", b"\\", b"\x0b", b"\x0c", b"\x1b", b"\x7f",
    b"\x85", b"\xa0", b"\xb2", b"\xff", b"\xef\xbc\x95", b"\r\n\r\n", b"\n\n", b"\r\n ", b"\r\n\t", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"GET ", b"POST ", b"CONNECT ",
    b"Host: b\r\n", b"Host:\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length:", b"content-length: 1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer_Encoding: chunked\r\n", b"transfer-encoding:", b"chunked", b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: content-length\r\n", b"Expect: 100-continue\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"ffffffffffffffff", b"X: " + b"y" * 300 + b"\r\n", b"HTTP/1.1 101 Switching Protocols\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"X-Forwarded-For: 6.6.6.6\r\n", b"X-Shadow: 1\r\n", b"http://c/", b"*", b"#", b"%00", b"Accept", b"\r\nAccept\r\n", b"TE: trailers\r\n", b"Max-Forwards: 0\r\n",
]  # fmt: skip


def spoilt(random: Random, seeds: list[bytes]) -> bytes:
    """A message with some wounds: cut, doubled, swapped, bitten, poisoned, spliced."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))):
        at = random.randrange(len(data) + 1)
        wound = random.randrange(8)
        if wound <= 2:
            data[at:at] = random.choice(NASTY)
        elif wound == 3:
            del data[at : at + random.choice((1, 1, 1, 2, 5, 20))]
        elif wound == 4 and at < len(data):
            data[at] = random.randrange(256)
        elif wound == 5:
            size = random.choice((1, 2, 5, 20))
            data[at:at] = data[at : at + size]
        elif wound == 6:
            data[at : at + random.choice((1, 2))] = random.choice(NASTY)
        else:
            other = random.choice(seeds)
            data[at:] = other[random.randrange(len(other) + 1) :]
    return bytes(data)
