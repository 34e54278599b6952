"""What legacy has in one answer and not in another: a row, a member, a block of a page.

Modern's content there was held against nothing of the answer that has nothing there. It is held against the answer that
has it; of that there is one sample only, so what must be the same and what may be made anew is told by its form.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from comparators.literals import is_cut
from comparators.model import SHAPES, Finding
from comparators.noise_forms import Affixed, Numbers, Row, Shape, number_of
from comparators.noise_pieces import opened, ranged, shape_of
from comparators.noise_rules import columns, is_about_money, is_price, middles, speaks_of_money
from comparators.noise_times import Reading
from comparators.paths import steps
from comparators.sensitive_names import looks_money

_OPENING: Final = frozenset({"{", "["})
_NEAR: Final = 64
_NUMBERED: Final = re.compile(
    r"[: ](?:href|src|(?:form)?action|data-[\w-]*(?:url|href|src))=|\btd[^ >]*: |^row \d+, column"
    r"| /(?:[^ :]*/)?\d+(?:/[^ :]*)?: "
)
_ADDRESS: Final = re.compile(r"(?:^|/)[^/]*(?:url|href|link|uri)$", re.IGNORECASE)
"""Places at which a number is somebody's, is that of a row, or goes by a head that stands elsewhere."""
_MEASURED: Final = re.compile(r"\s?(?:[kKMGT]i?B|bytes|m?s|sec(?:ond)?s?|%)(?![A-Za-z])")
_SUM: Final = re.compile(r"\d[.,]\d\d(?!\d)")
_HELD: Final = frozenset({"value", "extra"})
_SCALAR: Final = re.compile(r"-?\d")


def hides_content(finding: Finding) -> bool:
    """Whether what one side has behind a finding was held against nothing of the other side."""
    return finding.kind in SHAPES or (
        finding.kind == "type" and not _OPENING.isdisjoint((finding.legacy[:1], finding.modern[:1]))
    )


def is_one_more(finding: Finding, legacy: str, reading: Reading) -> bool:
    """Whether modern's value may be another of `legacy`'s one there: it differs in times, tokens and sizes alone.

    Never in words, never under a name about money or beside its words; in an address or a table only in what is made
    anew.
    """
    is_json, modern = finding.path.startswith("/"), finding.modern
    names = steps(finding.path) if is_json else (finding.path,)
    if finding.kind not in _HELD or looks_money(names) or is_cut(legacy) or is_cut(modern):
        return False
    if is_json and _SCALAR.match(legacy) and _SCALAR.match(modern):
        return _is_of_size(legacy, modern)
    if is_json and not legacy[:1] == modern[:1] == '"':
        return False
    counts = (_ADDRESS.search(finding.path) if is_json else _NUMBERED.search(legacy)) is not None
    one, other = (opened(each[1:-1] if is_json else each) for each in (legacy, modern))
    return _differ_in_form_alone(one, other, reading, counts=counts)


def _differ_in_form_alone(legacy: str, modern: str, reading: Reading, *, counts: bool) -> bool:
    if is_about_money(legacy) or is_about_money(modern):
        return False
    start, end = middles((legacy, modern))
    there = columns([each[start : len(each) - end] for each in (legacy, modern)])
    if there is None:
        return False
    at = start
    for one, other in there:
        if one != other:
            shape = shape_of((one, other), reading)
            around = legacy[max(0, at - _NEAR) : at], legacy[at + len(one) : at + len(one) + _NEAR]
            if shape is None or is_price(one, *around) or speaks_of_money(*around):
                return False
            is_sum = _SUM.search(f"{one} {other}") is not None and _MEASURED.match(around[1]) is None
            if _has_number(shape) and (counts or is_sum):
                return False
            if isinstance(shape, Numbers) and not _is_of_size(one, other):
                return False
        at += len(one)
    return True


def _has_number(shape: str | Shape) -> bool:
    if isinstance(shape, Row):
        return any(map(_has_number, shape.shapes))
    return isinstance(shape, Numbers | Affixed)


def _is_of_size(one: str, other: str) -> bool:
    """Whether two numbers are within a factor of ten."""
    first, second = number_of(one), number_of(other)
    if first is None or second is None:
        return False
    there = ranged([Decimal(first)])
    return there is not None and there.holds(second)
