"""Reads what an answer allows caches that several users share (RFC 9111)."""

from __future__ import annotations

from typing import Final

PRIVATE: Final = "Cache-Control: private\r\n"
_SHARED: Final = frozenset(("public", "s-maxage"))
_OWN: Final = frozenset(("private", "no-store"))
_FOR_CACHES: Final = ("cdn-cache-control:", "surrogate-control:")
"""Fields for the caches of a content network alone (RFC 9213, Edge Architecture)."""


def is_shared(lines: list[str]) -> bool:
    """Whether the answer is meant for more than one user: a cookie in it would reach all of them."""
    if not _SHARED.isdisjoint(_directives(lines)):
        return True
    return any(_is_stored(line) for line in lines if line.lower().startswith(_FOR_CACHES))


def is_private(lines: list[str]) -> bool:
    """Whether the answer says that no shared cache keeps it."""
    return not _OWN.isdisjoint(_directives(lines))


def _directives(lines: list[str]) -> set[str]:
    found: set[str] = set()
    for line in lines:
        if line[:14].lower() == "cache-control:":
            found.update(part.strip(" \t").lower() for part in _arguments_cut(line[14:]))
    return found


def _arguments_cut(value: str) -> list[str]:
    """The names of directives; one with fields for its argument, as private="x", is about these fields alone."""
    names: list[str] = []
    for part in value.split(","):
        name, equals, _ = part.partition("=")
        names.append(f"{name}=" if equals and name.strip(" \t").lower() in _OWN else name)
    return names


def _is_stored(line: str) -> bool:
    value = line.partition(":")[2].lower()
    return "no-store" not in value and "private" not in value
