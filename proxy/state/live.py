"""The one reference to the current generation; a checked file; their form in messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from proxy.ipc.codec import from_json, to_json
from rules.model import Override, Snapshot
from rules.problems import Problem
from rules.routing.decide import Generation


class Live:
    """Holds the current generation; only `swap` changes it, on the thread of the event loop.

    A request reads `generation` once and keeps what it read (docs/architecture.md, law 4).
    """

    __slots__ = ("_followers", "generation")

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._followers: list[Callable[[Generation, Generation], None]] = []

    def subscribe(self, follower: Callable[[Generation, Generation], None]) -> None:
        """Call `follower(old, new)` after each swap, in the order of following."""
        self._followers.append(follower)

    def swap(self, generation: Generation) -> None:
        """Make `generation` the current one for every request that starts from now on.

        An exception of a follower is raised, after all of them were set back to the generation before.
        """
        old, self.generation = self.generation, generation
        try:
            for follower in self._followers:
                follower(old, generation)
        except Exception:
            self.generation = old
            for follower in self._followers:
                with suppress(Exception):
                    follower(generation, old)
            raise


# A generation as a message: the checked file, what was set at run time, its number.


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a worker needs to build the generation `number`.

    `loaded_at` is epoch seconds. `content` is the hash of the file's bytes, `warnings` the findings about them:
    a later control process need not read an unchanged file again. `sticky_key` signs the proxy's own cookies,
    `jwt_key` verifies tokens; both are those that this run began with.
    """

    number: int
    snapshot: Snapshot
    overrides: tuple[Override, ...] = ()
    legacy_only: bool = False
    loaded_at: float = 0.0
    content: str = ""
    warnings: tuple[Problem, ...] = ()
    sticky_key: str = field(default="", repr=False)
    jwt_key: str = field(default="", repr=False)

    def pack(self) -> bytes:
        """Return the bytes that `unpack` understands; the supervisor keeps them unread."""
        return to_json(self)


def unpack(payload: bytes) -> Configuration:
    """Return the configuration that was packed, or raise CodecError."""
    return from_json(payload, Configuration)


# What was set at run time, as a message for a configuration that has not changed.


@dataclass(frozen=True, slots=True)
class RunTime:
    """All overrides of generation `number`; they apply to the file of the newest configuration before it."""

    number: int
    overrides: tuple[Override, ...] = ()

    def pack(self) -> bytes:
        """Return the bytes that `unpack_effects` understands."""
        return to_json(self)


def unpack_effects(payload: bytes) -> RunTime:
    """Return what was packed, or raise CodecError."""
    return from_json(payload, RunTime)


def with_effects(configuration: Configuration, effects: bytes) -> Configuration:
    """Return `configuration` with what was set since; `effects` as packed, empty for nothing."""
    if not effects:
        return configuration
    latest = unpack_effects(effects)
    if latest.number <= configuration.number:
        return configuration
    return replace(configuration, number=latest.number, overrides=latest.overrides)


def by_route(overrides: Iterable[Override]) -> dict[str, Override]:
    """Return overrides by the name of their route."""
    return {override.route: override for override in overrides}


# A file that may run.


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked file with its warnings; `content` is the hash of its bytes, which distinguishes versions."""

    snapshot: Snapshot
    warnings: tuple[Problem, ...]
    content: str
