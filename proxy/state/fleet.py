"""The port of the fleet: what instances of one deployment tell each other beside what they keep.

Nothing here is kept for long, and no request depends on it. Every method may raise StoreError; whoever hears nothing
goes on alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LEASE_SECONDS = 3.0
"""So long the one who leads may be silent before somebody else does."""
FORGOTTEN_AFTER = 600.0
"""Seconds after which nobody speaks any more of an instance that fell silent."""


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


class Fleet(Protocol):
    """The way to the other instances."""

    async def version(self) -> Version:
        """Return what changes with each override that is kept."""

    async def hint(self, seconds: float) -> None:
        """Return when somebody may have changed an override, after `seconds` at the latest."""

    async def beat(self, name: str, document: bytes, *, lead: bool) -> Pulse:
        """Say that `name` is there; with `lead` it leads as long as it beats, unless somebody else does."""

    async def leave(self, name: str) -> None:
        """Say that `name` leaves in good order: it is spoken of no more, somebody else leads at once."""

    async def close(self) -> None:
        """Let go."""
