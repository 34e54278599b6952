"""JSON pointers, patterns, settings by place.

`**` at the end stands for one step or more (`/meta/**` is what is inside `/meta`), elsewhere for none or more
(`/**/id` is every `id`, also the outermost).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from comparators.values import limits

ONE: Final = "*"
ANY: Final = "**"
Trail = tuple[Any, Any] | None
"""A path while walking, innermost step outside: `(outer trail, key)`; None is the root. Made a pointer when needed."""


def steps_of(trail: Trail) -> list[Any]:
    """Return the names and indices of a trail, the outermost first."""
    found: list[Any] = []
    while trail is not None:
        trail, step = trail
        found.append(step)
    found.reverse()
    return found


def pointer(trail: Trail) -> str:
    """Return the RFC 6901 text of a trail."""
    text = ""
    while trail is not None:
        trail, key = trail
        # an index stays what it is: the compiler would take its number out, and spell that slowly
        text = f"/{escaped(key) if type(key) is str else key}{text}"
    return text


def renumbered(path: str, names: Mapping[str, Sequence[str]]) -> str:
    """Return a pointer with the indices of lists as the names their rows have; `names` by the lists' own pointers."""
    found, above = [], ""
    for step in path[1:].split("/"):
        rows = names.get(above)
        found.append(rows[int(step)] if rows is not None and step.isdecimal() and int(step) < len(rows) else step)
        above = f"{above}/{step}"
    return "".join(f"/{step}" for step in found)


def escaped(name: str) -> str:
    """Return a member's name as it stands in a pointer."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


def steps(text: str) -> tuple[str, ...]:
    """Return the unescaped steps of a pointer or pattern; ValueError where it is none."""
    if text == "":
        return ()
    if not text.startswith("/"):
        raise ValueError(f"`{text}` is not a JSON pointer: it begins with `/`")
    found = tuple(text[1:].split("/"))
    for step in found:
        if "~" in step.replace("~0", "").replace("~1", ""):
            raise ValueError(f"`{text}` has a lone `~`: in a pointer `~` is written ~0, `/` inside a name ~1")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in found)


def closure(patterns: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Add to the rests of patterns what they are when a leading `**` stands for nothing."""
    found: set[tuple[str, ...]] = set()
    for pattern in patterns:
        rest = pattern
        found.add(rest)
        while len(rest) > 1 and rest[0] == ANY:
            rest = rest[1:]
            found.add(rest)
    return frozenset(found)


def after(rests: Iterable[tuple[str, ...]], key: str | None) -> frozenset[tuple[str, ...]]:
    """Return what is left of patterns after one step; `key` None stands for a name that none of them says."""
    left: set[tuple[str, ...]] = set()
    for rest in rests:
        if not rest:
            continue
        if rest[0] == ANY:
            left.add(rest)
            if len(rest) == 1:
                left.add(())
        elif rest[0] == ONE or (key is not None and rest[0] == key):
            left.add(rest[1:])
    return closure(left)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern covers a pointer."""
    rests = closure([steps(pattern)])
    for step in steps(text):
        rests = after(rests, step)
    return () in rests


# What an operator's settings say about one place in a body: their path patterns, walked along with the body.


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
class Included:
    """What counts where not everything does: a member with all that is in it."""

    path: str


@dataclass(frozen=True, slots=True)
class Unordered:
    """A list whose order does not matter; `key` names the member that identifies rows."""

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


Setting = Ignored | Allowed | Included | Unordered | Tolerance | Equivalent
Rests = frozenset[tuple[str, ...]]
INCLUDE: Final = "include"
"""The name under which is counted what an operator did not include."""


class Place:
    """One place in a body, with the settings that hold just there; `step` leads to the places inside it.

    Places are made when first stepped on and kept: there are as many as the patterns can distinguish, whatever
    the names in the bodies. That memory is the only thing that changes.
    """

    __slots__ = (
        "_counts", "_inner", "_known", "_made", "_other", "_settings", "allowed", "bare", "excused", "ignored",
        "is_left_out", "is_uniform", "limits", "partly", "rules", "tolerances", "unordered",
    )  # fmt: skip

    def __init__(
        self, settings: Sequence[tuple[Rests, Setting]], rules: frozenset[str], *, counts: bool | None = None
    ) -> None:
        """`counts` says whether this place is included; None where everything is."""
        here = [setting for rests, setting in settings if () in rests]
        if counts is False:
            counts = any(isinstance(each, Included) for each in here)
        self.ignored = next((each.path for each in here if isinstance(each, Ignored)), None)
        self.excused = "" if self.ignored is None else f"ignore:{self.ignored}"
        if counts is False and not any(isinstance(setting, Included) for _, setting in settings):
            self.ignored, self.excused = "", INCLUDE
        self.partly = counts is False and self.ignored is None
        self.allowed = next((each.path for each in here if isinstance(each, Allowed)), None)
        self.unordered = next((each for each in here if isinstance(each, Unordered)), None)
        self.tolerances = tuple(each for each in here if isinstance(each, Tolerance))
        self.limits = tuple(limits(each.relative, each.absolute) for each in self.tolerances)
        self.rules = rules | {each.rule for each in here if isinstance(each, Equivalent)}
        self._settings = settings
        self._inner = rules
        self._known = frozenset(rest[0] for rests, _ in settings for rest in rests if rest)
        self._other: Place | None = None
        self._made: dict[str, Place] = {}
        self._counts = counts
        self.bare = not settings
        self.is_left_out = self.partly or self.ignored is not None
        self.is_uniform = not any(name.isdigit() for name in self._known)
        """Whether the same holds at each index of a list here."""

    def step(self, key: object) -> Place:
        """Return the place of a member or element."""
        if self.bare:
            return self
        if type(key) is not str and self.is_uniform:
            return self._elsewhere()
        name = key if type(key) is str else str(key)
        if name not in self._known:
            return self._elsewhere()
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._next(name)
        return made

    def _elsewhere(self) -> Place:
        """Return the place of what no setting names."""
        if self._other is None:
            self._other = self._next(None)
        return self._other

    def _next(self, name: str | None) -> Place:
        led = [(after(rests, name), setting) for rests, setting in self._settings]
        return Place([(rests, setting) for rests, setting in led if rests], self._inner, counts=self._counts)


def root(settings: Sequence[Setting], rules: frozenset[str]) -> Place:
    """Return the place of the whole body; `rules` are the equivalences that hold everywhere."""
    counts = False if any(isinstance(each, Included) for each in settings) else None
    return Place([(closure([steps(each.path)]), each) for each in settings], rules, counts=counts)
