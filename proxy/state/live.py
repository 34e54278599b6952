"""The one reference to the generation that runs now."""

from __future__ import annotations

from collections.abc import Callable

from rules.model import Generation


class Live:
    """Holds the current generation; `swap` alone changes it, from the thread of the event loop.

    A request reads `generation` once and keeps what it read (law 4 of the architecture).
    """

    __slots__ = ("_followers", "generation")

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._followers: list[Callable[[Generation, Generation], None]] = []

    def follow(self, follower: Callable[[Generation, Generation], None]) -> None:
        """Call `follower(old, new)` after each swap, in the order of following."""
        self._followers.append(follower)

    def swap(self, generation: Generation) -> None:
        """Make `generation` the current one for every request that starts from now on."""
        old, self.generation = self.generation, generation
        for follower in self._followers:
            follower(old, generation)
