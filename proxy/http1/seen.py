"""Remembers for seconds what bytes were found to mean, because most heads come again word for word.

A browser repeats every field but the request line, a backend every one but Date. What is remembered was checked when
it first came; the same bytes mean the same. Cookies and tokens are among them, so nothing stays that was not used
for two turns of the server's clock.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

AT_MOST: Final = 1024
ALTOGETHER: Final = 4 * AT_MOST
"""Meanings of one turn, new ones and those that came again: a few dozen megabytes of a worker at the worst."""
LONGEST: Final = 2048

Meaning = TypeVar("Meaning")


class Seen(Generic[Meaning]):
    """Meanings of at most LONGEST bytes each: those used since the last turn, those before; AT_MOST new ones a turn.

    Those who come again stay, ALTOGETHER at most: whoever is met beyond that will have to be read closely again.

    Whoever sends what never comes again, a flood or an edge that numbers its requests, fills that soon; then nobody
    spends time on remembering until the next turn, and those who were remembered stay.
    """

    __slots__ = ("_before", "lately")

    def __init__(self) -> None:
        self.lately: dict[bytes, Meaning] = {}
        self._before: dict[bytes, Meaning] = {}

    def before(self, data: bytes) -> Meaning | None:
        """What is not found in `lately` may have been used before the last turn; then it is used lately now."""
        found = self._before.get(data)
        if found is not None and len(self.lately) < ALTOGETHER:
            self.lately[data] = found
        return found

    def remember(self, data: bytes, meaning: Meaning) -> None:
        """Keep a meaning, where there is room."""
        if len(data) <= LONGEST and self.has_room():
            self.lately[data] = meaning

    def has_room(self) -> bool:
        """Whether anything new is remembered in this turn."""
        return len(self.lately) < AT_MOST

    def turn(self) -> None:
        """Forget what was not used since the last turn."""
        self._before, self.lately = self.lately, {}

    def __len__(self) -> int:
        return len(self.lately) + len(self._before)
