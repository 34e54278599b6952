"""Excuses differences at places where legacy differs from itself, by the evidence so far, before they roll back.

A place is excused where at least 3, and at least half, of legacy's second responses in the window differed from the
first ones there. A pair is excused where all of its places are. Never excused, whatever legacy does: another status,
another type, a missing member, a body that cannot be read, names about money. A pair that was confirmed without
evidence counts: nothing is waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

SAMPLES_AT_LEAST: Final = 3
NEVER_EXCUSED: Final = frozenset({"status", "type", "missing", "parse", "error"})
"""Kinds of findings that always count, whatever legacy varies."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one pair differs, as a pattern, and how; `money`: its name or its value is about money."""

    path: str
    kind: str
    money: bool = False

    @property
    def may_be_excused(self) -> bool:
        """Whether evidence can excuse it at all."""
        return not self.money and self.kind not in NEVER_EXCUSED


@dataclass(frozen=True, slots=True)
class Sampled:
    """Second responses of legacy, `count` of them, that differed from the first ones at just these `paths`."""

    paths: frozenset[str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Excused:
    """How many pairs are excused, at which places."""

    pairs: int = 0
    places: tuple[str, ...] = ()


NOTHING_EXCUSED: Final = Excused()


def excused(differing: Iterable[Collection[Place]], samples: Iterable[Sampled]) -> Excused:
    """Return which of the differing pairs are excused, each with the places where it does."""
    taken = tuple(samples)
    whole = sum(each.count for each in taken)
    seen: Counter[str] = Counter()
    for each in taken:
        for path in each.paths:
            seen[path] += each.count
    own = {path for path, count in seen.items() if count >= SAMPLES_AT_LEAST and 2 * count >= whole}
    pairs, places = 0, set[str]()
    for pair in differing:
        if pair and all(place.may_be_excused and place.path in own for place in pair):
            pairs += 1
            places.update(place.path for place in pair)
    return Excused(pairs, tuple(sorted(places)))
