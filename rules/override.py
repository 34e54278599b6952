"""Finds which method a request means where frameworks let it say another one than it uses."""

from __future__ import annotations

import re
from typing import Final

FIELDS: Final = ("x-http-method-override", "x-http-method", "x-method-override")
"""Request fields that Laravel, Symfony, Rails, ASP.NET read."""
LOOKED_AT: Final = 64 * 1024
_query: Final = re.compile(r"(?:^|[?&])_method=([A-Za-z]{1,32})(?:&|$)").search
_body: Final = re.compile(
    rb"(?:^|&)_method=([A-Za-z]{1,32})(?:&|$)"
    rb'|"_method"\s*:\s*"([A-Za-z]{1,32})"'
    rb'|name="?_method"?(?:\r\n[^\r\n]*)*\r\n\r\n([A-Za-z]{1,32})\r\n'
).search


def meant_method(method: str, target: str, body: bytes) -> str:
    """Return the method that a `_method` in the query or in a form, JSON or multipart body makes of a POST.

    Only POST can be overridden (Symfony's Request::getMethod); what stands behind the first 64 KiB is not looked at.
    """
    if method != "POST":
        return method
    found = _query(target.partition("?")[2])
    if found is not None:
        return found[1].upper()
    inside = _body(body[:LOOKED_AT])
    if inside is None:
        return method
    return next(group for group in inside.groups() if group is not None).decode("ascii").upper()
