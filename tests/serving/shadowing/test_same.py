"""What the worker itself may call equal."""

from __future__ import annotations

import pytest

from proxy.serving.recorder import Budget, Recorder
from proxy.serving.shadowing.same import compared_fields, first_difference

COMPARED = compared_fields(["X-Total"])


def recorded(*lines: str, status: int = 200, body: bytes = b"same") -> Recorder:
    recorder = Recorder(0, Budget())
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
def test_status_compared_fields_and_bytes_decide(legacy: Recorder, modern: Recorder, difference: str):
    assert first_difference(legacy, modern, COMPARED) == difference
    assert first_difference(modern, legacy, COMPARED) == difference
