"""Raw material for messages: what is usual, what is nasty, ways to spoil one with the other."""

from __future__ import annotations

from random import Random


def lines(*texts: str) -> list[bytes]:
    """Each text as bytes; a bar stands for CR LF."""
    return [text.encode("latin-1").replace(b"|", b"\r\n") for text in texts]


REQUESTS = lines(
    "GET / HTTP/1.1|Host: a||",
    "GET /a/b?c=d HTTP/1.1|Host: example.test|User-Agent: x|Accept: */*|Cookie: a=b; c=d||",
    "POST /form HTTP/1.1|Host: a|Content-Type: text/plain|Content-Length: 11||hello world",
    "POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked||5|hello|6;x=y| world|0|X-T: 1||",
    "PUT / HTTP/1.1|Host: a|Expect: 100-continue|Content-Length: 2||hi",
    "HEAD /x HTTP/1.1|Host: a|Connection: keep-alive, X-Hop|X-Hop: 1||",
    "GET http://b.test:80/x HTTP/1.1|Host: a||",
    "OPTIONS * HTTP/1.1|Host: a|Max-Forwards: 3||",
    "GET / HTTP/1.0|Connection: keep-alive||",
    "GET /1 HTTP/1.1|Host: a||GET /2 HTTP/1.1|Host: a||GET /3 HTTP/1.1|Host: a|Connection: close||",
    "|GET / HTTP/1.1|Host: [::1]:80|TE: trailers|Connection: TE|X-Forwarded-For: 1.2.3.4||",
)
ANSWERS = lines(
    "HTTP/1.1 200 OK|Content-Length: 5||hello",
    "HTTP/1.1 200 OK|Content-Type: text/html|Transfer-Encoding: chunked||5|hello|6;x=y| world|0|X-T: 1||",
    "HTTP/1.1 200 OK|Connection: close|Server: x||until the end",
    "HTTP/1.0 200 OK|Content-Length: 2|Connection: keep-alive||hi",
    "HTTP/1.1 100 Continue||HTTP/1.1 103 Early Hints|Link: </a>||HTTP/1.1 200 OK|Content-Length: 0||",
    "HTTP/1.1 204 No Content|X-A: 1||",
    'HTTP/1.1 304 Not Modified|Content-Length: 5|ETag: "x"||',
    "HTTP/1.1 302 Found|Location: /|Set-Cookie: a=b|Set-Cookie: c=d|Content-Length: 0||",
    "HTTP/1.1 500 Oops|Content-Length: 4|Connection: X-Hop|X-Hop: 1||sad!",
)
CHUNKED = lines(
    "0||",
    "5|hello|0||",
    '5;a=b;c="d e\\"f"|hello|00A|0123456789|0|X-Trailer: 1|Y: 2||GET / HTTP/1.1|',
    "1|a|" * 20 + "0||",
    "ff|" + "x" * 255 + "|0||",
)
NASTY = [
    *(bytes([value]) for value in b'\r\n\0 \t:,;=05f-+_"\\*#\x0b\x0c\x1b\x7f\x85\xa0\xb2\xff'),
    *(b"\n\n", b"0x", b"%00", b"ffffffffffffffff", b"\xef\xbc\x95", b"http://c/"),
    *lines(
        "|", "||", "| ", "|\t", "|Accept|", "Accept", "GET ", "POST ", "CONNECT ", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"
    ),
    *lines("Host: b|", "Host:|", "Content-Length: 5|", "Content-Length: 0|", "Content-Length:", "content-length: 1|"),
    *lines("Transfer-Encoding: chunked|", "Transfer-Encoding: identity|", "transfer-encoding:", "chunked"),
    *lines("Transfer_Encoding: chunked|", "Connection: close|", "Connection: content-length|", "TE: trailers|"),
    *lines("Connection: upgrade|Upgrade: websocket|", "Expect: 100-continue|", "Max-Forwards: 0|", "X-Shadow: 1|"),
    *lines("X-Request-Id: a-1|", "x-request-id: b|", f"traceparent: 00-{'1' * 32}-{'2' * 16}-01|"),
    *lines("X-Forwarded-For: 6.6.6.6|", "X: " + "y" * 300 + "|", "0||", "5|hello|"),
    *lines("HTTP/1.1 101 Switching Protocols|", "HTTP/1.1 100 Continue||"),
]


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
