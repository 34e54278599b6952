"""What an access line contains, in any of its formats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.traffic.reader import Recorded, UnreadableError, combined_line, json_line

COMBINED = '10.0.0.7 - anna [21/Nov/2026:03:00:05 +0100] "GET /api/me?x=1 HTTP/1.1" 200 512 "-" "Firefox \\"1\\""'


def test_a_combined_line_tells_who_asked_for_what_and_when():
    read = combined_line(COMBINED, 3)

    assert (read.method, read.target, read.status, read.user, read.line) == ("GET", "/api/me?x=1", 200, "anna", 3)
    assert read.at == 1795226405.0
    assert read.headers == (("User-Agent", 'Firefox "1"'),)


def test_a_common_line_has_no_agent():
    read = combined_line('::1 - - [21/Nov/2026:03:00:05 +0000] "POST /x HTTP/1.0" 500 -', 1)

    assert (read.method, read.status, read.user, read.headers) == ("POST", 500, "", ())


def test_a_virtual_host_before_the_line_is_the_host():
    read = combined_line(f"shop.example:443 {COMBINED}", 1)

    assert (read.host, read.target) == ("shop.example", "/api/me?x=1")


def test_two_visitors_differ_by_address_or_agent():
    lines = [COMBINED, COMBINED.replace("10.0.0.7", "10.0.0.8"), COMBINED.replace("Firefox", "Safari")]

    assert len({combined_line(line, 1).visitor for line in lines}) == 3


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        '10.0.0.7 - - [now] "\\x16\\x03\\x01" 400 0 "-" "-"',
        '10.0.0.7 - - [now] "CONNECT a:443 HTTP/1.1" 400 0 "-" "-"',
        '10.0.0.7 - - [now] "-" 408 0 "-" "-"',
    ],
)
def test_what_is_no_http_request_is_unreadable(line: str):
    with pytest.raises(UnreadableError):
        combined_line(line, 1)


@pytest.mark.parametrize(
    ("line", "method", "target", "status", "seconds"),
    [
        ('{"request":"GET /a?b HTTP/1.1","status":"200","request_time":"0.250"}', "GET", "/a?b", 200, 0.25),
        ('{"method":"PUT","uri":"/a","status":204,"seconds":1}', "PUT", "/a", 204, 1.0),
        ('{"request_method":"GET","request_uri":"/a","args":"-"}', "GET", "/a", 0, None),
        ('{"method":"get","path":"/a","query_string":"x=1","duration_ms":30}', "GET", "/a?x=1", 0, 0.03),
        ('{"url":"https://h.example/a?x=1"}', "GET", "/a?x=1", 0, None),
    ],
)
def test_a_json_line_may_use_any_usual_name(line: str, method: str, target: str, status: int, seconds: float | None):
    read = json_line(line, 1)

    assert (read.method, read.target, read.status, read.seconds) == (method, target, status, seconds)


def test_an_address_brings_its_host():
    assert json_line('{"url":"https://h.example/a"}', 1).host == "h.example"


def test_our_own_access_line_says_which_side_answered():
    line = '{"ts":"2026-11-21T03:00:00.000Z","method":"GET","path":"/a","route":"a","side":"modern","bucket":0.25}'

    read = json_line(line, 1)

    assert (read.route, read.side, read.bucket, read.at) == ("a", "modern", 0.25, 1795230000.0)


def test_a_record_made_by_hand_may_bring_headers_with_a_body():
    read = json_line('{"method":"POST","url":"/a","headers":{"X-A":"1"},"body":{"b":1}}', 1)

    assert (read.headers, read.body) == ((("X-A", "1"),), b'{"b": 1}')


@pytest.mark.parametrize("line", ["", "[]", "{", '{"status":200}', '{"request":7,"path":""}', '{"path":"x"}'])
def test_json_that_names_no_path_is_unreadable(line: str):
    with pytest.raises(UnreadableError):
        json_line(line, 1)


@given(st.text(max_size=300))
def test_no_text_makes_a_reader_raise_anything_else(text: str):
    for read in (combined_line, json_line):
        try:
            found = read(text, 1)
        except UnreadableError:
            continue

        assert isinstance(found, Recorded)
        assert found.target.startswith("/")
