"""The worker's own look at a pair: equal as it stands, or where it differs first.

What is not equal to the byte may still mean the same; whoever compares decides that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proxy.serving.recorder import Recorder

_ALWAYS: Final = frozenset(
    (
        "content-type", "set-cookie", "location", "retry-after", "www-authenticate", "content-disposition",
        "content-encoding",
    )
)  # fmt: skip


def compared_fields(also: Iterable[str]) -> frozenset[str]:
    """The lower-case names of the fields that are compared: the usual ones, those a route names."""
    return _ALWAYS | {name.lower() for name in also}


def first_difference(legacy: Recorder, modern: Recorder, compared: frozenset[str]) -> str:
    """Where two whole answers differ first: `status`, `headers`, `body`; empty where they are the same."""
    if legacy.status != modern.status:
        return "status"
    if not have_same_fields(legacy, modern, compared):
        return "headers"
    return "" if legacy.has_body_of(modern) else "body"


def have_same_fields(one: Recorder, two: Recorder, compared: frozenset[str]) -> bool:
    """Whether the compared fields of two answers mean the same.

    Heads are shared by the answers that repeat them, nothing changes their lines. So each remembers the last lines
    that were found to mean the same as its own: as long as both sides repeat theirs word for word, which is a second
    where they send Date, nobody looks again. What is remembered lives no longer than the head.
    """
    lines, others, head = one.lines, two.lines, one.head
    if head is not None:
        known = head.agrees
        if known is not None and known[0] is others and known[1] is compared:
            return True
    if lines is not others and lines != others and not _same_fields(lines, others, compared):
        return False
    if head is not None:
        head.agrees = others, compared
    return True


def _same_fields(legacy: list[str], modern: list[str], compared: frozenset[str]) -> bool:
    """Look at the lines that only one side has first: as a rule those are Date, Server, which nobody compares."""
    left, right = set(legacy), set(modern)
    if len(left) == len(legacy) and len(right) == len(modern):
        apart = left ^ right
        if not any(line.partition(":")[0].lower() in compared for line in apart):
            return True
    return _meant(legacy, compared) == _meant(modern, compared)


def _meant(lines: list[str], compared: frozenset[str]) -> dict[str, list[object]]:
    """The compared fields with what of their values is compared, in the order they came."""
    found: dict[str, list[object]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower in compared:
            found.setdefault(lower, []).append(_value(lower, value))
    if len(found.get("set-cookie", ())) > 1:
        found["set-cookie"].sort(key=repr)
    return found


def _value(name: str, value: str) -> object:
    """The media type without parameters, a cookie's name with whether scripts may not see it, else the value."""
    if name == "content-type":
        return value.partition(";")[0].strip().lower()
    if name == "set-cookie":
        return value.partition("=")[0].strip(), "httponly" in value.lower().replace(" ", "").split(";")
    return value
