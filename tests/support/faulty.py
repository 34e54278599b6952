"""Real parts with an unforeseen error of their own in one place, once."""

from __future__ import annotations

import asyncio
from typing import Any, cast

MESSAGE = "pop from empty list"


class FaultyTransport:
    """A connection's transport, whose `method` fails once."""

    def __init__(self, real: asyncio.Transport, method: str) -> None:
        self._real = real
        self._method = method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._method = ""
            raise IndexError(MESSAGE)
        return getattr(self._real, name)


def break_once(connection: Any, method: str) -> None:
    """Let the next call of `method` on the connection's transport fail."""
    assert connection.transport is not None
    connection.transport = cast(asyncio.Transport, FaultyTransport(connection.transport, method))
