"""Knows which members are secret: by their name, or because the operator says so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote_plus

from comparators.html_blanks import is_token_name
from comparators.names import looks_secret
from comparators.pointer import after, closure, steps

Rests = frozenset[tuple[str, ...]]


class Names:
    """What to redact; `fields` are JSON pointers with `*` and `**`, or plain names. Nothing changes.

    `is_secret` remembers the names it was asked for: a page has the same few a thousand times.

    Outside JSON there are no pointers: there a field's last name stands for it.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        patterns = [steps(field) if field.startswith("/") else ("**", field) for field in fields]
        self.rests: Rests = closure(pattern for pattern in patterns if pattern)
        self.is_secret = lru_cache(maxsize=4096)(self._is_secret)
        self._named = {pattern[-1].lower() for pattern in patterns if pattern} - {"*", "**"}

    def is_named(self, name: str) -> bool:
        """Whether the operator named a field of this name, wherever it stands."""
        return name.lower() in self._named

    def _is_secret(self, name: str) -> bool:
        """Whether a name outside JSON is a secret's: of a header, a parameter, a column, an element."""
        plain = unquote_plus(name)
        # PHP writes user[email], XML s:email, JavaScript user.email.
        last = plain.rstrip("]").replace("[", ".").replace(":", ".").rpartition(".")[2]
        return looks_secret(plain) or is_token_name(last) or self.is_named(plain) or self.is_named(last)

    def covers(self, pointer: str) -> bool:
        """Whether what stands at a pointer is secret, or lies inside something that is."""
        rests = self.rests
        for step in steps(pointer):
            if looks_secret(step):
                return True
            rests = after(rests, step)
            if () in rests:
                return True
        return False
