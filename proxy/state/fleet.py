"""The port of the fleet: what instances of one deployment tell each other beside what they keep.

Nothing here is kept for long, and no request depends on it. Every method may raise StoreError; whoever hears nothing
goes on alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

LEASE_SECONDS = 3.0
"""So long the one who leads may be silent before somebody else does."""
FORGOTTEN_AFTER = 600.0
"""Seconds after which nobody speaks any more of an instance that fell silent."""

TOLD_FOR = 30.0
"""Seconds for which the store has what instances tell: who hears nothing for longer has missed some of it."""


@dataclass(frozen=True, slots=True)
class Version:
    """What is kept of overrides: `number` grows with each change; another `epoch` means that all of it was lost.

    Without a change yet there is no epoch.
    """

    epoch: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one instance last said of itself (`document`, JSON), `ago` seconds before by the store's clock."""

    name: str
    ago: float
    document: bytes


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a heart-beat: the store's time in epoch seconds, who leads, everybody heard of lately."""

    at: float
    leader: str
    instances: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One message of one run of an instance; `number` grows by one from message to message.

    `ago` is how many seconds old its contents are: on the way out since they were packed, on the way in since then by
    the store's clock, so that no two instances' clocks are ever compared.
    """

    run: str
    number: int
    ago: float
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told since the `place` asked for, ours included, in order; ask on from `place`."""

    place: str
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How often one kind of difference (`group`, see `diffs`) was met; the times are epoch seconds.

    `state` is empty for an open one, else `known` or `equal` (the current file forgives it). As news, `count` is what
    came in addition, a `state` of `UNSAID` says nothing about it.
    """

    group: str
    route: str
    path: str
    kind: str
    count: int
    first_seen: float
    last_seen: float
    state: str = ""


UNSAID = "-"


@dataclass(frozen=True, slots=True)
class Counts:
    """What all instances have counted; `version` is another one after each change."""

    version: str
    groups: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What one run of an instance has to add, under a `number` that grows: the same number counts once."""

    run: str
    number: int
    groups: tuple[Counted, ...] = ()


class Fleet(Protocol):
    """The way to the other instances."""

    async def version(self) -> Version:
        """Return what changes with each override that is kept."""

    async def hint(self, seconds: float) -> None:
        """Return when somebody may have changed an override, after `seconds` at the latest."""

    async def beat(self, name: str, document: bytes, *, lead: bool) -> Pulse:
        """Say that `name` is there; with `lead` it leads as long as it beats, unless somebody else does."""

    async def exchange(self, own: Sequence[Told], after: str) -> Heard:
        """Tell everybody, hear what was told since the place `after` (empty: all there is).

        What fails may have been told all the same. Say it again under the same number: whoever hears it twice knows.
        """

    async def count(self, news: News, since: str, oldest: float, keep: float) -> Counts | None:
        """Add to the counts of differences; return those of all instances, None when they still are those of `since`.

        What was last met before `oldest` (epoch seconds) is forgotten; so is everything, `keep` seconds after the last
        change.
        """

    async def leave(self, name: str) -> None:
        """Say that `name` leaves in good order: it is spoken of no more, somebody else leads at once."""

    async def close(self) -> None:
        """Let go."""
