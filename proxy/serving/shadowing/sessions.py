"""Knows which sessions are in use, so that a copy never makes a user wait for a session's lock.

PHP locks a session's file for the whole request: a copy with the user's cookies would hold up the next click.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_session: Final = re.compile(
    r"(?:^|; ?)((?:[A-Za-z0-9._-]*sess[A-Za-z0-9._-]*|sid|[A-Za-z0-9._-]+[._-]sid)=[^;]*)", re.IGNORECASE
).findall


def session_of(cookie: str) -> str:
    """The cookies that look like a session's; all of them where none does; empty without cookies."""
    found: list[str] = _session(cookie)
    return "; ".join(sorted(found)) if found else cookie


def session_values(cookie: str) -> dict[str, str]:
    """The values of the cookies that look like a session's, by name."""
    pairs = (found.partition("=") for found in _session(cookie))
    return {name: value for name, _, value in pairs}


class Sessions:
    """Sessions with live requests (counted), sessions with one copy under way; both move as calls come, end."""

    def __init__(self) -> None:
        self._live: dict[str, int] = {}
        self._copies: dict[str, Callable[[], None]] = {}

    def enter(self, session: str) -> None:
        """A user's request came: a copy that is under way for the same session has to go."""
        self._live[session] = self._live.get(session, 0) + 1
        give_up = self._copies.pop(session, None)
        if give_up is not None:
            give_up()

    def leave(self, session: str) -> None:
        """A user's request is over."""
        left = self._live.get(session, 0) - 1
        if left > 0:
            self._live[session] = left
        else:
            self._live.pop(session, None)

    def lend(self, session: str, give_up: Callable[[], None]) -> bool:
        """Let a copy use a session that nobody uses now; `give_up` is called when its user comes back."""
        if session in self._live or session in self._copies:
            return False
        self._copies[session] = give_up
        return True

    def give_back(self, session: str) -> None:
        """The copy is over."""
        self._copies.pop(session, None)
