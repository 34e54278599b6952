"""Caches parsed heads for seconds, without their per-request ids.

A browser repeats every field but the request line, a backend every one but Date. What is cached was checked when
it first came; the same bytes mean the same. Cookies and tokens are among them, so what was not used
for two turns of the server's clock is dropped.
"""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

AT_MOST: Final = 1024
ALTOGETHER: Final = 4 * AT_MOST
"""Entries of one turn, new and reused: at most a few dozen megabytes of a worker."""
LONGEST: Final = 2048

Meaning = TypeVar("Meaning")


class HeadCache(Generic[Meaning]):
    """Entries of at most LONGEST bytes each: those used since the last turn, those before; AT_MOST new ones a turn.

    Reused entries stay, ALTOGETHER at most: heads beyond that have to be parsed again.

    Heads that are never repeated, from a flood or an edge that numbers its requests, fill that soon; then nothing
    is added until the next turn, and the cached entries stay.
    """

    __slots__ = ("_before", "lately")

    def __init__(self) -> None:
        self.lately: dict[bytes, Meaning] = {}
        self._before: dict[bytes, Meaning] = {}

    def before(self, data: bytes) -> Meaning | None:
        """An entry that is not in `lately` may be in the previous turn's; then it moves to `lately`."""
        found = self._before.get(data)
        if found is not None and len(self.lately) < ALTOGETHER:
            self.lately[data] = found
        return found

    def remember(self, data: bytes, meaning: Meaning) -> None:
        """Keep an entry, where there is room."""
        if len(data) <= LONGEST and self.has_room():
            self.lately[data] = meaning

    def has_room(self) -> bool:
        """Whether new entries are kept in this turn."""
        return len(self.lately) < AT_MOST

    def turn(self) -> None:
        """Drop what was not used since the last turn."""
        self._before, self.lately = self.lately, {}

    def __len__(self) -> int:
        return len(self.lately) + len(self._before)


# Removes the ids that an edge gives to each request from a head, so that the rest of it is found in the cache.
#
# An edge that numbers its requests sends one X-Request-Id, one traceparent with each, everything else as before. Only a
# line that is written as the latest edge wrote it, with a value that may be used, is taken out; what is left reads as
# if the line had not been there, because no other line means anything else without it.


request_id: Final = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch
traceparent: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_OF_IDS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
_LONGEST_ID: Final = 128
_AN_ID: Final = b"a" * _LONGEST_ID
_LETTERS: Final = bytes(_AN_ID[0] if letter in _OF_IDS else letter for letter in range(256))
"""A table that makes one letter of all that an id may have; to delete these takes Python six times as long."""
_DIGITS: Final = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_SHAPE: Final = b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00"
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16
_ID: Final = len("\r\nX-Request-Id: ")
_TRACE: Final = len("\r\ntraceparent: ")
_TRACE_LONG: Final = 55


class Spelling:
    """How the two fields were spelled lately, each with what stands before its value; changes with `learn`.

    `long` is how long the latest id was that was taken out.
    """

    __slots__ = ("_lately", "long", "request_id", "traceparent")

    def __init__(self) -> None:
        self.long = 0
        self._lately = ("", "")
        self.request_id = b"\r\nX-Request-Id: "
        self.traceparent = b"\r\ntraceparent: "

    def learn(self, request_id: str, traceparent: str) -> None:
        """Look for these names from now on; an empty one leaves the present name."""
        if (request_id, traceparent) != self._lately:
            self._lately = (request_id, traceparent)
            if request_id:
                self.request_id = f"\r\n{request_id}: ".encode("latin-1")
            if traceparent:
                self.traceparent = f"\r\n{traceparent}: ".encode("latin-1")


spelling: Final = Spelling()


def is_request_id(value: bytes) -> bool:
    """Whether the expression `request_id` matches; a match object for each request costs more than the rest here."""
    return 0 < len(value) <= _LONGEST_ID and value.translate(_LETTERS) == _AN_ID[: len(value)]


def is_traceparent(value: bytes) -> bool:
    """Whether the expression `traceparent` matches."""
    if value.translate(_DIGITS) != _SHAPE:
        return False
    return value[:3] == b"00-" and value[3:35] != _NO_TRACE and value[36:52] != _NO_PARENT


def without_ids(data: bytes, at: int) -> tuple[bytes, str, str]:
    """Return what is left of a head from `at` on, where the request line ends; the request's id, its trace, or empty.

    `data` ends with the empty line that ends the head.
    """
    # as edges write them that number their requests, an id of the same length before a trace at the end: no search
    other_end = len(data) - len(b"\r\n\r\n")
    other = other_end - _TRACE_LONG - _TRACE
    begin = other - spelling.long - _ID
    if begin >= at and data[begin : begin + _ID] == spelling.request_id:
        value, trace_value = data[begin + _ID : other], data[other + _TRACE : other_end]
        if (
            data[other : other + _TRACE] == spelling.traceparent
            and is_request_id(value)
            and is_traceparent(trace_value)
        ):
            return data[at:begin] + data[other_end:], value.decode("latin-1"), trace_value.decode("latin-1")
    return _without_ids_anywhere(data, at)


def _without_ids_anywhere(data: bytes, at: int) -> tuple[bytes, str, str]:
    number = trace = ""
    # from the end: an edge adds its own fields after the browser's
    begin, other = data.rfind(spelling.request_id, at), data.rfind(spelling.traceparent, at)
    end = other_end = at
    if begin >= 0:
        end = data.find(b"\r\n", begin + _ID)
        value = data[begin + _ID : end]
        if is_request_id(value):
            number = value.decode("latin-1")
    if other >= 0:
        other_end = other + _TRACE + _TRACE_LONG
        value = data[other + _TRACE : other_end]
        if data[other_end : other_end + 2] == b"\r\n" and is_traceparent(value):
            trace = value.decode("latin-1")
    if number and trace:
        spelling.long = len(number)
        if begin > other:
            begin, end, other, other_end = other, other_end, begin, end
        return b"".join((data[at:begin], data[end:other], data[other_end:])), number, trace
    if number:
        return data[at:begin] + data[end:], number, trace
    return (data[at:other] + data[other_end:] if trace else data[at:]), number, trace
