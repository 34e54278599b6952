"""What an operator's settings say about one place in a body: their path patterns, walked along with the body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from comparators.pointer import after, closure, steps


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that is not compared, for a reason, until a day, up to a share of the answers (0…1)."""

    path: str
    reason: str = ""
    owner: str = ""
    until: str = ""
    max_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A member that modern may have alone."""

    path: str


@dataclass(frozen=True, slots=True)
class Unordered:
    """A list whose order does not matter; `key` names the member that tells rows apart."""

    path: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two numbers may be apart: a share of the larger, an amount; either will do."""

    path: str
    relative: Decimal | None = None
    absolute: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A rule that holds at one path."""

    path: str
    rule: str


Setting = Ignored | Allowed | Unordered | Tolerance | Equivalent
Rests = frozenset[tuple[str, ...]]


class Place:
    """One place in a body, with the settings that hold just there; `step` leads to the places inside it.

    Places are made when first stepped on and kept: there are as many as the patterns can tell apart, whatever
    the names in the bodies. That memory is the only thing that changes.
    """

    __slots__ = (
        "_inner", "_known", "_made", "_other", "_settings", "allowed", "bare", "ignored", "rules", "tolerances",
        "unordered",
    )  # fmt: skip

    def __init__(self, settings: Sequence[tuple[Rests, Setting]], rules: frozenset[str]) -> None:
        here = [setting for rests, setting in settings if () in rests]
        self.ignored = next((each.path for each in here if isinstance(each, Ignored)), None)
        self.allowed = next((each.path for each in here if isinstance(each, Allowed)), None)
        self.unordered = next((each for each in here if isinstance(each, Unordered)), None)
        self.tolerances = tuple(each for each in here if isinstance(each, Tolerance))
        self.rules = rules | {each.rule for each in here if isinstance(each, Equivalent)}
        self._settings = settings
        self._inner = rules
        self._known = frozenset(rest[0] for rests, _ in settings for rest in rests if rest)
        self._other: Place | None = None
        self._made: dict[str, Place] = {}
        self.bare = not settings

    def step(self, key: object) -> Place:
        """Return the place of a member or element."""
        if self.bare:
            return self
        name = key if type(key) is str else str(key)
        if name not in self._known:
            if self._other is None:
                self._other = self._next(None)
            return self._other
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._next(name)
        return made

    def _next(self, name: str | None) -> Place:
        led = [(after(rests, name), setting) for rests, setting in self._settings]
        return Place([(rests, setting) for rests, setting in led if rests], self._inner)


def root(settings: Sequence[Setting], rules: frozenset[str]) -> Place:
    """Return the place of the whole body; `rules` are the equivalences that hold everywhere."""
    return Place([(closure([steps(setting.path)]), setting) for setting in settings], rules)
