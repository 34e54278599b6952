"""Pairs of responses, as a worker would send them to control."""

from __future__ import annotations

from typing import Any

from proxy.ipc.messages import Answer, Pair


def a_pair(legacy: bytes = b"{}", modern: bytes = b"{}", secondary: Answer | None = None, **changes: Any) -> Pair:
    """A pair of route `profile` whose bodies are these."""
    usual: dict[str, Any] = {
        "id": "0123456789abcdef",
        "at": 1_800_000_000.25,
        "route": "profile",
        "generation": 1,
        "user": "",
        "method": "GET",
        "path": "/api/me",
        "query": None,
        "live_side": "legacy",
        "again": 0,
        "reason": "body",
        "legacy": Answer(200, (("Content-Type", "application/json"),), legacy, seconds=0.01),
        "modern": Answer(200, (("Content-Type", "application/json"),), modern, seconds=0.01),
        "secondary": secondary,
    }
    return Pair(**{**usual, **changes})
