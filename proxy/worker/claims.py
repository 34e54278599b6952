"""Keeps what only an edge may say from backends: a user's id in a field, `Proxy`, the console's own cookie.

A backend behind the proxy believes these fields because the proxy does. PHP and CGI read `X_User_Id` and `X.User.Id` as
`X-User-Id`, so such a spelling is taken out of every request; the field itself unless the peer is trusted. CGI makes
HTTP_PROXY of `Proxy`, which client libraries take for theirs (httpoxy, CVE-2016-5385).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.cookies import without
from proxy.http1.request import Fields, replaced

CONSOLE_COOKIE: Final = "strangler_session"
_CONSOLE_COOKIE_OF_TLS: Final = f"__Host-{CONSOLE_COOKIE}"
_IN_A_COOKIE: Final = CONSOLE_COOKIE.encode() + b"="
_NEVER: Final = ("authorization", "cookie")
"""Sources that a client is meant to send."""


class Claims:
    """The fields of one snapshot that are claims; frozen. What it found out of fields stays with them.

    `_spellings` are the lower-case names as the file has them, by the name that PHP takes them for.
    """

    __slots__ = ("_found", "_spellings")

    def __init__(self, sources: Iterable[str]) -> None:
        names = {source.partition(":")[2].lower() for source in sources if source.startswith("header:")}
        spellings: dict[str, set[str]] = {"proxy": {"proxy"}}
        for name in sorted(names.difference(_NEVER)):
            if f.request_kind(name) == f.PASS:
                spellings.setdefault(f.as_read(name), set()).add(name)
        self._spellings = {name: frozenset(spelled) for name, spelled in spellings.items()}
        patterns = "|".join(re.escape(name).replace(r"\-", "[-_.]") for name in spellings)
        self._found = re.compile(f"\n(?:{patterns}):".encode("latin-1"), re.IGNORECASE).search

    def look(self, fields: Fields) -> tuple[Fields | None, Fields | None]:
        """What of these fields may cross from a trusted peer, from any other; None where all of them may."""
        has_cookie = bool(fields.cookie) and _IN_A_COOKIE in fields.crossing
        if not has_cookie and self._found(fields.crossing) is None:
            return None, None
        return self._without(fields, trusted=True), self._without(fields, trusted=False)

    def _without(self, fields: Fields, *, trusted: bool) -> Fields:
        lines = self.crossing(fields.lines, trusted=trusted)
        return replaced(fields, lines, _without_console(fields.cookie))

    def crossing(self, lines: list[str], *, trusted: bool) -> list[str]:
        """The lines, or trailers, that may cross from a peer."""
        return [kept for line in lines if (kept := self._line(line, trusted=trusted))]

    def _line(self, line: str, *, trusted: bool) -> str:
        """The line as it crosses, empty where it does not."""
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "cookie":
            kept = _without_console(value)
            return line if kept == value else f"{name}: {kept}" if kept else ""
        spelled = self._spellings.get(f.as_read(lower))
        if spelled is None or (trusted and lower in spelled):
            return line
        return ""


def _without_console(value: str) -> str:
    """A Cookie field without the console's session, under either name: cookies know no ports."""
    return without(without(value, CONSOLE_COOKIE), _CONSOLE_COOKIE_OF_TLS)
