"""What a path captured: the text that rules look at, with the bytes that cross to a side.

A file of its own because mypyc, which compiles `match`, makes no subclass of `str`.
"""

from __future__ import annotations

from typing import Self


class Captured(str):
    """A captured value as the usual reading has it; `sent` is the same as the client spelled it."""

    __slots__ = ("sent",)

    sent: str

    def __new__(cls, value: str, sent: str) -> Self:
        """Combine the usual reading and the client's spelling."""
        captured = super().__new__(cls, value)
        captured.sent = sent
        return captured
