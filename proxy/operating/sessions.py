"""Makes the value of the console's cookie from a token, finds the role in it again.

Nothing is kept: the value names the role, the person, the moment it ends, signed with the role's token. It outlives
a restart of control, ends by itself, becomes void with another token. It never contains the token.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

COOKIE = "strangler_session"
LASTS = 12 * 3600
"""Seconds that a login holds."""
_PURPOSE = "strangler console session"
NAME = re.compile(r"[A-Za-z0-9._@-]{0,64}")
"""What people may call themselves in the audit trail."""
_VALUE = re.compile(rf"(?P<role>[a-z]+):(?P<ends>[0-9]{{1,12}}):(?P<name>{NAME.pattern}):(?P<signature>[0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Session:
    """Who somebody proved to be: a role (empty: none), the name they gave."""

    role: str = ""
    name: str = ""


class Sessions:
    """Signs with `tokens` (role → token, empty: nobody has that role). Nothing in it changes."""

    def __init__(self, tokens: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._tokens = {role: token for role, token in tokens.items() if token}
        self._clock = clock

    def begin(self, role: str, name: str = "") -> str:
        """Return the cookie's value for somebody who has shown the token of `role`."""
        ends = str(int(self._clock()) + LASTS)
        known = name if NAME.fullmatch(name) else ""
        return f"{role}:{ends}:{known}:{self._signature(role, ends, known)}"

    def shown(self, value: str) -> Session:
        """Return what a cookie's value proves."""
        found = _VALUE.fullmatch(value)
        if found is None or found["role"] not in self._tokens:
            return Session()
        signature = self._signature(found["role"], found["ends"], found["name"])
        is_ours = hmac.compare_digest(found["signature"], signature)
        is_now = int(found["ends"]) > self._clock()
        return Session(found["role"], found["name"]) if is_ours and is_now else Session()

    def _signature(self, role: str, ends: str, name: str) -> str:
        text = f"{_PURPOSE} {role} {ends} {name}"
        return hmac.new(self._tokens[role].encode(), text.encode(), sha256).hexdigest()


def cookie_of(header: str) -> str:
    """Return the session's value in a Cookie header field, empty when it is not there."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
