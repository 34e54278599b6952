"""Answers every request alike during a journey; a kept connection may be idle for minutes."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.backend import Script, Wire
from tests.support.messages import Message

A_JOURNEY = 3600.0
"""Seconds; the proxy keeps idle connections far longer than a single step of a test may take."""


def patiently(answer: bytes | Callable[[Message], bytes]) -> Script:
    """Give every request this answer, whenever it comes."""

    async def script(wire: Wire) -> None:
        while not wire.ended:
            if not wire.unread:
                await wire.news(A_JOURNEY)
                continue
            request = await wire.request()
            wire.send(answer(request) if callable(answer) else answer)

    return script
