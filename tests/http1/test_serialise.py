from __future__ import annotations

from proxy.http1 import fields


def test_a_request_has_our_version_its_host_first_our_lines_last() -> None:
    written = fields.request("GET", "/a?b", "c", ["Accept: */*", "X: \xe9"], "Via: d\r\n")

    assert written == b"GET /a?b HTTP/1.1\r\nHost: c\r\nAccept: */*\r\nX: \xe9\r\nVia: d\r\n\r\n"


def test_a_request_without_fields_of_its_own_is_whole() -> None:
    assert fields.request("GET", "/", "c", [], "") == b"GET / HTTP/1.1\r\nHost: c\r\n\r\n"


def test_an_answer_has_our_version_whatever_the_backend_said() -> None:
    assert fields.response(200, "OK", ["A: 1"], "B: 2\r\n") == b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"


def test_an_answer_without_fields_is_whole() -> None:
    assert fields.response(204, "", [], "") == b"HTTP/1.1 204 \r\n\r\n"
