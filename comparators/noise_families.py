"""What all rows of a list share at a place where legacy makes its value anew in each: one shape instead of many.

Two samples are few: of a thousand random values one has a shape that its row's two do not have (all digits, three
letters in common, a mark of base64 in an odd place). Where the values of many rows are made in the same way, what they
are made of is known from all of them. That way only values pass that say nothing about their row: legacy's two values
of one row are no more alike than those of two rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil, log
from typing import Any, Final

from comparators.literals import first_difference, shared_beginning
from comparators.noise_forms import UUID, Made, Numbers, Shape, Uuids, number_of
from comparators.noise_letters import decoded, is_even, narrowest, plausible
from comparators.noise_pieces import made, ranged
from comparators.noise_times import instant

MANY: Final = 8
"""From so many rows on that vary, what they share is no chance."""
_SAMPLES: Final = 64
_LETTERS_BY_CHANCE: Final = 2
_SHARE_BY_CHANCE: Final = 0.05
_SURE: Final = 200
"""How many times rarer than once in a family what two values share must be to be no chance."""
_FACTOR: Final = 2
_SHORTEST: Final = 6
_BOUND: Final = 0.7
"""The share of rows whose two numbers are nearer to each other than to the next row's: half where they are random."""
_HEX: Final = 16
_NEARLY_ALL: Final = 0.9
_UP_TO_MARK: Final = re.compile(r"[0-9A-Za-z]*\Z")
_CONTAINERS: Final = (dict, list)
_MOST_PATTERNS: Final = 64
Pairs = Sequence[tuple[str, str]]


class Family:
    """The values of many rows: their shape, and how much two values of one row may share. Nothing changes.

    All begin with `before` and end with `after`. `parted` says that each row has something of its own besides, up to a
    mark before what is made, or from one on behind it.
    """

    def __init__(self, shape: Shape, shared: int, frame: tuple[str, str] = ("", ""), *, parted: bool = False) -> None:
        self._shape = shape
        self._shared = shared
        self._frame = frame
        self._parted = parted

    def holds(self, first: str, again: str, modern: str) -> bool:
        """Whether a value may stand in a row whose two of legacy share no more than chance may have it."""
        before, after = self._frame
        if self._parted:
            inner, end = len(before), len(first) - len(after)
            more, less = shared_parts(first[inner:end], again[inner : len(again) - len(after)])
            before, after = first[: inner + more], first[end - less :]
        given = _within(modern, before, after)
        if given is None:
            return False
        one, two = (text[len(before) : len(text) - len(after)] for text in (first, again))
        return _in_common(one, two) <= self._shared and self._shape.fits(given)


def family_of(pairs: Pairs) -> Family | None:
    """Return what the values of many rows share, legacy's two of each; None where they are few, or not made alike."""
    texts = _flat(pairs)
    if len(pairs) < MANY or "" in texts or len(set(texts)) * _FACTOR <= len(texts):
        return None
    if all(instant(text) is not None for text in texts[:MANY]):
        return None
    if (numbers := _numbers(texts)) is not None:
        return Family(numbers, max(map(len, texts)))
    before = shared_beginning(texts)
    after = shared_beginning([text[len(before) :][::-1] for text in texts])[::-1]
    pairs = [_cut(pair, len(before), len(after)) for pair in pairs]
    parts = [shared_parts(*pair) for pair in pairs]
    if parted := sum(map(any, parts)) >= _NEARLY_ALL * len(pairs):
        pairs = [_cut(pair, *part) for pair, part in zip(pairs, parts, strict=True)]
    shape = _shape(pairs)
    if shape is None:
        return None
    letters = len(shape.letters) if isinstance(shape, Made) else _HEX
    return Family(shape, ceil(log(_SURE * len(pairs)) / log(max(letters, _FACTOR))), (before, after), parted=parted)


def _shape(pairs: Pairs) -> Made | Uuids | None:
    texts = _flat(pairs)
    if "" in texts or not _are_random(pairs):
        return None
    return _uuids(texts) or _made(texts)


def _flat(pairs: Pairs) -> list[str]:
    return [text for pair in pairs for text in pair]


def _cut(pair: tuple[str, str], before: int, after: int) -> tuple[str, str]:
    one, two = pair
    return one[before : len(one) - after], two[before : len(two) - after]


