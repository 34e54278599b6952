"""How a table is split, and how fast it is read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.data.database import DatabaseError
from proxy.data.key_ranges import Checksum, KeyRange, differing, group_ranges
from proxy.data.pace import PATIENCE, SteadyPace, StoppedError
from rules.data_settings import DataLimits


@given(st.integers(-1000, 1000), st.integers(0, 5000), st.integers(1, 40))
def test_the_groups_of_a_chunk_cover_it_without_gap_or_overlap(first: int, span: int, groups: int):
    chunk = KeyRange(first, first + span)
    width = chunk.width(groups)
    every = range((chunk.last - chunk.first) // width + 1)

    assert list(group_ranges(chunk, width, every)) == [chunk], "neighbours are joined"
    parts = [one for number in every for one in group_ranges(chunk, width, [number])]
    assert parts[0].first == chunk.first
    assert parts[-1].last == chunk.last
    assert all(left.last + 1 == right.first for left, right in pairwise(parts))


def test_a_group_differs_by_rows_or_sum_or_because_one_side_lacks_it():
    legacy = {0: Checksum(2, 10), 1: Checksum(2, 10), 2: Checksum(1, 5), 3: Checksum(1, 1)}
    modern = {0: Checksum(2, 10), 1: Checksum(3, 10), 2: Checksum(1, 6), 4: Checksum(1, 1)}

    assert differing(legacy, modern) == [1, 2, 3, 4]


@dataclass
class Replica:
    """A database with a given lag, which falls by `step` at each reading."""

    side: str = "modern"
    lag: float = 0.0
    step: float = 0.0

    def replica_lag(self) -> float:
        self.lag -= self.step
        return self.lag


class Turned(threading.Event):
    """Time that passes when something waits; `clock` grows."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        self.clock += timeout or 0
        return self.is_set()


def pace(limits: DataLimits, replica: Replica | None = None) -> tuple[SteadyPace, Turned]:
    turned = Turned()
    databases = (Replica("legacy"), replica or Replica())
    return SteadyPace(limits, databases, lambda: turned.clock, turned), turned  # type: ignore[arg-type]  # same words


def test_rows_a_second_hold_over_the_run():
    steady, turned = pace(DataLimits(rows_per_second=1000))

    for _ in range(5):
        steady.after_rows(500)

    assert turned.clock == pytest.approx(102.5)


def test_without_a_limit_nothing_waits():
    steady, turned = pace(DataLimits(rows_per_second=0, replica_lag=0), Replica(lag=999))

    steady.after_rows(10**9)

    assert turned.clock == 100.0


def test_a_replica_behind_is_waited_for_and_given_up_on_in_the_end():
    steady, turned = pace(DataLimits(rows_per_second=0, replica_lag=30), Replica(lag=40, step=1))
    steady.after_rows(1)
    assert 100 < turned.clock <= 110

    steady, turned = pace(DataLimits(rows_per_second=0, replica_lag=30), Replica(lag=40))
    with pytest.raises(DatabaseError, match="modern's replica stays more than 30 s behind"):
        steady.after_rows(1)
    assert turned.clock == pytest.approx(100 + PATIENCE)


def test_a_run_that_is_stopped_waits_no_more():
    steady, turned = pace(DataLimits())
    turned.set()

    with pytest.raises(StoppedError):
        steady.after_rows(0)
    with pytest.raises(StoppedError):
        steady.settle(5)
