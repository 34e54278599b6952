"""Keeps a bounded copy of an answer as the client gets it."""

from __future__ import annotations

from time import time
from typing import Final

from proxy.http1 import ResponseHead
from proxy.ipc.messages import Answer

HELD_AT_MOST: Final = 64 << 20
"""Bytes of copies that one worker holds at the same time; what would go beyond is not copied."""

_NONE: Final[list[str]] = []
"""The lines of an answer that has not come; nothing adds to the lines of any."""


class Budget:
    """The bytes that all copies of a worker may hold together; `held` moves with `reserve`, `give`."""

    __slots__ = ("at_most", "held")

    def __init__(self, at_most: int = HELD_AT_MOST) -> None:
        self.at_most = at_most
        self.held = 0

    def reserve(self, size: int) -> bool:
        """Reserve `size` bytes; False when that is more than is left."""
        if self.held + size > self.at_most:
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        """Return what was reserved."""
        self.held -= size


class ResponseCopy:
    """One answer so far, at most `limit` bytes of body (0: as far as the budget goes).

    `lost` is empty while the copy is whole, else why it is not: `body_cap`, `memory`, `stream`. `release` gives the
    memory back; it must be called once the copy is not needed. `head` is where `lines` are those of a head as it came,
    `at` when it was received, since the epoch. What is not set in `__init__` is as most answers have it.
    """

    status: int = 0
    lost: str = ""
    head: ResponseHead | None = None
    at: float = 0.0
    _held: int = 0
    _first: bytes = b""
    _more: list[bytes] | None = None

    def __init__(self, limit: int, budget: Budget) -> None:
        self._limit = limit
        self._budget = budget
        self.lines: list[str] = _NONE

    def began(self, status: int, lines: list[str], payload: bytes) -> None:
        """The head came, with the first bytes of the body."""
        self.status = status
        self.lines = lines
        self.at = time()
        size = len(payload)
        if size:
            budget, limit = self._budget, self._limit
            if (not limit or size <= limit) and budget.held + size <= budget.at_most:
                budget.held += size  # as `take`: every copy comes through here
                self._held = size
                self._first = payload
            else:
                self.add_payload(payload)

    def add_payload(self, payload: bytes) -> None:
        """More of the body came; pieces are kept as they are, not copied."""
        if self.lost:
            return
        size = len(payload)
        if self._limit and self._held + size > self._limit:
            self.lose("body_cap")
        elif not self._budget.reserve(size):
            self.lose("memory")
        else:
            self._held += size
            if self._more is None:
                self._more = [payload]
            else:
                self._more.append(payload)

    def lose(self, reason: str) -> None:
        """Give the copy up."""
        self.release()
        self.lost = reason

    def release(self) -> None:
        """Give the memory back."""
        if self._held:
            self._budget.held -= self._held
            self._held = 0
            self._first = b""
            self._more = None

    @property
    def body(self) -> bytes:
        """The body as it was sent, still encoded."""
        if self._more is not None:
            self._first = b"".join((self._first, *self._more))
            self._more = None
        return self._first

    def has_body_of(self, other: ResponseCopy) -> bool:
        """Whether both bodies are the same, to the byte."""
        if self._more is None and other._more is None:
            return self._first == other._first
        return self.body == other.body

    def values(self, name: str) -> list[str]:
        """All values of a field by its lower-case name."""
        size = len(name)
        return [line[size + 2 :] for line in self.lines if line[size : size + 1] == ":" and line[:size].lower() == name]

    def answer(self, seconds: float) -> Answer:
        """The answer for the link; `seconds` is the wait for its first byte."""
        fields = tuple([(name, value) for name, _, value in [line.partition(": ") for line in self.lines]])
        return Answer(self.status, fields, self.body, seconds=seconds, at=self.at)
