"""Walks two JSON values side by side and tells every place at which they are not the same."""

from __future__ import annotations

from typing import Any

from comparators import json_lists
from comparators.context import DEEPEST, GLANCED, Context
from comparators.json_text import literal
from comparators.leaf import forgiving, one_type
from comparators.model import Kind
from comparators.names import looks_secret
from comparators.nearly import nearly
from comparators.onesided import inside, one_sided
from comparators.place import Place
from comparators.pointer import Trail, pointer

ABSENT = object()
_MOST_TRIALS = 20_000
_CONTAINERS = frozenset({dict, list})


class Differs(Exception):
    """Two values were only tried against each other, and differ."""


class Walk:
    """One walk; it changes nothing but its context. Paths are only written out where something differs.

    What Python calls equal is equal (see json_text): whole branches are passed over without being entered. Far down
    branches are entered all the same, or every level would compare what is below it once more.
    """

    def __init__(self, context: Context, legacy_text: str = "", modern_text: str = "", *, tries: bool = False) -> None:
        self.context = context
        self._texts = (legacy_text, modern_text)
        self._tries = tries
        self._left = _MOST_TRIALS
        self._trial: Walk | None = None

    def compare(self, legacy: Any, modern: Any) -> None:
        """Compare two whole documents."""
        self.values(legacy, modern, None, self.context.policy.place, 0)

    def values(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Compare two values at one place."""
        kind = type(modern)
        if (depth < GLANCED or kind not in _CONTAINERS) and legacy == modern:
            return
        if kind is not type(legacy) or kind not in _CONTAINERS:
            self.unlike(legacy, modern, trail, place, depth)
        elif place.ignored is not None:
            self._ignored(legacy, modern, trail, place)
        elif kind is dict:
            self.members(legacy, modern, trail, place, depth)
        else:
            json_lists.compare(self, legacy, modern, trail, place, depth)

    def members(self, legacy: dict[str, Any], modern: dict[str, Any], trail: Trail, place: Place, depth: int) -> None:
        """Compare two objects, whatever the order of their members."""
        self.enter(depth, len(modern))
        common, glanced, bare = 0, depth < GLANCED, place.bare
        for name, right in modern.items():
            left = legacy.get(name, ABSENT)
            if left is ABSENT:
                self.added(right, (trail, name), place.step(name))
                continue
            common += 1
            if glanced and left == right:
                continue
            self.values(left, right, (trail, name), place if bare else place.step(name), depth + 1)
        if common != len(legacy):
            for name, left in legacy.items():
                if name not in modern:
                    self.removed(left, (trail, name), place.step(name))

    def enter(self, depth: int, size: int) -> None:
        """Count a container against the caps."""
        if depth > DEEPEST:
            self.context.stop("depth")
        self.context.spend(size)

    def unlike(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Judge two values that are not the same: forgiven by a rule, or a difference."""
        if place.ignored is not None:
            self._ignored(legacy, modern, trail, place)
            return
        context = self.context
        if type(legacy) is dict and type(modern) is list and context.has("sparse_list"):
            rows = json_lists.sparse(legacy)
            if rows is not None:
                context.forgive("sparse_list")
                json_lists.compare(self, rows, modern, trail, place, depth, rule="sparse_list")
                return
        if context.policy.noise_rules:
            context.path = pointer(trail)
        rules = forgiving(legacy, modern, place, context)
        if rules is None:
            kind: Kind = "value" if one_type(legacy, modern, place, context) else "type"
            self.differ(trail, kind, legacy, modern, "" if self._tries else nearly(legacy, modern, context))
            return
        for rule in rules:
            context.forgive(rule)

    def added(self, modern: Any, trail: Trail, place: Place) -> None:
        """Judge a member that modern has alone."""
        name = place.ignored and f"ignore:{place.ignored}"
        if name is None and place.allowed is not None:
            name = "allow_extra"
        if name is None and modern is None and "null_missing" in place.rules:
            name = "null_missing"
        if name is None or _named_secret(trail):
            self.differ(trail, "extra", ABSENT, modern, "null_missing" if modern is None else "")
            return
        self.context.forgive(name)
        self._secrets(modern, trail, "extra")

    def removed(self, legacy: Any, trail: Trail, place: Place) -> None:
        """Judge a member that legacy has alone."""
        name = place.ignored and f"ignore:{place.ignored}"
        if name is None and legacy is None and "null_missing" in place.rules:
            name = "null_missing"
        if name is None or _named_secret(trail):
            self.differ(trail, "missing", legacy, ABSENT, "null_missing" if legacy is None else "")
            return
        self.context.forgive(name)
        self._secrets(legacy, trail, "missing")

    def differ(self, trail: Trail, kind: Kind, legacy: Any, modern: Any, rule: str = "") -> None:
        """Report a difference with both literals; ABSENT shows as nothing."""
        if self._tries:
            raise Differs
        if self.context.is_full:
            self.context.differ("", kind, "", "")
            return
        left = "" if legacy is ABSENT else literal(legacy, self._texts[0])
        right = "" if modern is ABSENT else literal(modern, self._texts[1])
        self.context.differ(pointer(trail), kind, left, right, rule)

    def lost(self, legacy: Any, trail: Trail) -> None:
        """Report a row of an unordered list that modern does not have."""
        self.differ(trail, "missing", legacy, ABSENT, "unordered")

    def gained(self, modern: Any, trail: Trail) -> None:
        """Report a row of an unordered list that legacy does not have."""
        self.differ(trail, "extra", ABSENT, modern, "unordered")

    def alike(self, legacy: Any, modern: Any, place: Place, depth: int) -> bool:
        """Whether two values would lead to no difference; tells and counts nothing."""
        self._left -= 1
        if self._left < 0:
            self.context.stop("nodes")
        if self._trial is None:
            self._trial = Walk(self.context.fork(), tries=True)
        try:
            self._trial.values(legacy, modern, None, place, depth)
        except Differs:
            return False
        return True

    def apart(self, legacy: Any, modern: Any, place: Place, depth: int) -> int:
        """Return how many differences two values would lead to; tells and counts nothing."""
        attempt = self.context.fork()
        Walk(attempt).values(legacy, modern, None, place, depth)
        return attempt.differences

    def _ignored(self, legacy: Any, modern: Any, trail: Trail, place: Place) -> None:
        """Count what is ignored where it is not the same; a secret that only one side shows is told all the same."""
        before = self.context.differences
        for kind, name_trail, value in one_sided(legacy, modern, trail):
            if _named_secret(name_trail):
                left, right = (value, ABSENT) if kind == "missing" else (ABSENT, value)
                self.differ(name_trail, kind, left, right)
        if self.context.differences == before and type(legacy) is type(modern) and legacy == modern:
            return
        self.context.forgive(f"ignore:{place.ignored}")

    def _secrets(self, value: Any, trail: Trail, kind: Kind) -> None:
        """Report members with secret names inside a value that only one side has."""
        for inner, each in inside(value, trail):
            if _named_secret(inner):
                self.differ(inner, kind, *((each, ABSENT) if kind == "missing" else (ABSENT, each)))


def _named_secret(trail: Trail) -> bool:
    return trail is not None and type(trail[1]) is str and looks_secret(trail[1])
