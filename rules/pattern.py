"""What a route's `path` means: exact, template, prefix or regex, taken apart once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

EXACT = "exact"
TEMPLATE = "template"
PREFIX = "prefix"
REGEX = "regex"
REST = "**"

_UNMATCHABLE = re.compile(r"[\x00-\x20\x7f%?#;\\]|//|/\.\.?(?:/|$)")
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path taken apart: `segments` holds literals, None where a name stands; empty for a regex.

    `/a/{id}/**` has the segments `("a", None)`; the stars are said by `kind`. `names` are pairs of a name
    with the index of its segment, a regex's own groups are found when it matches.
    """

    kind: str
    text: str
    segments: tuple[str | None, ...] = ()
    names: tuple[tuple[str, int], ...] = ()

    @property
    def literals(self) -> int:
        """How many segments are spelled out."""
        return sum(1 for segment in self.segments if segment is not None)

    @property
    def shape(self) -> tuple[int, ...]:
        """At which positions a literal stands."""
        return tuple(index for index, segment in enumerate(self.segments) if segment is not None)


@lru_cache(maxsize=8192)
def parse(path: str) -> Pattern:
    """Take a `path` apart; ValueError says in the operator's words what is wrong with it."""
    if path.startswith("~"):
        return Pattern(REGEX, path[1:])
    _refuse_unmatchable(path)
    kind = EXACT
    parts = path[1:].split("/")
    if parts[-1] == REST:
        kind, parts = PREFIX, parts[:-1]
    segments: list[str | None] = []
    names: list[tuple[str, int]] = []
    for index, part in enumerate(parts):
        name = _name_of(part)
        segments.append(part if name is None else None)
        if name is not None:
            names.append((name, index))
    if len({name for name, _ in names}) < len(names):
        raise ValueError("a name stands twice in the path; give each {name} its own")
    if names and kind == EXACT:
        kind = TEMPLATE
    return Pattern(kind, path, tuple(segments), tuple(names))


def _name_of(part: str) -> str | None:
    """Return the name when a segment is `{name}`; ValueError when it is only partly one."""
    found = _NAME.fullmatch(part)
    if found is not None:
        return found.group(1)
    if "{" in part or "}" in part:
        raise ValueError(f"`{part}` is not a whole {{name}}; a name takes one whole segment, else use a ~regex")
    if "*" in part:
        raise ValueError(f"`{part}`: `**` stands only at the end of a path; one segment is written {{name}}")
    return None


def _refuse_unmatchable(path: str) -> None:
    """ValueError for a path no request can have, because paths are matched decoded (see `reading`)."""
    if not path.startswith("/"):
        raise ValueError("a path begins with `/`, a regex with `~`")
    if _UNMATCHABLE.search(path) is None:
        return
    for mark, advice in (
        ("//", "repeated slashes never match; write one"),
        ("%", "paths are matched decoded; write the character itself"),
        ("?", "the query is no part of the path; use `query:`"),
        ("#", "a fragment never reaches a server"),
        (";", "path parameters never match; use a ~regex on what comes before"),
        ("\\", "a backslash never matches; write a slash"),
    ):
        if mark in path:
            raise ValueError(f"`{mark}` in a path: {advice}")
    if any(part in {".", ".."} for part in path.split("/")):
        raise ValueError("`.` or `..` in a path never match; write where they lead")
    raise ValueError("a path has no spaces or control characters")
