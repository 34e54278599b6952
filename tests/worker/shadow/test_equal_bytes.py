"""What the worker itself may count as equal."""

from __future__ import annotations

from random import Random

import pytest

from proxy.http1 import ResponseHead, response_head
from proxy.worker.shadow.outcome import compared_fields, first_difference
from proxy.worker.shadow.response_copy import Budget, ResponseCopy

COMPARED = compared_fields(["X-Total"])


def recorded(*lines: str, status: int = 200, body: bytes = b"same") -> ResponseCopy:
    recorder = ResponseCopy(0, Budget())
    recorder.began(status, list(lines), body)
    return recorder


@pytest.mark.parametrize(
    ("legacy", "modern", "difference"),
    [
        (recorded(), recorded(), ""),
        (recorded(), recorded(status=204), "status"),
        (recorded(), recorded(body=b"other"), "body"),
        (recorded("Date: 1", "Server: a"), recorded("Server: b", "Date: 2"), ""),
        (recorded("Date: 1", "Vary: a"), recorded("Date: 1"), ""),
        (recorded("X-Total: 1"), recorded("x-total: 1"), ""),
        (recorded("X-Total: 1"), recorded("X-Total: 2"), "headers"),
        (recorded("X-Total: 1"), recorded(), "headers"),
        (recorded("Content-Type: text/html; charset=utf-8"), recorded("content-type: TEXT/HTML"), ""),
        (recorded("Content-Type: text/html; charset=utf8"), recorded('Content-Type: text/html; Charset="UTF-8"'), ""),
        (recorded("Content-Type: text/html"), recorded("Content-Type: text/html; charset=iso-8859-1"), "headers"),
        (recorded("Content-Type: a/b; charset=cp1252"), recorded("Content-Type: a/b; charset=utf-8"), "headers"),
        (recorded("Content-Type: text/html"), recorded(), "headers"),
        (recorded("Set-Cookie: a=1", "Set-Cookie: b=1"), recorded("Set-Cookie: b=2", "Set-Cookie: a=2"), ""),
        (recorded("Set-Cookie: a=1"), recorded("Set-Cookie: a=1", "Set-Cookie: b=1"), "headers"),
        (recorded("Set-Cookie: a=1; HttpOnly"), recorded("Set-Cookie: a=2;httponly"), ""),
        (recorded("Set-Cookie: a=1; HttpOnly"), recorded("Set-Cookie: a=1"), "headers"),
        (recorded("X-Total: 1", "X-Total: 1"), recorded("X-Total: 1"), "headers"),
        (recorded("Retry-After: 1", "Date: 1"), recorded("Retry-After: 2", "Date: 1"), "headers"),
        (recorded("Content-Encoding: gzip"), recorded(), "headers"),
    ],
)
def test_status_compared_fields_and_bytes_decide(legacy: ResponseCopy, modern: ResponseCopy, difference: str):
    assert first_difference(legacy, modern, COMPARED) == difference
    assert first_difference(modern, legacy, COMPARED) == difference


def answered(*lines: str) -> ResponseHead:
    return response_head("\r\n".join(("HTTP/1.1 200 OK", "Content-Length: 4", *lines)).encode())


def as_came(head: ResponseHead) -> ResponseCopy:
    """A copy of an answer whose head is shared by all that repeat it."""
    recorder = recorded(*head.lines)
    recorder.lines, recorder.head = head.lines, head
    return recorder


def test_a_verdict_is_the_same_whatever_was_seen_before():
    draw = Random(7)
    pieces = ("Date: 1", "Date: 2", "X-Total: 1", "X-Total: 2", "Set-Cookie: a=1", "Content-Type: text/html", "ETag: 1")
    heads = [answered(*draw.sample(pieces, draw.randrange(4))) for _ in range(40)]
    both: set[str] = set()

    for _ in range(4000):
        one, two, fields = draw.choice(heads), draw.choice(heads), draw.choice((COMPARED, compared_fields(())))
        verdict = first_difference(as_came(one), as_came(two), fields)
        both.add(verdict)

        assert verdict == first_difference(recorded(*one.lines), recorded(*two.lines), fields)
    assert both == {"", "headers"}


def test_a_head_remembers_one_other_at_most_and_none_with_another_cookie():
    one = answered("Date: 0")
    others = [answered(f"Date: {number}") for number in range(1, 5)]

    for other in (*others, answered("Set-Cookie: a=1")):
        first_difference(as_came(one), as_came(other), COMPARED)

    assert one.agrees == (others[-1].lines, COMPARED)
    assert all(other.agrees is None for other in others)
