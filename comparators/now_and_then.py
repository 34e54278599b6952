"""What legacy has in one answer and not in another: a row, a member, a block of a page.

Modern's content there was held against nothing of the answer that has nothing there. It is held against the answer that
has it; of that there is one sample only, so what must be the same and what may be made anew is told by its form.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from comparators.html_volatile import is_owned
from comparators.literals import is_cut
from comparators.model import SHAPES, Finding
from comparators.noise_forms import Affixed, Numbers, Row, Shape, number_of
from comparators.noise_pieces import opened, ranged, shape_of
from comparators.noise_rules import columns, is_about_money, is_amount, is_price, middles, speaks_of_money
from comparators.noise_times import Reading
from comparators.paths import steps
from comparators.sensitive_names import looks_due, looks_money

_OPENING: Final = frozenset({"{", "["})
_NEAR: Final = 64
_NUMBERED: Final = re.compile(
    r"[: ](?:href|src|value|content|(?:form)?action|data-[\w-]*)=|\btd[^ >]*: |^row \d+, column"
    r"| /(?:[^ :]*/)?\d+(?:/[^ :]*)?: "
)
_ADDRESS: Final = re.compile(r"(?:^|/)[^/]*(?:url|href|link|uri)$", re.IGNORECASE)
"""Places at which a number is somebody's, is that of a row, or goes by a head that stands elsewhere."""
_MEASURED: Final = re.compile(r"\s?(?:[kKMGT]i?B|bytes|m?s|sec(?:ond)?s?|%)(?![A-Za-z])")
_SUM: Final = re.compile(r"\d[.,]\d\d(?!\d)")
_FIELD: Final = re.compile(r"\[name=([^\]]{1,80})\]")
_OWNER: Final = re.compile(r"(?:^|[/_.-])u?u?id$|[a-z]I[dD]$|(?:^|[/_.-])(?:user|customer|account|owner|member|email)$")
"""Whose value says whose it is."""
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
    if (finding.kind != "value" and not is_json) or is_cut(legacy) or is_cut(modern):
        return False
    if looks_money(names) or looks_due(names) or _opens(legacy) or (is_json and _OWNER.search(finding.path)):
        return False
    if is_json and _SCALAR.match(legacy) and _SCALAR.match(modern):
        return is_of_size(legacy, modern)
    if is_json and not legacy[:1] == modern[:1] == '"':
        return False
    counts = (_ADDRESS.search(finding.path) if is_json else _NUMBERED.search(legacy)) is not None
    one, other = (opened(each[1:-1] if is_json else each) for each in (legacy, modern))
    return _differ_in_form_alone(one, other, reading, counts=counts)


def _opens(literal: str) -> bool:
    """Whether a literal of a page is of a field whose token opens something of somebody's."""
    return any(is_owned(each[1]) for each in _FIELD.finditer(literal))


def _differ_in_form_alone(legacy: str, modern: str, reading: Reading, *, counts: bool) -> bool:
    if tells_a_sum(legacy) or tells_a_sum(modern):
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
            if isinstance(shape, Numbers) and not is_of_size(one, other):
                return False
        at += len(one)
    return True


def _has_number(shape: str | Shape) -> bool:
    if isinstance(shape, Row):
        return any(map(_has_number, shape.shapes))
    return isinstance(shape, Numbers | Affixed)


def tells_a_sum(text: str) -> bool:
    """Whether a text speaks of a sum; one word may be a token that holds the letters of another (`9226fee0`)."""
    return is_amount(text) or (not text.isalnum() and is_about_money(text))


def is_of_size(one: str, other: str) -> bool:
    """Whether another number is within a factor of ten of one, whole where that is."""
    with suppress(ArithmeticError):
        first, second = number_of(one), number_of(other)
        if first is not None and second is not None and (there := ranged([first])) is not None:
            return there.holds(second)
    return False
