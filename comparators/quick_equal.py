"""Whether two JSON bodies are equal by value, as far as that can be decided cheaply, without every rule of a policy.

A C parser reads both, one pass holds the values together. The pass may always return "unknown"; it never returns
"equal" where the walk (`json_walk`) would find a difference, and what it excuses it counts as the walk does. What a
double cannot hold exactly is left to the walk: with at most 15 digits and a small exponent, two literals are one double
only where they are one decimal. Members are counted in the text, so that none that is repeated is overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from comparators.model import NOTHING

MOST_BYTES: Final = 16 << 10
"""Of one body."""
_DEEPEST: Final = 64
"""Far above what people write, far below what stops the walk."""
_LONGEST_TEXT: Final = 15
"""Characters of a text that is compared with a number: no more digits than a double keeps."""

_JSON: Final = frozenset(("application/json", "text/json", "application/x-json"))
_UTF8: Final = frozenset(("", "charset=utf-8", 'charset="utf-8"'))
_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# A literal stands behind one of these, never behind a quote: an id inside a text is no number.
_LONG: Final = re.compile(rb"[\s:,\[]-?(?:[0-9]{16}|[0-9.]{17})")
_LARGE: Final = re.compile(rb"[\s:,\[]-?[0-9.]+[eE][+-]?[0-9]{3}")
_MINUS_ZERO: Final = re.compile(rb"-0(?<=[\s:,\[]-0)(?![.0-9eE])")
_APART: Final = re.compile(rb'"[ \t\n\r]+:')
_BLANKS: Final = (b'" ', b'"\n', b'"\r', b'"\t')
"""What `_APART` begins with; to look for each of these is quicker than a regular expression."""
_ESCAPED: Final = b'\\"'
_SIXTEEN: Final = b"0" * 16
_SAMPLED: Final = 4
_OF_SIXTEEN: Final = b"0" * (16 // _SAMPLED)
"""What sixteen digits leave where every fourth character is looked at."""
_LEAST: Final = 1e-99
_MOST: Final = 1e99
"""Between these no power of a literal of fifteen digits is so large that doubles lie further apart than decimals."""
_POWER: Final = b"0e"
_ABSENT: Final = object()
INEXACT: Final = 0
EXACT: Final = 1
PLAIN: Final = 2
_CONTAINERS: Final = (dict, list)


def _classes() -> bytes:
    """Return a table that makes every digit and point a `0`, both letters of a power an `e`, the rest blanks."""
    table = bytearray(b" " * 256)
    for each in b"0123456789.":
        table[each] = ord("0")
    for each in b"eE":
        table[each] = ord("e")
    return bytes(table)


_CLASSES: Final = _classes()
_NUMERIC: Final = "numeric_string"
_BITS: Final = "bool_int"
_LISTS: Final = "empty_array"
FORGIVING: Final = frozenset((_NUMERIC, _BITS, _LISTS))
"""The rules of the preset that look at two values alone, whatever stands around them."""
_PLACED: Final = ("ignore", "allow_extra", "unordered", "tolerance", "equivalent")
"""Settings that hold at a place, or count under a name of their own: with one of them nothing is forgiven here."""


def quick_rules(compare: Mapping[str, Any]) -> frozenset[str] | None:
    """Return what a pass may excuse under a `compare:` mapping; None where equal values are not the whole answer."""
    if compare.get("map") or compare.get("custom") or compare.get("body", "auto") not in ("auto", "json"):
        return None
    preset = compare.get("preset")
    if isinstance(preset, str):
        preset = {"name": preset}
    if not preset or preset.get("name") != "php" or any(compare.get(key) for key in _PLACED):
        return frozenset()
    return FORGIVING - frozenset(preset.get("except") or ())


def says_json(content_type: str) -> bool:
    """Whether a body of this Content-Type is read as JSON in UTF-8, whatever it looks like."""
    media, _, parameters = content_type.lower().partition(";")
    media = media.strip()
    return (media in _JSON or media.endswith("+json")) and parameters.strip() in _UTF8


def quick_equal(legacy: bytes, modern: bytes, rules: frozenset[str]) -> Mapping[str, int] | None:
    """Return what was excused (by rule, usually nothing) where two bodies are equal, None where that is unknown.

    `rules` are those of `quick_rules`. Both bodies are known to be JSON, their codings undone.
    """
    if len(legacy) > MOST_BYTES or len(modern) > MOST_BYTES:
        return None
    try:
        left, right = orjson.loads(legacy), orjson.loads(modern)
    except orjson.JSONDecodeError:
        return None
    walk = _Pass(rules)
    # a number alone has no character before it to be found by
    if type(right) not in _CONTAINERS or not walk.equal(left, right, 0) or not _allow_it(legacy, modern, walk):
        return None
    return walk.forgiven()


class Scalars:
    """Whether single values are the same; what the texts have to be asked for that to hold is noted.

    `members` counts those of either side, `texts` the values that are texts on both, `taken` those of legacy alone;
    `floats` says that floats were the same, `extreme` that one was very large or very small, `zero` that one was 0,
    `bits` that a number was taken for a boolean.
    """

    def __init__(self, rules: frozenset[str]) -> None:
        # numbers, no table: forgiving thirty values took a fifth of a look
        self._takes_numbers = _NUMERIC in rules
        self._takes_bits = _BITS in rules
        self._takes_lists = _LISTS in rules
        self._numbers = 0
        self._bits = 0
        self._lists_for_maps = 0
        self.members = 0
        self.texts = 0
        self.taken = 0
        self.floats = False
        self.extreme = False
        self.zero = False
        self.bits = False

    def forgiven(self) -> Mapping[str, int]:
        """Return how many values were excused, by rule."""
        if not (self._numbers or self._bits or self._lists_for_maps):
            return NOTHING
        counts = (_NUMERIC, self._numbers), (_BITS, self._bits), (_LISTS, self._lists_for_maps)
        return {rule: count for rule, count in counts if count}

    def same(self, left: Any, right: Any) -> bool:
        """Whether two values, neither of them two texts nor two containers, are the same as their literals are."""
        kind, other = type(right), type(left)
        if kind is float:
            if (other is not float and other is not int) or left != right:
                return False
        elif other is not float or kind is not int:
            return kind is other and bool(left == right)
        elif left != right:
            return False
        self._note_float(right)
        return True

    def excused(self, left: Any, right: Any) -> bool:
        """Whether two values that are not the same are excused, and counted, by what can be seen of them alone."""
        kind = type(right)
        if kind is bool:
            return self._is_bit(left, right)
        if kind is int or kind is float:
            return type(left) is str and self._is_number(left, right)
        if kind is dict and type(left) is list and not left and not right and self._takes_lists:
            self._lists_for_maps += 1
            return True
        return False

    def _is_bit(self, left: Any, right: bool) -> bool:  # noqa: FBT001 - a JSON value
        """Whether legacy wrote 0, 1, "0" or "1" for this boolean."""
        if not self._takes_bits:
            return False
        if type(left) is int:
            self.bits = True
            if left != int(right):
                return False
        elif type(left) is str and left == ("1" if right else "0"):
            self.taken += 1
        else:
            return False
        self._bits += 1
        return True

    def _is_number(self, left: str, right: Any) -> bool:
        """Whether legacy wrote this number as a text."""
        if not self._takes_numbers or len(left) > _LONGEST_TEXT or _number(left) != right:
            return False
        if type(right) is float:
            self._note_float(right)
        self.taken += 1
        self._numbers += 1
        return True

    def _note_float(self, value: float) -> None:
        self.floats = True
        if not _LEAST < abs(value) < _MOST:
            if value == 0:
                self.zero = True
            else:
                self.extreme = True


class _Pass(Scalars):
    """One pass over two values that ends where they may differ."""

    def equal(self, left: Any, right: Any, depth: int) -> bool:
        """Whether two values are equal, or excused; False as well where that is unknown."""
        kind, other = type(right), type(left)
        if other is str:  # two texts were compared where they stand
            return self.excused(left, right)
        if kind is dict and other is dict:
            return self._objects(left, right, depth)
        if kind is list and other is list:
            return self._lists(left, right, depth)
        return self.same(left, right) or self.excused(left, right)

    def _objects(self, left: dict[str, Any], right: dict[str, Any], depth: int) -> bool:
        if len(left) != len(right) or depth > _DEEPEST:
            return False
        texts = 0
        for name, value in right.items():
            other = left.get(name, _ABSENT)
            if type(value) is str:
                if value != other:
                    return False
                texts += 1
            elif other is not value and not self.equal(other, value, depth + 1):
                return False
        self.members += len(right)
        self.texts += texts
        return True

    def _lists(self, left: list[Any], right: list[Any], depth: int) -> bool:
        if len(left) != len(right) or depth > _DEEPEST:
            return False
        for position, value in enumerate(right):
            other = left[position]
            if type(value) is str:
                if value != other:
                    return False
                self.texts += 1
            elif other is not value and not self.equal(other, value, depth + 1):
                return False
        return True


def _allow_it(legacy: bytes, modern: bytes, walk: _Pass) -> bool:
    """Whether both texts say no more than their values did: exact numbers, no -0 for false, no member twice."""
    if walk.floats and not (is_exact(legacy, walk) and is_exact(modern, walk)):
        return False
    if walk.bits and has_minus_zero(legacy):
        return False
    texts = walk.members + walk.texts
    return has_texts(legacy, texts + walk.taken, walk.members) and has_texts(modern, texts, walk.members)


def has_texts(body: bytes, texts: int, members: int) -> bool:
    """Whether a text has so many texts in quotes, names included; counted by names where a quote may be escaped.

    It has more where a member is there twice, of which the parser leaves one.
    """
    if body.find(b"\\") < 0 or body.find(_ESCAPED) < 0:
        return body.count(b'"') == 2 * texts
    return _has_members(body, members)


def parsed(body: bytes) -> Any:
    """Return the object or list that a body is, as a C parser reads it; None for what is none of both, or no JSON."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) in _CONTAINERS else None


