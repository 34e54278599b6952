"""How the path of a request may be read by the servers behind the proxy.

Only a path that is not plain needs this. Four readings are tried: *usual* (nginx with PHP: decoded, slashes
merged, dots resolved), *unfolded* (Starlette: decoded, nothing else), *literal* (as unfolded, but an encoded
slash parts no segments), *credulous* (decoded twice, `;…` cut off, backslashes as slashes). Where they lead to
different routes nobody can say which rule the request is under, so it goes to `_default`; see
docs/decisions/0003-path-matching.md.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_ENCODED_SLASH = re.compile("%2[fF]")
_FIRST_PRINTABLE = 0x20
_DELETE = 0x7F


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
