"""Masks secrets in whatever is shown: by where a value came from first, by its name second.

Every output goes through here (explain, config, bundle, plan, problems, and with them events, logs, errors). What
`${NAME}` or a file put into the configuration is marked in `Snapshot.secrets`; its name matters only
where the origin is not known any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final
from urllib.parse import quote, quote_plus

from rules.secret_names import looks_secret

MASK: Final = "********"
SHORTEST: Final = 6
"""Characters from which on a secret is also found inside other text; a shorter one would mask half of every page."""


class Masking:
    """Holds the values that may not be shown; immutable."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._whole = frozenset(secret for secret in secrets if secret)
        spelled = {form for secret in self._whole if len(secret) >= SHORTEST for form in _spellings(secret)}
        longest_first = sorted(spelled, key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return a text without the secrets in it, also in their percent-encoded form."""
        return text if self._inside is None else self._inside.sub(MASK, text)

    def named(self, name: str, value: str) -> str:
        """Return what may be shown of a value under a name."""
        return MASK if looks_secret(name) or value in self._whole else self.text(value)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return names with what may be shown of their values."""
        return tuple((name, self.named(name, value)) for name, value in pairs)

    def value(self, value: Any) -> Any:
        """Return a frozen value (a Snapshot, a Route) or a document as plain values for showing.

        A field that its own `repr` keeps back (the text of a key file) is left out.
        """
        if is_dataclass(value) and not isinstance(value, type):
            return {one.name: self.value(getattr(value, one.name)) for one in fields(value) if one.repr}
        if isinstance(value, Mapping):
            return {key: self.value(member) for key, member in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [self._member(member) for member in value]
        return self.text(value) if isinstance(value, str) else value

    def _member(self, member: Any) -> Any:
        """Mask the second of a pair, taking the first as its name."""
        match member:
            case (str() as name, str() as value):
                return [name, self.named(name, value)]
            case _:
                return self.value(member)


def masked(value: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a frozen value or a document as plain values, with `secrets` and values of secret names masked."""
    return Masking(secrets).value(value)


def _spellings(secret: str) -> set[str]:
    """Return the spellings of a secret in text, in a path, in a query."""
    raw = secret.encode("utf-8", "surrogatepass")
    return {secret, quote(raw), quote(raw, safe=""), quote_plus(raw)}