def has_minus_zero(body: bytes) -> bool:
    """Whether a text may hold the number -0, which the parser reads as 0."""
    return body.find(b"-0") >= 0 and _MINUS_ZERO.search(body) is not None


@lru_cache(maxsize=2048)
def _number(text: str) -> float | None:
    """Return the value of a plain decimal, None for another text; prices and counts come again and again."""
    return float(text) if _PLAIN.fullmatch(text) is not None else None


def is_exact(body: bytes, walk: Scalars) -> bool:
    """Whether doubles hold the numbers of a text that were compared exactly enough to differ from all others.

    Sixteen digits leave four in a row where every fourth character is looked at; as a rule there are none. A 0 may be
    what is left of a number with a large negative power.
    """
    if walk.extreme or body[::_SAMPLED].translate(_CLASSES).find(_OF_SIXTEEN) >= 0:
        return exactness(body) != INEXACT
    if walk.zero and _has_small_power(body):
        return exactness(body) != INEXACT
    return True


def _has_small_power(body: bytes) -> bool:
    """Whether a text may hold a negative power; one letter is found ten times as fast as two."""
    if body.find(b"-") < 0:
        return False
    return body.find(b"e-") >= 0 or (body.find(b"E") >= 0 and body.find(b"E-") >= 0)


def exactness(body: bytes) -> int:
    """Return how well doubles hold the numbers of a text: not at all, each as another one, all of them without powers.

    A text in quotes counts as well, where it looks like a number.
    """
    classes = body.translate(_CLASSES)
    # not `in`: that asks first whether what is looked for is a number, by an exception
    if classes.find(_SIXTEEN) >= 0 and _LONG.search(body) is not None:
        return INEXACT
    if classes.find(_POWER) < 0:
        return PLAIN
    return EXACT if _LARGE.search(body) is None else INEXACT


def _has_members(body: bytes, members: int) -> bool:
    """Whether a text has so many members, each name with its colon behind it: what looks like one in a text is more."""
    if body.count(b'":') != members:
        return False
    return not any(body.find(apart) >= 0 for apart in _BLANKS) or _APART.search(body) is None
