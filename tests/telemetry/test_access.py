"""The access line records what was decided, never what is secret."""

from __future__ import annotations

import orjson
import pytest

from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.records import Exchange
from tests.support.exchanges import attempt, exchange


class Lines:
    """Stands for the writer: keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def put_all(self, lines: list[bytes]) -> None:
        self.lines += lines


def line_of(record: Exchange) -> dict:
    lines = Lines()
    AccessLog(lines).observe(record)
    (line,) = lines.lines
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return orjson.loads(line)


def test_the_line_is_the_record_of_the_decision():
    line = line_of(exchange(attempt("modern", 201, wait=0.0123)))

    assert line == {
        "ts": "2027-01-15T08:00:00.250Z",
        "level": "info",
        "event": "request",
        "request_id": "abc-1",
        "route": "profile",
        "config": "0123456789ab",
        "generation": 1,
        "bucket": 0.25,
        "weight": 10.0,
        "side": "modern",
        "reason": "weight",
        "answered": "modern",
        "upstream": "http://127.0.0.1/modern",
        "status": 201,
        "duration_ms": 30.0,
        "overhead_ms": 0.4,
        "upstream_ms": 12.3,
        "bytes_in": 0,
        "bytes_out": 5,
        "client": "127.0.0.1",
        "method": "GET",
        "host": "example.test",
        "path": "/api/me",
    }


def test_query_values_stay_out():
    line = line_of(exchange(path="/reset?token=secret&user=7"))

    assert line["path"] == "/reset"
    assert b"secret" not in orjson.dumps(line)


def test_a_rescue_names_every_attempt():
    line = line_of(exchange(attempt("modern", 502), attempt("legacy"), fallback="status"))

    assert line["fallback"] == "status"
    assert [(each["side"], each["status"]) for each in line["attempts"]] == [("modern", 502), ("legacy", 200)]


def test_a_request_that_reached_no_backend_has_a_line_too():
    line = line_of(exchange(attempts=(), answered="none", status=400, error="two Host fields"))

    assert (line["upstream"], line["upstream_ms"], line["error"]) == (None, None, "two Host fields")


@pytest.mark.parametrize("path", ['/a"b', "/a\\b", "/ä", "/\x7f", "/" + "x" * 9000, "/\ud800"])
def test_no_path_can_break_the_line_or_make_it_too_long_for_a_pipe(path: str):
    lines = Lines()
    AccessLog(lines).observe(exchange(path=path))

    (line,) = lines.lines
    assert orjson.loads(line)["path"][:2] == path[:2].replace("\ud800", "?")
    assert len(line) < 4096


def test_nothing_of_a_line_is_in_the_next_one():
    lines = Lines()
    log = AccessLog(lines)
    plain = exchange(attempt("legacy", 200))

    log.observe_all([plain, exchange(attempt("modern", 502), attempt("legacy"), fallback="status", error="x"), plain])

    assert lines.lines[2] == lines.lines[0]
    assert not {"fallback", "error", "attempts"} & set(orjson.loads(lines.lines[2]))
