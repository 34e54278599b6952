"""Asks legacy's second answer place by place whether legacy varies there: where that is in more places than are kept.

Small bodies are done otherwise: every place at which legacy differs from itself is an observation, which noise is
learned from as well (`self_noise`, `noise_samples`). A list of a mebibyte may have half a million of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from comparators.json_labels import labels, may_be_labelled
from comparators.model import Kind
from comparators.noise_families import Family, family_of, rows_at
from comparators.paths import Trail, steps_of
from comparators.self_noise import Addressed, Own, are_tokens, is_own, same_shape
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import Number

ABSENT: Final = object()
_CONTAINERS: Final = (dict, list)
_ONE_SIDED: Final = frozenset({"missing", "extra"})
_SHAPES: Final = frozenset({"missing", "extra", "length"})
_MOST_KNOWN: Final = 4096


class _Around(NamedTuple):
    """The container of a place in both documents of legacy, its name, whether any name on the way is about money."""

    legacy: Any
    again: Any
    name: str
    is_money: bool


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
        self._around = _Around(legacy, again, "", is_money=False)
        self._trail: Trail = None

    def varies(self, kind: Kind, modern: Any, trail: Trail, differ: Callable[[Any, Any], bool]) -> bool:
        """Whether legacy differs from itself at a place, so that modern's value may be what it is.

        ABSENT for what modern does not have. Never under a name about money, nor where only one side has a secret.
        """
        step = None if trail is None else trail[1]
        around = self._around_of(trail)
        if around.is_money or (type(step) is str and looks_money((step,))):
            return False
        if may_be_labelled(step) and looks_money(labels(self._legacy, steps_of(trail))):
            return False
        if kind in _ONE_SIDED and looks_secret(step if type(step) is str else around.name):
            return False
        first, again = child(around.legacy, step), child(around.again, step)
        if kind in _SHAPES:
            return self._varies_in_shape(kind, first, again, modern)
        is_value = not (first is ABSENT or again is ABSENT or first == again)
        if not is_value or type(first) in _CONTAINERS or type(again) in _CONTAINERS or type(modern) in _CONTAINERS:
            return False
        return self._is_another(first, again, modern, trail, differ)

    def _varies_in_shape(self, kind: Kind, first: Any, again: Any, modern: Any) -> bool:
        """Whether legacy has a member now and then, or lists of other lengths."""
        if kind == "missing":
            return first is not ABSENT and again is ABSENT
        if kind == "extra":
            return first is ABSENT and again is not ABSENT and self._fits((again,), modern)
        sizes = _sizes(first, again)
        return len(sizes) > 1 and self._fits(sizes, modern)

    def _around_of(self, trail: Trail) -> _Around:
        """Return what a place is in, which its neighbours are in as well; the whole documents for themselves."""
        parent = None if trail is None else trail[0]
        if parent is not self._trail:
            steps = steps_of(parent)
            names = [step for step in steps if type(step) is str]
            self._around = _Around(
                _at(self._legacy, steps), _at(self._again, steps), names[-1] if names else "", looks_money(names)
            )
            self._trail = parent
        return self._around

    def _is_another(
        self, first: Any, again: Any, modern: Any, trail: Trail, differ: Callable[[Any, Any], bool]
    ) -> bool:
        """Whether modern's value may be one more of those that legacy gives at a place: none of them is a container."""
        if type(first) is type(again) is type(modern) is str and not self._masks and are_tokens(first, again, modern):
            return True
        asked = first, again, modern
        if (known := self._known.get(asked)) is None:
            known = differ(first, again) and differ(again, first) and self._fits((first, again), modern)
            if not known and type(first) is type(again) is type(modern):
                known = self._is_of_family(steps_of(trail), first, again, modern)
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
            own = Own()
            own.add_difference("", "", alike[0], alike[1])
            return is_own(own, ("", ""), alike[0], modern, self._about)
        if kind is Number:
            return same_shape(modern.decode(), [each.decode() for each in alike], self._about.reading)
        if kind in _CONTAINERS:
            return bool(modern) in map(bool, alike)
        return kind is not str or modern in alike


def _text(value: Any) -> str:
    """Return a text, or the literal of a number."""
    return value if type(value) is str else str(value, "ascii")


def _at(value: Any, steps: Sequence[Any]) -> Any:
    """Return what stands at a place, ABSENT for nothing."""
    for step in steps:
        value = child(value, step)
    return value


def child(value: Any, step: Any) -> Any:
    """Return what stands one step further; None is no step, a whole document is in itself."""
    if type(step) is str:
        return value.get(step, ABSENT) if type(value) is dict else ABSENT
    if step is None:
        return value
    return value[step] if type(value) is list and step < len(value) else ABSENT


def _sizes(first: Any, again: Any) -> list[Number]:
    """Return the lengths that two lists have, one where it is the same; none where they are no lists."""
    are_lists = type(first) is list and type(again) is list
    return [str(size).encode() for size in dict.fromkeys((len(first), len(again)))] if are_lists else []
