"""What a header field says, apart from how it is spelled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

_AT_ONCE = re.compile(r'\b(nonce|opaque)="[^"]*"', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def meaning(name: str, values: Sequence[str]) -> str:
    """Return the text by which two fields of a name (lower case) are compared; empty where there is none."""
    if not values:
        return ""
    if name == "set-cookie":
        return cookies(values)
    if name == "content-disposition":
        return disposition(values[-1])
    if name == "www-authenticate":
        return _AT_ONCE.sub(r'\1=""', ", ".join(_challenge(each) for each in values))
    return ", ".join(values)


def cookies(values: Sequence[str]) -> str:
    """Return the names of the cookies that are set, in order of the alphabet, each with whether it is HttpOnly.

    Values, lifetimes and the rest are each framework's own. Of a name set twice the last counts.
    """
    found: dict[str, str] = {}
    for value in values:
        pair, *attributes = value.split(";")
        closed = any(each.strip().lower() == "httponly" for each in attributes)
        found[pair.partition("=")[0].strip()] = "; HttpOnly" if closed else ""
    return ", ".join(f"{name}{found[name]}" for name in sorted(found))


def disposition(value: str) -> str:
    """Return a Content-Disposition (RFC 6266) with its parameters sorted, unquoted, `filename*` in filename's place."""
    kind, _, _ = value.partition(";")
    found: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text.strip()
    extended = found.pop("filename*", None)
    if extended is not None:
        found["filename"] = _extended(extended)
    return "; ".join([kind.strip().lower(), *(f"{name}={found[name]}" for name in sorted(found))])


def _extended(text: str) -> str:
    """Decode RFC 8187's `charset'language'percent-encoded`."""
    charset, _, rest = text.partition("'")
    _, _, encoded = rest.partition("'")
    try:
        return unquote(encoded, encoding=charset or "utf-8", errors="strict")
    except (LookupError, UnicodeDecodeError):
        return text


def _challenge(value: str) -> str:
    scheme, space, rest = value.partition(" ")
    return f"{scheme.lower()}{space}{rest.strip()}"
