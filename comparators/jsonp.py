"""Reads JSONP: a script that is one call of a function with one JSON value."""

from __future__ import annotations

import re
from typing import Final

from comparators.json_parse import NotJson, TooDeep, parse

_CALL: Final = re.compile(r"\s*(?:/\*.{0,200}?\*/\s*)?([A-Za-z_$][\w.$\[\]\"']{0,200})\s*\((.*)\)\s*;?\s*", re.DOTALL)


def called(body: bytes) -> tuple[str, bytes] | None:
    """Return the name of a called function, and what it is called with; None where a body is no such call."""
    try:
        found = _CALL.fullmatch(body.decode())
        if found is None:
            return None
        parse(found[2], [])
    except (UnicodeDecodeError, NotJson, TooDeep, RecursionError):
        return None
    return found[1], found[2].encode()
