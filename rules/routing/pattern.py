"""Path patterns; safe readings of odd paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

EXACT: Final = "exact"
TEMPLATE: Final = "template"
PREFIX: Final = "prefix"
REGEX: Final = "regex"
REST: Final = "**"

_UNMATCHABLE: Final = re.compile(r"[\x00-\x20\x7f%?#;\\]|//|/\.\.?(?:/|$)")
_NAME: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path split: `segments` holds literals, None for a name; empty for a regex.

    `/a/{id}/**` has the segments `("a", None)`; `kind` is exact, template, prefix or regex. `names` are pairs of a name
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
        """The positions of literals."""
        return tuple(index for index, segment in enumerate(self.segments) if segment is not None)


@lru_cache(maxsize=8192)
def parse(path: str) -> Pattern:
    """Split a `path`; ValueError says in the operator's words what is wrong with it."""
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
    """Raise ValueError for a path that no request can have, because paths are matched decoded (see `reading`)."""
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


# How the path of a request may be read by the servers behind the proxy.
#
# Only a path that is not plain needs this. Four readings are tried: *usual* (nginx with PHP: decoded, slashes
# merged, dots resolved), *unfolded* (Starlette: decoded, nothing else), *literal* (as unfolded, but an encoded
# slash does not separate segments), *credulous* (decoded twice, `;…` cut off, backslashes as slashes). Where they lead
# to different routes it is undecidable which one the request belongs to, so it goes to `_default`; see
# docs/decisions/0003-path-matching.md.


_ENCODED_SLASH: Final = re.compile("%2[fF]")
_SLASHES: Final = re.compile("/+")
_FIRST_PRINTABLE: Final = 0x20
_DELETE: Final = 0x7F


def is_plain(path: str) -> bool:
    """Whether every server reads this path the same way: as it is spelled."""
    return not ("%" in path or "//" in path or "/." in path or ";" in path or "\\" in path or not path.isascii())


def readings(path: str) -> tuple[str, ...]:
    """Return the different readings of a path, the usual one first; none when it cannot be read safely."""
    try:
        decoded = _decode(path)
    except UnicodeEncodeError:
        return ()
    if not decoded.startswith("/") or _has_controls(decoded):
        return ()
    usual = _normalise(decoded)
    literal = "%2F".join(_decode(part) for part in _ENCODED_SLASH.split(path))
    credulous = _normalise(_without_parameters(_decode(decoded).replace("\\", "/")))
    if usual is None or credulous is None:
        return ()
    return tuple(dict.fromkeys((usual, decoded, literal, credulous)))


def is_reading_of(spelled: str, value: str, *, is_rest: bool) -> bool:
    """Whether a captured value is the usual reading of a spelling; a rest begins without the slashes before it."""
    merged = _SLASHES.sub("/", _decode(spelled))
    return value == (merged.removeprefix("/") if is_rest else merged)


def climbs(spelled: str) -> bool:
    """Whether some reading of a spelling has a segment `.` or `..`."""
    if "." not in spelled and "%2" not in spelled:
        return False
    read = _without_parameters(_decode(_decode(spelled)).replace("\\", "/"))
    return not {".", ".."}.isdisjoint(read.split("/"))


def _decode(text: str) -> str:
    """Undo percent-encoding once; bytes that are not UTF-8 survive as surrogates."""
    raw = unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _has_controls(text: str) -> bool:
    return any(ord(character) < _FIRST_PRINTABLE or ord(character) == _DELETE for character in text)


def _without_parameters(path: str) -> str:
    return "/".join(segment.partition(";")[0] for segment in path.split("/"))


def _normalise(path: str) -> str | None:
    """Merge slashes, resolve dots; None when the order of the two would decide where the path leads."""
    segments = path.split("/")[1:]
    if ".." in segments and "" in segments[:-1]:
        return None
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in {"", "."}:
            kept.append(segment)
    ending = "/" if kept and segments[-1] in {"", ".", ".."} else ""
    return "/" + "/".join(kept) + ending
