"""Safe and idempotent methods (RFC 9110 9.2), also of a method that replaces the client's on one side."""

from __future__ import annotations

from typing import Final

READ_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"))
"""Methods that only read; the last three are of WebDAV."""
IDEMPOTENT_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
"""Methods that may be sent again."""
_AS_THEY_ARE: Final = frozenset(("HEAD", "OPTIONS"))


def method_for(method: str, wanted: str | None) -> str:
    """The method that a side gets for the client's, where `wanted` is what the file says.

    A safe method never becomes an unsafe one. HEAD and OPTIONS are about another request: they stay.
    """
    if wanted is None or method in _AS_THEY_ARE or (method in READ_METHODS and wanted not in READ_METHODS):
        return method
    return wanted
