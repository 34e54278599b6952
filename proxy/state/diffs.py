"""The port of the difference store: what is kept of pairs that differ, in groups of the same difference.

A group is one route, one path pattern, one kind, one pair of types: its id is the fingerprint of these. A pair
belongs to every group that it differs in. Everything handed in here has been redacted before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

EXAMPLES = 5
"""Pairs kept for each group: the first that was ever seen, the latest besides."""
MOST_GROUPS = 10_000
"""Above, the groups that were not seen for longest go."""

FIRST_PLACE = (inf, "")
"""Before every group of a list that begins with the newest."""

EQUAL = "equal"
"""What `Group.rejudged` says of a difference that a later file forgives, or that somebody mended."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference of one pair: `path` points at it, `legacy` with `modern` are its literals, cut, redacted.

    `group` is its fingerprint, `pattern` the path with `*` for numbers, `rule` what nearly forgave it.
    """

    group: str
    path: str
    pattern: str
    kind: str
    legacy: str
    modern: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One pair that differed; `pair` is its redacted, packed form (see `proxy.judge.packed`), empty when not kept.

    `at` is epoch seconds, `request` one line for eyes.
    """

    id: str
    at: float
    route: str
    request: str
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    pair: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """Why a group is not to be counted as a mismatch, until which day, up to which share of compared pairs."""

    reason: str
    owner: str = ""
    until: str = ""
    max_rate: float | None = None
    who: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """One pair of one group, with what differed there."""

    pair: str
    at: float
    request: str
    found: Found
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All pairs with the same difference; `rejudged` is what the current file last said of its examples, or empty."""

    id: str
    route: str
    path: str
    kind: str
    count: int
    first_seen: float
    last_seen: float
    known: Known | None = None
    rejudged: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def place(self) -> str:
        """Where the group stands in a list, for `Wanted.after`: it names no group, groups move while one reads."""
        return f"{self.last_seen!r}~{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups are asked for: newest first, `limit` of them after the place `after` (empty: from the start).

    ValueError when `after` is no `Group.place`.
    """

    route: str = ""
    since: float = 0.0
    after: str = ""
    limit: int = 100
    place: tuple[float, str] = field(default=FIRST_PLACE, init=False)

    def __post_init__(self) -> None:
        if self.after:
            seen, _, group = self.after.partition("~")
            object.__setattr__(self, "place", (float(seen), group))


class Diffs(Protocol):
    """Where differences are kept. Every method may take as long as a disk does; all raise `DiffsError`."""

    def add(self, differences: Sequence[Difference]) -> None:
        """Count these pairs in their groups, keep a few of them."""

    def groups(self, wanted: Wanted) -> tuple[Group, ...]:
        """Return groups with their latest examples."""

    def group(self, group: str) -> Group | None:
        """Return one group with all its examples, None when there is none of this id."""

    def pair(self, pair: str) -> bytes:
        """Return a pair as it was packed, empty when it is not kept."""

    def open_groups(self) -> Mapping[str, int]:
        """Return for each route how many groups are neither known nor found equal under a later file."""

    def know(self, group: str, known: Known | None) -> bool:
        """Note that a group is known, or (None) is not any more; False when there is no such group."""

    def known(self) -> Mapping[str, Known]:
        """Return everything that is known, by group."""

    def rejudged(self, verdicts: Mapping[str, str]) -> None:
        """Note what the current file says of each of these groups' examples."""

    def note(self, name: str, value: bytes) -> None:
        """Remember a small thing under a name."""

    def noted(self, name: str) -> bytes:
        """Return what was noted, empty for nothing."""

    def trim(self, now: float, keep: float, max_bytes: int) -> None:
        """Forget what is older than `keep` seconds, then the oldest pairs until `max_bytes` suffice; 0 is no limit."""

    def close(self) -> None:
        """Let go of it."""


class DiffsError(Exception):
    """The store cannot be read or written now; the same call may work later."""
