"""Finished requests, as the data path would record them."""

from __future__ import annotations

from typing import Any

from proxy.telemetry.records import Attempt, Exchange


def attempt(side: str = "legacy", status: int = 200, kind: str = "", wait: float = 0.02) -> Attempt:
    """One try at one backend."""
    return Attempt(side, side, f"http://127.0.0.1/{side}", status, kind, wait)


def exchange(*attempts: Attempt, **changes: Any) -> Exchange:
    """A call on route `profile` that the last attempt's side answered."""
    made = attempts or (attempt(),)
    usual = Exchange(
        at=1_800_000_000.25,
        request_id="abc-1",
        client="127.0.0.1",
        method="GET",
        host="example.test",
        path="/api/me",
        route="profile",
        generation=1,
        digest="0123456789ab",
        bucket=0.25,
        weight=10.0,
        side=made[0].side,
        reason="weight",
        answered=made[-1].side,
        status=made[-1].status,
        attempts=made,
        fallback="",
        duration=0.03,
        overhead=0.0004,
        bytes_in=0,
        bytes_out=5,
        error="",
        tunnel=False,
    )
    return usual._replace(**changes)
