"""Writes that legacy lacks are counted while they happen: after a rollback it is too late."""

from __future__ import annotations

import pytest

from proxy.telemetry.worker_metrics import Counts, ModernWrites
from tests.support.exchanges import attempt, exchange


@pytest.mark.parametrize(
    ("method", "side", "status", "counted"),
    [
        ("POST", "modern", 201, True),
        ("DELETE", "modern", 204, True),
        ("PUT", "modern", 303, True),
        ("GET", "modern", 200, False),
        ("POST", "legacy", 201, False),
        ("POST", "modern", 422, False),
        ("POST", "modern", 500, False),
    ],
)
def test_only_writes_that_modern_has_done_are_counted(method: str, side: str, status: int, counted: bool):
    counts = Counts()

    ModernWrites(counts).observe_all([exchange(attempt(side, status), method=method)] * 2)

    assert counts.changed() == ([("strangler_modern_writes_total", ("profile",), (2,))] if counted else [])
