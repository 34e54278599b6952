"""The charset that a body declares."""

from __future__ import annotations

import codecs
import re
from typing import Final

from comparators.model import Capture

_PARAMETER: Final = re.compile(r";\s*charset\s*=\s*\"?\s*([\w.:-]{1,40})", re.IGNORECASE)
_IN_META: Final = re.compile(rb"<meta\s[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_FIRST_BYTES: Final = 1024
"""A page names its charset that early (WHATWG, HTML)."""
_UTF_8: Final = "utf-8"
_READ_AS: Final = {"iso8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}
"""As browsers do (WHATWG, Encoding): what is declared as Latin-1 is read as Windows-1252."""

_KNOWN: Final = frozenset(
    {
        "utf-8",
        "cp1252",
        "iso8859-2",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "koi8-r",
        "shift_jis",
        "euc_jp",
        "gb18030",
        "big5",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
    }
)


def declared(capture: Capture) -> str | None:
    """Return the codec of the charset that a response declares; None where it declares none, or an uncommon one."""
    return of_content(capture.header("content-type") or "")


def in_page(body: bytes) -> str | None:
    """Return the codec of the charset that a page's `meta` names, for a page whose header names none."""
    found = _IN_META.search(body, 0, _FIRST_BYTES)
    codec = codec_of(found[1].decode()) if found else None
    return None if codec is None or codec.startswith("utf-16") else codec


def of_content(value: str) -> str | None:
    """Return the codec that a media type with a charset, as in a header, names."""
    found = _PARAMETER.search(value)
    return codec_of(found[1]) if found else None


def are_read_otherwise(legacy: Capture, modern: Capture) -> bool:
    """Whether two responses declare charsets in which the same bytes are other characters."""
    one, two = declared(legacy) or _UTF_8, declared(modern) or _UTF_8
    return one != two and not (legacy.body.isascii() and modern.body.isascii())


def codec_of(label: str) -> str | None:
    """Return the codec of a label."""
    try:
        name = codecs.lookup(label.strip()).name
    except LookupError:
        return None
    name = _READ_AS.get(name, name)
    return name if name in _KNOWN else None


def read(body: bytes, codec: str) -> str | None:
    """Decode a body; None where it is not valid in its charset.

    The few bytes that Windows-1252 leaves open are themselves.
    """
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return body.decode("latin-1") if codec == "cp1252" else None
