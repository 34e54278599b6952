"""Tells a path segment that names a thing from one that names a kind of things, by its shape alone."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

STATIC: Final = frozenset(
    {
        "avif", "bmp", "css", "eot", "gif", "ico", "jpeg", "jpg", "js", "map", "mjs", "mp4", "otf", "png", "svg", "ttf",
        "txt", "webm", "webmanifest", "webp", "woff", "woff2",
    }
)  # fmt: skip
_DATUM: Final = re.compile(
    r"""
      [0-9]+                                   # an id
    | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{18,}   # a UUID
    | (?=.*[0-9])[0-9a-f]{12,}                 # a hash
    | (?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}  # a token
    | [A-Za-z]{1,12}([-_][0-9]+|[0-9]{2,})     # INV-2024
    | [0-9]{4}-[0-9]{2}(-[0-9]{2})?            # a date
    | [^@]+@[^@]+\.[a-z]+                      # an address
    | [0-9]+[-_][a-z0-9-]+                     # 42-a-title
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSION: Final = re.compile(r"v[0-9]{1,3}", re.IGNORECASE)
_ODD: Final = re.compile(r"[\x00-\x20\x7f%?#;\\{}*]|//|/\.\.?(?:/|$)")


def is_datum(segment: str) -> bool:
    """Whether a segment reads like an id, a hash, a date …; `v2` is a version, not an id."""
    if _VERSION.fullmatch(segment):
        return False
    stem = segment.rpartition(".")[0] or segment
    return _DATUM.fullmatch(stem) is not None or _DATUM.fullmatch(segment) is not None


def is_static(path: str) -> bool:
    """Whether a path names a file that a web server serves by itself."""
    return path.rpartition(".")[2].lower() in STATIC


def segments_of(path: str) -> tuple[str, ...] | None:
    """Take a path apart as a route would match it; None for a spelling that no route may name."""
    if "%" in path:
        path = unquote(path, errors="surrogateescape")
    if not path.startswith("/") or _ODD.search(path) or not path.isprintable():
        return None
    return tuple(path[1:].split("/"))


def name_for(segments: tuple[str | None, ...]) -> str:
    """What the variable behind these segments stands for: `users` → `user`; `id` when nothing tells."""
    before = next((segment for segment in reversed(segments) if segment is not None), "")
    word = re.sub(r"[^a-z0-9]+", "_", before.rpartition(".")[0].lower() or before.lower()).strip("_")
    return singular(word) if word and word[0].isalpha() else "id"


def singular(word: str) -> str:
    """One of several, in the simplest English there is; `status` and `address` are one already."""
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - `ties`
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
