"""Figures by group that both databases add up exactly, apart from any checksum.

They find what a wrong expression of ours, or two differing rows of one checksum, would hide. A conversion is applied to
the sum, which is exact: a sum of products is the product of the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from comparators.row_values import ValuePair, number, rule
from proxy.data.database import Database
from proxy.data.results import TotalDifference
from proxy.data.row_settling import Redact
from proxy.data.table_plan import SidePlan, TablePlan
from rules.data_settings import Total

Figures = dict[str, tuple[Fraction | None, int]]
"""A group's sum (None where nothing was added up) and how many values went into it."""
Both = Callable[[Callable[[SidePlan, Database], Figures]], tuple[Figures, Figures]]


def differing_totals(plan: TablePlan, total: Total, both: Both, redact: Redact) -> list[TotalDifference]:
    """Return the groups of `total` whose figures differ; `both` asks the two databases at the same time."""
    legacy, modern = both(lambda side, database: _figures(side, database, plan, total))
    pair = None if total.column is None else _pair(plan, total.column)
    what = f"sum of {total.column}" if total.column else "count"
    return [
        TotalDifference(
            what + (f" by {total.by}" if total.by else ""),
            redact(total.by or "", group, "")[0],
            *redact(total.column or "", _text(left), _text(right)),
        )
        for group in sorted(legacy.keys() | modern.keys())
        if (left := _converted(legacy.get(group), pair)) != (right := _plain(modern.get(group)))
    ]


def _figures(side: SidePlan, database: Database, plan: TablePlan, total: Total) -> Figures:
    column = "*" if total.column is None else _quoted(side, plan, total.column)
    added = "COUNT(*)" if total.column is None else f"SUM({column})"
    count = "COUNT(*)" if total.column is None else f"COUNT({column})"
    by = "" if total.by is None else f"{_quoted(side, plan, total.by)}, "
    where = f" WHERE {side.condition}" if side.condition else ""
    sql = f"SELECT {by}{added}, {count} FROM {side.table}{where}"  # noqa: S608 - quoted names
    rows = database.rows(sql if not by else f"{sql} GROUP BY 1")
    figures: Figures = {}
    for *group, value, values in rows:
        name = _group(group, None if total.by is None else _pair(plan, total.by))
        known, many = figures.get(name, (None, 0))
        found = number(value)
        figures[name] = (found if known is None else known + (found or 0), many + int(values))
    return figures


def _group(group: list[Any], pair: ValuePair | None) -> str:
    """Name a group in the one spelling that both sides have."""
    if not group or pair is None:
        return ""
    value = group[0]
    if value is None:
        return "null"
    if rule(value, True, pair) is not None:  # noqa: FBT003 - a value that may stand for a boolean
        return "true"
    if rule(value, False, pair) is not None:  # noqa: FBT003 - as above
        return "false"
    return str(value).rstrip(" ") if pair.padded else str(value)


def _quoted(side: SidePlan, plan: TablePlan, name: str) -> str:
    return side.fetched[[pair.name for pair in plan.pairs].index(name)]


def _pair(plan: TablePlan, name: str) -> ValuePair:
    return next(pair for pair in plan.pairs if pair.name == name)


def _converted(figure: tuple[Fraction | None, int] | None, pair: ValuePair | None) -> Fraction:
    total, values = figure or (None, 0)
    if total is None or pair is None or not pair.operator:
        return total or Fraction(0)
    operand = Fraction(pair.operand)
    match pair.operator:
        case "*":
            return total * operand
        case "/":
            return total / operand
        case "+":
            return total + values * operand
        case _:
            return total - values * operand


def _plain(figure: tuple[Fraction | None, int] | None) -> Fraction:
    return (figure or (None, 0))[0] or Fraction(0)


def _text(value: Fraction) -> str:
    """Write an exact figure as people do; one without an end (a third) as a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    for digits in range(1, 31):
        if (value * 10**digits).denominator == 1:
            whole = str(abs((value * 10**digits).numerator)).rjust(digits + 1, "0")
            return f"{'-' if value < 0 else ''}{whole[:-digits]}.{whole[-digits:]}"
    return str(value)
