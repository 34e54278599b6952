"""What SQLite lacks for checksums: the hash that the other databases have, a sum that does not overflow."""

from __future__ import annotations

from hashlib import md5


def hash60(text: str | None) -> int | None:
    """Return the first sixty bits of a text's MD5, as the other databases compute them (no secrecy is meant)."""
    return None if text is None else int(md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


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
