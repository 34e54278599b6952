"""What the checks look at: a file's sound parts with where they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rules.model import Route, Snapshot

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A snapshot under test.

    `indexes` are the places of its routes in the file (wrong ones are left out), `backends` every name the
    file gives a backend, sound or not, `lost` the sections that could not be read. `from_environment` tells
    whether the value at a path came from a variable, `is_written` whether the file writes it there (not under
    the defaults).
    """

    snapshot: Snapshot
    indexes: tuple[int, ...]
    backends: frozenset[str]
    lost: frozenset[str]
    from_environment: Callable[[Path], bool]
    is_written: Callable[[Path], bool]

    def routes(self) -> Iterator[tuple[Path, Route]]:
        """Yield each route with its path in the file."""
        for index, route in zip(self.indexes, self.snapshot.routes, strict=True):
            yield ("routes", index), route
