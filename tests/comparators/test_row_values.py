"""Which values of two databases mean the same, and which never do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import row_values as kinds
from comparators.row_values import SAME, ValuePair, rule

AMSTERDAM = "Europe/Amsterdam"
ID = UUID("0b9f3c1e-6a52-4a4e-9a35-0d3c2f1e8b7a")


def pair(legacy: str, modern: str, **settings: Any) -> ValuePair:
    return ValuePair("column", legacy, modern, **settings)


@pytest.mark.parametrize(
    ("left", "right", "how", "expected"),
    [
        (1, True, pair(kinds.INTEGER, kinds.BOOLEAN), "tinyint_boolean"),
        (b"\x01", True, pair(kinds.BINARY, kinds.BOOLEAN), "tinyint_boolean"),
        (True, True, pair(kinds.BOOLEAN, kinds.BOOLEAN), SAME),
        (Decimal("10.50"), Decimal("10.5"), pair(kinds.DECIMAL, kinds.DECIMAL), "decimal_scale"),
        ("10.50", Decimal("10.50"), pair(kinds.TEXT, kinds.DECIMAL), "numeric_text"),
        (b"\x05", 5, pair(kinds.BINARY, kinds.INTEGER), "bit"),
        (2**64 - 1, Decimal(2**64 - 1), pair(kinds.INTEGER, kinds.DECIMAL), SAME),
        (1050, Decimal("10.50"), pair(kinds.INTEGER, kinds.DECIMAL, operator="/", operand="100"), "convert"),
        ("NL ", "NL", pair(kinds.TEXT, kinds.TEXT, padded=True), "char_padding"),
        ("", None, pair(kinds.TEXT, kinds.INTEGER), "empty_null"),
        ("", None, pair(kinds.TEXT, kinds.TEXT, equivalent=frozenset({"empty_null"})), "empty_null"),
        ("0000-00-00 00:00:00", None, pair(kinds.DATETIME, kinds.DATETIME), "zero_date"),
        (
            datetime(2026, 7, 1, 12),  # noqa: DTZ001 - as a driver gives it
            datetime(2026, 7, 1, 10, tzinfo=UTC),
            pair(kinds.DATETIME, kinds.DATETIME, legacy_zone=AMSTERDAM),
            "time_zone",
        ),
        (
            datetime(2026, 10, 25, 2, 30),  # noqa: DTZ001 - the hour that comes twice
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            pair(kinds.DATETIME, kinds.DATETIME, legacy_zone=AMSTERDAM),
            "time_zone",
        ),
        (date(2026, 1, 2), date(2026, 1, 2), pair(kinds.DATE, kinds.DATE), SAME),
        (timedelta(hours=9, minutes=30), time(9, 30), pair(kinds.TIME, kinds.TIME), SAME),
        ('{"b": 1, "a": 2.50}', {"a": Decimal("2.5"), "b": 1}, pair(kinds.JSON, kinds.JSON), "json_spelling"),
        (ID.bytes, ID, pair(kinds.BINARY, kinds.UUIDS), "binary_uuid"),
        (str(ID).upper(), ID, pair(kinds.TEXT, kinds.UUIDS), "binary_uuid"),
        (b"ab\0\0", b"ab", pair(kinds.BINARY, kinds.BINARY, padded=True), "char_padding"),
        (1 / 3, "0.3333333333333333", pair(kinds.FLOAT, kinds.FLOAT), "float_spelling"),
        (None, None, pair(kinds.TEXT, kinds.TEXT), SAME),
    ],
)
def test_a_value_means_the_same_under_a_named_rule(left: Any, right: Any, how: ValuePair, expected: str):
    assert rule(left, right, how) == expected


@pytest.mark.parametrize(
    ("left", "right", "how"),
    [
        (2, True, pair(kinds.INTEGER, kinds.BOOLEAN)),
        (0, True, pair(kinds.INTEGER, kinds.BOOLEAN)),
        (Decimal("10.50"), Decimal("10.51"), pair(kinds.DECIMAL, kinds.DECIMAL)),
        ("000123", 123, pair(kinds.TEXT, kinds.INTEGER)),
        ("1e3", 1000, pair(kinds.TEXT, kinds.INTEGER)),
        (7, "007", pair(kinds.INTEGER, kinds.TEXT)),
        (1051, Decimal("10.50"), pair(kinds.INTEGER, kinds.DECIMAL, operator="/", operand="100")),
        (True, 1, pair(kinds.INTEGER, kinds.INTEGER)),
        ("NL ", "NL", pair(kinds.TEXT, kinds.TEXT)),
        ("NL", "nl", pair(kinds.TEXT, kinds.TEXT, padded=True)),
        ("", None, pair(kinds.TEXT, kinds.TEXT)),
        (None, "", pair(kinds.TEXT, kinds.TEXT, equivalent=frozenset({"empty_null"}))),
        (None, 0, pair(kinds.TEXT, kinds.INTEGER)),
        ("0", None, pair(kinds.TEXT, kinds.INTEGER)),
        (None, "0000-00-00", pair(kinds.DATE, kinds.TEXT)),
        (
            datetime(2026, 7, 1, 12),  # noqa: DTZ001 - as a driver gives it
            datetime(2026, 7, 1, 11, tzinfo=UTC),
            pair(kinds.DATETIME, kinds.DATETIME, legacy_zone=AMSTERDAM),
        ),
        ('{"a": 1}', {"a": True}, pair(kinds.JSON, kinds.JSON)),
        ('{"a": [1, 2]}', {"a": [2, 1]}, pair(kinds.JSON, kinds.JSON)),
        ('{"a": null}', {}, pair(kinds.JSON, kinds.JSON)),
        (ID.bytes, UUID(int=1), pair(kinds.BINARY, kinds.UUIDS)),
        ("no id", ID, pair(kinds.TEXT, kinds.UUIDS)),
        (b"ab\0", b"ab", pair(kinds.BINARY, kinds.BINARY)),
        (0.1, Decimal("0.11"), pair(kinds.FLOAT, kinds.DECIMAL)),
        ("soon", datetime(2026, 7, 1, tzinfo=UTC), pair(kinds.TEXT, kinds.DATETIME)),
    ],
)
def test_what_a_rule_does_not_name_is_a_difference(left: Any, right: Any, how: ValuePair):
    assert rule(left, right, how) is None


@given(st.integers(-(10**12), 10**12), st.sampled_from("*/+-"), st.decimals("0.01", 1000, places=2))
def test_a_conversion_is_exact(value: int, operator: str, operand: Decimal):
    how = pair(kinds.INTEGER, kinds.DECIMAL, operator=operator, operand=str(operand))
    exact = {"*": value * operand, "+": value + operand, "-": value - operand}.get(operator)
    if exact is None:
        value = int(operand * 100) * value
        exact = Decimal(value) / operand

    assert rule(value, exact, how) == "convert"
    assert rule(value, exact + Decimal("0.01"), how) is None


@given(st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans(), st.binary(max_size=5)), st.data())
def test_no_pair_of_values_makes_it_fail(left: Any, data: st.DataObject):
    numbers = [kinds.INTEGER, kinds.DECIMAL, kinds.BOOLEAN, kinds.FLOAT]
    times = [kinds.DATETIME, kinds.DATE, kinds.TIME]
    kind = st.sampled_from([*numbers, *times, kinds.TEXT, kinds.JSON, kinds.UUIDS, kinds.OTHER, kinds.BINARY])
    right = data.draw(st.one_of(st.none(), st.integers(), st.text(max_size=5), st.binary(max_size=5)))

    rule(left, right, pair(data.draw(kind), data.draw(kind)))
