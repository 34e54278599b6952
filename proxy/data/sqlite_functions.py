"""What SQLite lacks for checksums: the hashes that the other databases have, a sum that does not overflow."""

from __future__ import annotations

from hashlib import md5


def hash60(text: str | None) -> int | None:
    """Return the first sixty bits of a text's MD5, as the other databases compute them (no secrecy is meant)."""
    return None if text is None else int(md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def md5_of(text: str | None) -> str | None:
    """Return a text's MD5 in hexadecimal."""
    return None if text is None else md5(text.encode(), usedforsecurity=False).hexdigest()


class Digest:
    """The MD5 of all rows' texts between `|`, in their order."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def step(self, text: str) -> None:
        """Add one row."""
        self._texts.append(text)

    def finalize(self) -> str | None:
        """Return the digest; None for no row."""
        return md5_of("|".join(self._texts)) if self._texts else None


class Sum:
    """SQLite's missing sum of large numbers, as text."""

    def __init__(self) -> None:
        self._total = 0

    def step(self, value: int | None) -> None:
        """Add one row."""
        self._total += value or 0

    def finalize(self) -> str:
        """Return the sum."""
        return str(self._total)
