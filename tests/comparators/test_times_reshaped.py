"""A time of legacy's that runs with the clock, and that modern writes in another shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import compare
from tests.comparators.answers import answer, policy

DATE: dict[str, Any] = {"timezone_type": 3, "timezone": "Europe/Amsterdam"}
PHP = {"preset": "php"}
UNIX = {"preset": "php", "equivalent": [{"rule": "unix_time", "at": "/at"}]}


def dated(time: str, **zone: Any) -> dict[str, Any]:
    return {"date": f"2031-07-04 {time}", **DATE, **zone}


def verdict(mapping: dict[str, Any], *values: Any, name: str = "at") -> str:
    """Of modern's last value beside legacy's others."""
    first, *again, modern = (answer(json.dumps({"n": 1, name: value}).encode()) for value in values)
    return compare(first, modern, policy(mapping), secondary=tuple(again)).verdict


@pytest.mark.parametrize(
    ("modern", "expected"),
    [
        ("2031-07-04T10:15:03+02:00", "noise"),
        ("2031-07-04T08:15:03Z", "noise"),
        ("2031-07-04T10:15:03Z", "different"),
        ("2031-07-04T09:15:03+02:00", "different"),
        ("2031-07-05T10:15:03+02:00", "different"),
        ("2031-07-04T10:15:03", "different"),
        ("10:15:03", "different"),
        (None, "different"),
    ],
)
def test_phps_object_for_a_time_may_have_gone_on(modern: str | None, expected: str):
    legacy = dated("10:15:01.000000"), dated("10:15:04.000000")

    assert verdict(PHP, *legacy, modern) == expected
    assert verdict(PHP, legacy[0], legacy[0], modern) == "different"


def test_an_object_with_microseconds_goes_on_as_well():
    legacy = dated("10:15:01.123456", timezone="+02:00", timezone_type=1), dated("10:15:01.973412")

    assert verdict(PHP, *legacy, "2031-07-04T08:15:01.430200Z") == "noise"
    assert verdict({}, *legacy, "2031-07-04T08:15:01.430200Z") == "different"


@pytest.mark.parametrize(
    ("modern", "expected"),
    [
        ("2031-02-27T23:06:48Z", "noise"),
        ("2031-02-27 23:06:41", "noise"),
        ("2031-02-28T23:06:48Z", "different"),
        ("2031-02-27T22:06:48Z", "different"),
        ("2031-02-27T23:06:48+01:00", "different"),
    ],
)
def test_a_number_of_seconds_may_have_gone_on(modern: str, expected: str):
    legacy = 1930000000, 1930000005

    assert verdict(UNIX, *legacy, modern) == expected
    assert verdict(PHP, *legacy, modern) == "different"
    assert verdict(UNIX, *legacy, modern, name="other") == "different"
    assert verdict(UNIX, 1930000000, 1930000000, modern) == "different"
