"""Which names are about money; marks in the place of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from rules.secret_names import looks_secret, words

__all__ = ("Mask", "looks_money", "looks_secret")

_MONEY_WORDS: Final = frozenset({"tax", "taxes", "vat", "due", "dues", "qty", "fee", "fees", "cost", "costs", "paid"})
_DUE_WORDS: Final = frozenset(
    {"due", "dues", "until", "till", "valid", "validity", "deadline", "end", "ends", "ending", "exp", "ttl", "renewal",
     "renews", "after"}
)  # fmt: skip
_MONEY_PARTS: Final = ("amount", "total", "price", "balance", "credit", "currency", "quantity", "discount", "refund")
_LONGEST_NAME: Final = 64


def looks_money(names: Iterable[str]) -> bool:
    """Whether any name along a path is about money or amounts, whose changes are never called noise."""
    for name in names:  # noqa: SIM110 - a generator costs more than to look
        if _is_known(name) if len(name) <= _LONGEST_NAME else _is_about_money(name):
            return True
    return False


@lru_cache(maxsize=4096)  # the rows of a list have the same names; a text is asked about once
def _is_known(name: str) -> bool:
    return _is_about_money(name)


def _is_about_money(name: str) -> bool:
    flat = name.lower()
    return any(part in flat for part in _MONEY_PARTS) or not _MONEY_WORDS.isdisjoint(words(name))


def looks_due(names: Iterable[str]) -> bool:
    """Whether any name along a path is about when something ends: such a time is never just the clock."""
    return any("expir" in name.lower() or not _DUE_WORDS.isdisjoint(words(name)) for name in names)


_MOST_WORDS: Final = 3


def may_name(text: str) -> bool:
    """Whether a text is short enough to be the name of what stands beside it, and no question; Till is a person."""
    return text.count(" ") < _MOST_WORDS and not text.endswith("?") and not text.startswith("Till ")


_TIMED_WORDS: Final = frozenset({"cputime", "walltime", "elapsed", "took", "latency"})
_OWN_WORK: Final = frozenset(
    {"cpu", "wall", "response", "render", "rendering", "exec", "execution", "query", "process", "processing", "load",
     "loading", "generation", "parse", "backend", "php", "sql", "db"}
)  # fmt: skip
_SPANS: Final = frozenset({"time", "duration", "ms", "msec", "millis", "seconds", "sec", "secs", "us", "micros"})


def looks_timed(names: Sequence[str]) -> bool:
    """Whether the last name along a path says how long the answer itself took: `cputime`, `backendResponseTime`.

    Not what takes long in the world: `duration` or `preparation_time` alone are no such name.
    """
    found = words(names[-1]) if names else []
    return not _TIMED_WORDS.isdisjoint(found) or not (_OWN_WORK.isdisjoint(found) or _SPANS.isdisjoint(found))


# Puts a mark in the place of a secret: the same mark for the same secret, under one key.


_MARK: Final = re.compile(r"<redacted:[0-9a-f]{8}>")
_BYTES: Final = 4


class Mask:
    """Makes marks under a key of any length; without the key, secrets cannot be guessed by trying.

    `taken` collects what is masked where it is a set; nothing else changes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key).digest()
        self.taken: set[str] | None = None

    def of(self, secret: str) -> str:
        """Return `<redacted:1a2b3c4d>`; what is nothing, or is a mark already, stays what it is."""
        if not secret or _MARK.fullmatch(secret):
            return secret
        if self.taken is not None:
            self.taken.add(secret)
        raw = secret.encode("utf-8", "surrogatepass")
        return f"<redacted:{blake2b(raw, key=self._key, digest_size=_BYTES).hexdigest()}>"

    def of_bytes(self, secret: bytes) -> str:
        """Return the mark of a whole body."""
        return f"<redacted:{blake2b(secret, key=self._key, digest_size=_BYTES).hexdigest()}>"
