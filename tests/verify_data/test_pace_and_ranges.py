"""How a table is split, and how fast it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.data.database import DatabaseError, Running
from proxy.data.key_ranges import Checksum, KeyRange, differing, group_ranges
from proxy.data.pace import PATIENCE, Paused, SteadyPace, StoppedError
from rules.data_settings import DataLimits
from tests.verify_data.both import Turned


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
    """A database with a given lag and load, which fall by `step` at each look; `asking` are our own queries of it."""

    side: str = "modern"
    lag: float = 0.0
    load: int = 0
    step: int = 0
    asking: int = 0
    server: str = "one"
    unseen: str = ""
    looks: int = 0

    def replica_lag(self) -> float:
        self.lag -= self.step
        return self.lag

    def running(self) -> Running:
        self.looks += 1
        self.load -= self.step
        return Running(self.load + self.asking + 1, self.unseen)


def pace(
    limits: DataLimits, replica: Replica | None = None, other: Replica | None = None, paused: Paused = lambda _: None
) -> tuple[SteadyPace, Turned]:
    turned = Turned()
    databases = (other or Replica("legacy", server="other"), replica or Replica())
    return SteadyPace(limits, databases, lambda: turned.clock, turned, paused), turned  # type: ignore[arg-type]  # same words


def test_rows_a_second_hold_over_the_run():
    steady, turned = pace(DataLimits(rows_per_second=1000))

    for _ in range(5):
        steady.after_rows(500)

    assert turned.clock == pytest.approx(102.5)


def test_without_a_limit_nothing_waits():
    steady, turned = pace(DataLimits(rows_per_second=0, replica_lag=0, load=0), Replica(lag=999, load=999))

    steady.before_query()
    steady.after_rows(10**9)

    assert turned.clock == 100.0


@pytest.mark.parametrize(
    ("limits", "hindered", "what"),
    [
        (DataLimits(replica_lag=30), {"lag": 40}, "{}'s replica is more than 30 s behind (`replica_lag`)"),
        (DataLimits(load=25), {"load": 35}, "{} executes more than 25 statements of others (`load`)"),
    ],
)
@pytest.mark.parametrize("side", ["legacy", "modern"])
def test_a_side_that_is_behind_or_busy_is_waited_for_and_given_up_on_in_the_end(
    limits: DataLimits, hindered: dict[str, Any], what: str, side: str
):
    what = what.format(side)
    steady, turned = pace(limits, Replica(side, step=1, **hindered))
    steady.before_query()
    waited = turned.clock - 100

    assert 8 <= waited <= 10
    assert list(steady.notes()) == [f"reading waited {waited:g} s: {what}"]
    assert list(steady.notes()) == [], "once"

    steady, turned = pace(limits, Replica(side, **hindered))
    with pytest.raises(DatabaseError, match=f"{re.escape(what)} since 600 s, at last ") as found:
        steady.before_query()
    assert turned.clock == pytest.approx(100 + PATIENCE)
    assert found.value.unreachable, "the next run may go on"


def test_databases_are_looked_at_once_a_second_and_at_each_second_of_a_pause():
    busy = Replica(load=27, step=1)
    shown: list[str] = []
    steady, turned = pace(DataLimits(load=25), busy, paused=shown.append)
    for _ in range(5):
        steady.before_query()
        turned.clock += 0.3

    assert busy.looks == 1 + 1 + 1, "26, a second later 25, and when another second is over"
    assert shown == ["waiting, modern executes more than 25 statements of others (`load`): 26", ""]


def test_what_we_ask_ourselves_is_no_load_whichever_side_of_one_server_asks_it():
    """A migration to another schema has both sides on one server: each query there is counted by both looks."""
    legacy, modern = Replica("legacy", load=1, asking=2), Replica(load=1, asking=3)
    for one, other in ((legacy, modern), (modern, legacy)):
        one.load += other.asking
    steady, turned = pace(DataLimits(load=1), modern, legacy)

    steady.before_query()

    assert turned.clock == 100.0


def test_what_cannot_be_seen_is_reported_once_and_not_waited_for():
    steady, turned = pace(DataLimits(load=25), Replica(unseen="modern: cannot be seen"))
    for _ in range(3):
        steady.before_query()
        turned.clock += 2

    assert (turned.clock, steady.unseen()) == (106.0, ["modern: cannot be seen"])


def test_a_run_that_is_stopped_waits_no_more():
    steady, turned = pace(DataLimits())
    turned.set()

    with pytest.raises(StoppedError):
        steady.after_rows(0)
    with pytest.raises(StoppedError):
        steady.settle(5)
    with pytest.raises(StoppedError):
        steady.before_query()
