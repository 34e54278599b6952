"""Which member names belong to secrets, and which to money."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"authorization", "bearer", "cookie", "csrf", "cvc", "cvv", "hash", "jwt", "otp", "passphrase", "pin", "pwd",
     "salt", "signature", "ssn", "totp"}
)  # fmt: skip
_SECRET_PARTS = ("passw", "secret", "token", "apikey", "privatekey", "accesskey", "sessionid", "credential")
_MONEY_WORDS = frozenset({"tax", "taxes", "vat", "due", "dues", "qty", "fee", "fees", "cost", "costs", "paid"})
_MONEY_PARTS = ("amount", "total", "price", "balance", "credit", "currency", "quantity", "discount", "refund")


def looks_secret(name: str) -> bool:
    """Whether a member of this name carries a secret: password, token, hash, api_key and their like."""
    flat = re.sub(r"[^a-z0-9]", "", name.lower())
    return any(part in flat for part in _SECRET_PARTS) or not _SECRET_WORDS.isdisjoint(_words(name))


def looks_money(names: Iterable[str]) -> bool:
    """Whether any name along a path is about money or amounts, whose changes are never called noise."""
    for name in names:
        flat = name.lower()
        if any(part in flat for part in _MONEY_PARTS) or not _MONEY_WORDS.isdisjoint(_words(name)):
            return True
    return False


def _words(name: str) -> set[str]:
    """Return the words of snake_case, kebab-case and camelCase names, in lower case."""
    return {word.lower() for word in _WORDS.findall(name)}
