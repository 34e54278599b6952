"""Takes the path of a recorded request apart as a route would."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from rules.routing.mirroring import is_datum, singular

__all__ = ["is_datum", "is_static", "name_for", "segments_of", "singular"]

STATIC: Final = frozenset(
    {
        "avif", "bmp", "css", "eot", "gif", "ico", "jpeg", "jpg", "js", "map", "mjs", "mp4", "otf", "png", "svg", "ttf",
        "txt", "webm", "webmanifest", "webp", "woff", "woff2",
    }
)  # fmt: skip
_ODD: Final = re.compile(r"[\x00-\x20\x7f%?#;\\{}*]|//|/\.\.?(?:/|$)")


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
