"""The charset that a body declares."""

from __future__ import annotations

import codecs
import re
from typing import Final

from comparators.model import Capture

_PARAMETER: Final = re.compile(r";\s*charset\s*=\s*\"?\s*([\w.:-]{1,40})", re.IGNORECASE)
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
    }
)


def declared(capture: Capture) -> str | None:
    """Return the codec of the charset that a response declares; None where it declares none, or an uncommon one."""
    found = _PARAMETER.search(capture.header("content-type") or "")
    return codec_of(found[1]) if found else None


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
