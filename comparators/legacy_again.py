"""Asks legacy's second answer place by place whether legacy varies there: where that is in more places than are kept.

Small bodies are done otherwise: every place at which legacy differs from itself is an observation, which noise is
learned from as well (`self_noise`, `noise_samples`). A list of a mebibyte may have half a million of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from comparators.model import Kind
from comparators.noise_families import Family, family_of, rows_at
from comparators.paths import Trail
from comparators.self_noise import Addressed, Own, is_own, same_shape
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import Number

ABSENT: Final = object()
_CONTAINERS: Final = (dict, list)
_MOST_KNOWN: Final = 4096
_SHORTEST: Final = 12
_HEX: Final = re.compile(r"[0-9a-f]{12,64}")
_MIXED: Final = re.compile(r"[0-9][a-f]+[0-9]+[a-f]")


class Again:
    """Two JSON documents of legacy; only the memory of what was asked changes.

    `differ` says whether two values of legacy differ, whichever comes first: what is forgiven is no noise. `masks` says
    that patterns may forgive tokens: else nothing makes two of them one.
    """

    def __init__(self, legacy: Any, again: Any, about: Addressed, *, masks: bool = True) -> None:
        self._masks = masks
        self._legacy = legacy
        self._again = again
        self._about = about
        self._known: dict[tuple[Any, Any, Any], bool] = {}
        self._families: dict[tuple[Any, ...], Family | None] = {}

    def varies(self, kind: Kind, modern: Any, trail: Trail, differ: Callable[[Any, Any], bool]) -> bool:
        """Whether legacy differs from itself at a place, so that modern's value may be what it is.

        ABSENT for what modern does not have. Never under a name about money, nor where only one side has a secret.
        """
        steps = _steps(trail)
        names = [step for step in steps if type(step) is str]
        if looks_money(names) or (kind in {"missing", "extra"} and names and looks_secret(names[-1])):
            return False
        first, again = _at(self._legacy, steps), _at(self._again, steps)
        if kind == "missing":
            return first is not ABSENT and again is ABSENT
        if kind == "extra":
            return first is ABSENT and again is not ABSENT and self._fits((again,), modern)
        if kind == "length":
            sizes = _sizes(first, again)
            return len(sizes) > 1 and self._fits(sizes, modern)
        if (
            ABSENT in (first, again)
            or first == again
            or any(type(each) in _CONTAINERS for each in (first, again, modern))
        ):
            return False
        return self._is_another(first, again, modern, steps, differ)

    def _is_another(
        self, first: Any, again: Any, modern: Any, steps: Sequence[Any], differ: Callable[[Any, Any], bool]
    ) -> bool:
        """Whether modern's value may be one more of those that legacy gives at a place: none of them is a container."""
        if type(first) is type(again) is type(modern) is str and not self._masks and are_tokens(first, again, modern):
            return True
        asked = first, again, modern
        if (known := self._known.get(asked)) is None:
            known = differ(first, again) and differ(again, first) and self._fits((first, again), modern)
            if not known and type(first) is type(again) is type(modern):
                known = self._is_of_family(steps, first, again, modern)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[asked] = known
        return known

    def _is_of_family(self, steps: Sequence[Any], first: Any, again: Any, modern: Any) -> bool:
        """Whether a value is made as those of all rows are, where legacy's two of its own row were too few to say."""
        if type(modern) is not str and type(modern) is not Number:
            return False
        key = *(step if type(step) is str else "*" for step in steps), type(modern)
        if key not in self._families:
            self._families[key] = self._family(steps, type(modern))
        family = self._families[key]
        return family is not None and family.holds(*map(_text, (first, again, modern)))

    def _family(self, steps: Sequence[Any], kind: type) -> Family | None:
        if not any(type(step) is int for step in steps):
            return None
        rows = rows_at(self._legacy, self._again, steps)
        return family_of([
            (_text(one), _text(two)) for one, two in rows if type(one) is kind and type(two) is kind and one != two
        ])  # fmt: skip

    def _fits(self, values: Sequence[Any], modern: Any) -> bool:
        kind = type(modern)
        alike = [each for each in values if type(each) is kind]
        if not alike:
            return False
        if kind is str and len(alike) > 1:
            if are_tokens(alike[0], alike[1], modern):
                return True
            own = Own()
            own.add_difference("", "", alike[0], alike[1])
            return is_own(own, ("", ""), alike[0], modern, self._about)
        if kind is Number:
            return same_shape(modern.decode(), [each.decode() for each in alike], self._about.reading)
        if kind in _CONTAINERS:
            return bool(modern) in map(bool, alike)
        return kind is not str or modern in alike


def are_tokens(first: str, again: str, modern: str) -> bool:
    """Whether three texts are hexadecimal digits of one length that share nothing: what `fits` says, at once."""
    size = len(first)
    return (
        size == len(again) == len(modern) >= _SHORTEST
        and first[0] != again[0]
        and first[-1] != again[-1]
        and all(_HEX.fullmatch(each) is not None and _MIXED.search(each) is not None for each in (first, again, modern))
    )


def _text(value: Any) -> str:
    """Return a text, or the literal of a number."""
    return value if type(value) is str else str(value, "ascii")


def _steps(trail: Trail) -> list[Any]:
    found: list[Any] = []
    while trail is not None:
        trail, step = trail
        found.append(step)
    found.reverse()
    return found


def _at(value: Any, steps: Sequence[Any]) -> Any:
    """Return what stands at a place, ABSENT for nothing."""
    for step in steps:
        if type(step) is str:
            value = value.get(step, ABSENT) if type(value) is dict else ABSENT
        else:
            value = value[step] if type(value) is list and step < len(value) else ABSENT
    return value


def _sizes(first: Any, again: Any) -> list[Number]:
    """Return the lengths that two lists have, one where it is the same; none where they are no lists."""
    are_lists = type(first) is list and type(again) is list
    return [str(size).encode() for size in dict.fromkeys((len(first), len(again)))] if are_lists else []