def _within(text: str, before: str, after: str) -> str | None:
    """Return what stands in a text between its begin and its end, None where it has others."""
    if len(text) < len(before) + len(after) or not (text.startswith(before) and text.endswith(after)):
        return None
    return text[len(before) : len(text) - len(after)]


def shared_parts(first: str, again: str) -> tuple[int, int]:
    """Return the lengths of what two texts begin and end with in common, up to a mark and from one on."""
    at = first_difference(first, again)
    before = len(_UP_TO_MARK.sub("", first[:at]))
    one, two = first[before:][::-1], again[before:][::-1]
    return before, len(_UP_TO_MARK.sub("", one[: first_difference(one, two)]))


class SharedValues:
    """How many rows of a JSON document have a value at a place of theirs; only the memory of what was asked changes."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._counts: dict[str, Counter[Any]] = {}

    def is_alone(self, pattern: str, value: Any) -> bool:
        """Whether at most one row has it; `pattern` is a pointer with `*` for what identifies rows."""
        if pattern not in self._counts:
            if len(self._counts) >= _MOST_PATTERNS:
                return False  # each looks through all rows
            there = _leaves(self.document, pattern.split("/")[1:])
            self._counts[pattern] = Counter((type(each), each) for each in there if type(each) not in _CONTAINERS)
        return self._counts[pattern][type(value), value] <= 1


def _leaves(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif type(value) is dict:
        name = steps[0].replace("~1", "/").replace("~0", "~")
        for each in value.values() if name == "*" else [value[name]] if name in value else ():
            yield from _leaves(each, steps[1:])
    elif type(value) is list:
        for each in value:
            yield from _leaves(each, steps[1:])


def rows_at(value: Any, other: Any, steps: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield what stands at a place in each row of two documents, the same rows of both; indices stand for any."""
    if not steps:
        yield value, other
    elif type(value) is not type(other):
        return
    elif type(value) is dict:
        if steps[0] in value and steps[0] in other:
            yield from rows_at(value[steps[0]], other[steps[0]], steps[1:])
    elif type(value) is list and type(steps[0]) is int:
        for left, right in zip(value, other, strict=False):
            yield from rows_at(left, right, steps[1:])


def _uuids(texts: Sequence[str]) -> Uuids | None:
    if not all(map(UUID.fullmatch, texts)):
        return None
    whole = "".join(texts)
    return Uuids(whole.upper() == whole, whole.lower() == whole)


def _made(texts: Sequence[str]) -> Made | None:
    """Return the letters and lengths of all texts, where the first of them look made."""
    if not isinstance(made(texts[:_SAMPLES]), Made):
        return None
    cores = [decoded(text) for text in texts]
    sizes = list(map(len, cores))
    least, most = min(sizes), max(sizes)
    if narrowest(cores) is None or least < _SHORTEST or most > _FACTOR * least:
        return None
    # One step beyond the shortest and the longest: of many values some are longer than all the others.
    room = min(1, most - least)
    return Made(plausible(cores), least - room, most + room)


def _are_random(pairs: Pairs) -> bool:
    """Whether two values of one row share nothing that two of any rows do not."""
    near = sum(_in_common(*pair) > _LETTERS_BY_CHANCE for pair in pairs)
    return near <= max(1, _SHARE_BY_CHANCE * len(pairs)) and not any(is_even(pair[0]) for pair in pairs)


def _in_common(one: str, two: str) -> int:
    """Return how many letters two texts begin or end with in common."""
    return max(first_difference(one, two), first_difference(one[::-1], two[::-1]))


def _numbers(texts: Sequence[str]) -> Numbers | None:
    """Return the range of numbers that are drawn anew in each row, not counted on from what a row had."""
    found = [number_of(text) for text in texts]
    there = [each for each in found if each is not None]
    if len(there) < len(found) or any(len(text) > 1 and text[0] == "0" and text[1] != "." for text in texts):
        return None
    firsts, agains = there[::2], there[1::2]
    nearer = sum(
        abs(one - two) < abs(one - other)
        for one, two, other in zip(firsts, agains, (*agains[1:], agains[0]), strict=True)
    )
    return ranged(there) if nearer <= _BOUND * len(firsts) else None
