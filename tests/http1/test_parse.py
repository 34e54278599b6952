from __future__ import annotations

import pytest

from proxy.http1 import RequestHead, ResponseHead, request_head, response_head
from proxy.http1.fields import BrokenAnswer, Refusal


def request(*lines: str) -> RequestHead:
    return request_head("\r\n".join(lines).encode("latin-1"))


def answer(*lines: str) -> ResponseHead:
    return response_head("\r\n".join(lines).encode("latin-1"))


def test_a_request_head_is_read() -> None:
    head = request("GET /a?b HTTP/1.1", "Host: c:80", "Accept: */*", "Cookie: d=e")

    assert (head.method, head.target, head.minor, head.host) == ("GET", "/a?b", 1, "c:80")
    assert head.lines == ["Accept: */*", "Cookie: d=e"]
    assert (head.cookie, head.length, head.chunked, head.close, head.has_body) == ("d=e", -1, False, False, False)


@pytest.mark.parametrize(
    ("lines", "length", "chunked", "has_body"),
    [
        ([], -1, False, False),
        (["Content-Length: 0"], 0, False, False),
        (["Content-Length: 5"], 5, False, True),
        (["Content-Length: 999999999999999999"], 999999999999999999, False, True),
        (["Transfer-Encoding: chunked"], -1, True, True),
        (["Transfer-Encoding: Chunked"], -1, True, True),
    ],
)
def test_a_requests_framing_is_read(lines: list[str], length: int, chunked: bool, has_body: bool) -> None:
    head = request("POST / HTTP/1.1", "Host: a", *lines)

    assert (head.length, head.chunked, head.has_body) == (length, chunked, has_body)


@pytest.mark.parametrize(
    ("version", "lines", "close"),
    [
        ("1.1", [], False),
        ("1.1", ["Connection: close"], True),
        ("1.1", ["Connection: keep-alive"], False),
        ("1.1", ["Connection: close", "Connection: keep-alive"], True),
        ("1.1", ["Connection: keep-alive, CLOSE"], True),
        ("1.0", [], True),
        ("1.0", ["Connection: keep-alive"], False),
        ("1.0", ["Connection: Keep-Alive"], False),
        ("1.0", ["Connection: keep-alive, close"], True),
    ],
)
def test_who_wants_to_part_is_known(version: str, lines: list[str], close: bool) -> None:
    assert request(f"GET / HTTP/{version}", "Host: a", *lines).close is close


def test_a_field_is_found_by_its_lower_case_name() -> None:
    head = request("GET / HTTP/1.1", "Host: a", "X-User-Id: 42", "x-user-id: 43")

    assert head.field("x-user-id") == "42"
    assert head.field("x-user") is None
    assert head.field("host") == "a"


def test_a_field_that_says_nothing_is_there_and_empty() -> None:
    assert request("GET / HTTP/1.1", "Host: a", "X-Empty:").field("x-empty") == ""


def test_cookies_on_several_lines_are_one_list() -> None:
    assert request("GET / HTTP/1.1", "Host: a", "Cookie: a=b", "Cookie: c=d").cookie == "a=b; c=d"


@pytest.mark.parametrize("status", [400, 405, 417, 501])
def test_a_refusal_tells_its_status_and_nothing_that_was_sent(status: int) -> None:
    lines = {
        400: ["GET / HTTP/1.1", "Host: a", "secret"],
        405: ["TRACE /secret HTTP/1.1", "Host: a"],
        417: ["GET / HTTP/1.1", "Host: a", "Expect: secret"],
        501: ["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: secret"],
    }[status]

    with pytest.raises(Refusal) as refusal:
        request(*lines)

    assert refusal.value.status == status
    assert "secret" not in refusal.value.detail


def test_an_answers_head_is_read() -> None:
    head = answer("HTTP/1.1 404 Not Found", "Server: x", "Content-Length: 5")

    assert (head.status, head.reason, head.minor, head.length, head.close) == (404, "Not Found", 1, 5, False)
    assert head.lines == ["Server: x", "Content-Length: 5"]


@pytest.mark.parametrize("kind", ["text/event-stream", "text/event-stream;charset=utf-8", "TEXT/Event-Stream"])
def test_an_event_stream_is_known(kind: str) -> None:
    assert answer("HTTP/1.1 200 OK", f"Content-Type: {kind}").stream


@pytest.mark.parametrize("kind", ["text/html", "application/json", "x-text/event-stream"])
def test_other_answers_are_no_streams(kind: str) -> None:
    assert not answer("HTTP/1.1 200 OK", f"Content-Type: {kind}").stream


@pytest.mark.parametrize(
    "lines",
    [
        ["HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1"],
        ["HTTP/1.0 200 OK", "Transfer-Encoding: chunked"],
        ["HTTP/3 200"],
    ],
)
def test_an_answer_that_could_mean_two_things_is_broken(lines: list[str]) -> None:
    with pytest.raises(BrokenAnswer):
        answer(*lines)


def test_a_decline_is_seen_and_never_passed_on() -> None:
    head = answer("HTTP/1.1 200 OK", "X-Strangler-Decline: 1", "X-Shadow-Dry-Run: 1", "Content-Length: 0")

    assert head.decline
    assert head.lines == ["Content-Length: 0"]
