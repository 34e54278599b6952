"""The characters one step of a regex takes, as a bit mask over Latin-1 with one bit for all others.

`ops` gathers what is used of the standard library's own regex parser: it has no public interface, so this is the
one place to change when a Python release moves it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

_LATIN = 256
_OTHERS = 1 << _LATIN
EVERY = (1 << (_LATIN + 1)) - 1


class _Ops:
    """The parser's operation codes; read once, never changed."""

    def __init__(self) -> None:
        self._parser: Any = importlib.import_module("re._parser")
        constants: Any = importlib.import_module("re._constants")
        self.ASSERT = constants.ASSERT
        self.AT = constants.AT
        self.AT_BEGINNING = constants.AT_BEGINNING
        self.AT_BEGINNING_STRING = constants.AT_BEGINNING_STRING
        self.ANY = constants.ANY
        self.ATOMIC_GROUP = constants.ATOMIC_GROUP
        self.BRANCH = constants.BRANCH
        self.CATEGORY = constants.CATEGORY
        self.GROUPREF = constants.GROUPREF
        self.GROUPREF_EXISTS = constants.GROUPREF_EXISTS
        self.IN = constants.IN
        self.LITERAL = constants.LITERAL
        self.MAXREPEAT = constants.MAXREPEAT
        self.NEGATE = constants.NEGATE
        self.NOT_LITERAL = constants.NOT_LITERAL
        self.POSSESSIVE_REPEAT = constants.POSSESSIVE_REPEAT
        self.RANGE = constants.RANGE
        self.SUBPATTERN = constants.SUBPATTERN
        self.REPEATS = frozenset((constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT))
        self._ASSERTS = frozenset((constants.ASSERT, constants.ASSERT_NOT))
        self.categories = {
            constants.CATEGORY_DIGIT: _mask(r"\d", others=True),
            constants.CATEGORY_NOT_DIGIT: _mask(r"\D", others=True),
            constants.CATEGORY_SPACE: _mask(r"\s", others=True),
            constants.CATEGORY_NOT_SPACE: _mask(r"\S", others=True),
            constants.CATEGORY_WORD: _mask(r"\w", others=True),
            constants.CATEGORY_NOT_WORD: _mask(r"\W", others=True),
        }

    def parse(self, text: str) -> Any:
        """Return the parse tree of a regex."""
        return self._parser.parse(text)

    def bodies(self, op: Any, value: Any) -> Iterator[Any]:
        """Yield the patterns inside a step."""
        if op in self.REPEATS:
            yield value[2]
        elif op is self.BRANCH:
            yield from value[1]
        elif op is self.SUBPATTERN:
            yield value[3]
        elif op is self.ATOMIC_GROUP:
            yield value
        elif op in self._ASSERTS:
            yield value[1]
        elif op is self.GROUPREF_EXISTS:
            yield from (part for part in value[1:] if part is not None)


def _mask(pattern: str, *, others: bool) -> int:
    matches = re.compile(pattern).match
    mask = _OTHERS if others else 0
    for code in range(_LATIN):
        if matches(chr(code)):
            mask |= 1 << code
    return mask


ops = _Ops()


def has_ignorecase(parsed: Any) -> bool:
    """Whether a parsed regex ignores case as a whole."""
    return bool(parsed.state.flags & re.IGNORECASE)


def single(op: Any, value: Any, *, ignorecase: bool) -> int | None:
    """Return the characters a step takes when it takes exactly one, else None."""
    if op is ops.ANY:
        return EVERY
    if op is ops.LITERAL:
        return _literal(value, ignorecase=ignorecase)
    if op is ops.NOT_LITERAL:
        return EVERY & ~_literal(value, ignorecase=ignorecase) | _OTHERS
    if op is ops.IN:
        return _set(value, ignorecase=ignorecase)
    return None


def _literal(code: int, *, ignorecase: bool) -> int:
    mask = 1 << min(code, _LATIN)
    if ignorecase:
        for other in chr(code).swapcase():
            mask |= 1 << min(ord(other), _LATIN)
    return mask


def _set(items: Any, *, ignorecase: bool) -> int:
    mask = 0
    negated = False
    for op, value in items:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            mask |= _literal(value, ignorecase=ignorecase)
        elif op is ops.RANGE:
            for code in range(value[0], min(value[1], _LATIN - 1) + 1):
                mask |= _literal(code, ignorecase=ignorecase)
            if value[1] >= _LATIN:
                mask |= _OTHERS
        elif op is ops.CATEGORY:
            mask |= ops.categories[value]
    # A negated set takes unknown characters whatever it names: at worst two sets seem to overlap.
    return EVERY & ~mask | _OTHERS if negated else mask
