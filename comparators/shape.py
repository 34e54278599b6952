"""Whether a value looks like others that stood in its place: type, emptiness, length class, unit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from comparators.instants import moment

_FACTOR: Final = 2
_DECADE: Final = 10
_NEAR: Final = timedelta(days=1)


def same_shape(literal: str, examples: Sequence[str]) -> bool:
    """Whether a literal has the shape of the examples: JSON literals, possibly cut, or the text of a header.

    - type: one that the examples have; null only where they have it
    - emptiness: empty where an example is, otherwise not
    - length class: texts at most twice as long and half as short; fixed where all examples are one long length
    - unit: numbers of the same sign within a factor of ten (seconds are not milliseconds), instants within a day
    """
    kind = _kind(literal)
    alike = [each for each in examples if _kind(each) == kind]
    if not alike:
        return False
    if kind in {"null", "bool"}:
        return True
    if kind == "number":
        return _same_unit(Decimal(literal), [Decimal(each) for each in alike])
    if kind == "text":
        return _same_text(_inner(literal), [_inner(each) for each in alike])
    return _is_empty(literal) in {_is_empty(each) for each in alike}


def _kind(literal: str) -> str:
    if literal == "null":
        return "null"
    if literal in {"true", "false"}:
        return "bool"
    head = literal[:1]
    if head in {"{", "["}:
        return head
    if head and (head == "-" or head.isdigit()):
        try:
            return "number" if Decimal(literal).is_finite() else "text"
        except ArithmeticError:
            return "text"
    return "text"


def _inner(literal: str) -> str:
    """Return the text of a literal; a cut one, or a header's, as it is."""
    try:
        found = json.loads(literal)
    except ValueError:
        return literal
    return found if isinstance(found, str) else literal


def _same_unit(number: Decimal, examples: Sequence[Decimal]) -> bool:
    if not number:
        return any(not each for each in examples)
    sizes = [abs(each) for each in examples if each and (each > 0) == (number > 0)]
    return bool(sizes) and min(sizes) / _DECADE <= abs(number) <= max(sizes) * _DECADE


def _same_text(text: str, examples: Sequence[str]) -> bool:
    if not text:
        return "" in examples
    filled = [each for each in examples if each]
    if not filled:
        return False
    moments = [moment(each) for each in filled]
    if all(moments):
        here = moment(text)
        return here is not None and any(each and abs(here.wall - each.wall) <= _NEAR for each in moments)
    lengths = {len(each) for each in filled}
    if all(each.isdigit() for each in filled) and not text.isdigit():
        return False
    if len(lengths) == 1 and _is_token(filled):
        return len(text) in lengths
    return min(lengths) / _FACTOR <= len(text) <= max(lengths) * _FACTOR


def _is_token(texts: Sequence[str]) -> bool:
    """Whether texts of one length look made rather than written: long, without white space, more than one."""
    return len(texts) > 1 and all(len(each) > _DECADE and not any(c.isspace() for c in each) for each in texts)


def _is_empty(literal: str) -> bool:
    return literal in {"[]", "{}"}
