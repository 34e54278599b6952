"""What every difference store promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import EXAMPLES, TRANSIENT, Difference, Diffs, Known, Wanted
from proxy.storage.diff_store_memory import MemoryDiffs
from proxy.storage.diff_store_sqlite import SqliteDiffs


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Diffs]:
    made: Diffs = MemoryDiffs() if request.param == "memory" else SqliteDiffs(tmp_path / "var" / "s.diffs.db")
    yield made
    made.close()


def found(group: str = "g1", path: str = "/items/0/price", legacy: str = '"10.50"', modern: str = "10.51") -> Found:
    return Found(group, path, "/items/*/price", "value", legacy, modern, "numeric_string")


def difference(number: int, *founds: Found, route: str = "profile", size: int = 10, at: float | None = None):
    pair = bytes([number % 256]) * size
    when = 1000.0 + number if at is None else at
    return Difference(f"p{number:05}", when, route, f"GET /{number}", founds or (found(),), ("a note",), pair)


def test_a_difference_is_found_in_its_group_with_its_example(store: Diffs):
    store.add_differences([difference(1)])

    (group,) = store.groups(Wanted())

    assert (group.id, group.route, group.path, group.kind) == ("g1", "profile", "/items/*/price", "value")
    assert (group.count, group.first_seen, group.last_seen, group.known) == (1, 1001.0, 1001.0, None)
    (example,) = group.examples
    assert (example.pair, example.at, example.request, example.notes) == ("p00001", 1001.0, "GET /1", ("a note",))
    assert example.found == found()
    assert store.group("g1") == group
    assert store.pair("p00001") == b"\1" * 10


def test_a_pair_counts_once_in_a_group_and_in_every_group_it_differs_in(store: Diffs):
    store.add_differences([difference(1, found(), found(path="/items/1/price"), found("g2"))])

    counts = {group.id: group.count for group in store.groups(Wanted())}

    assert counts == {"g1": 1, "g2": 1}
    assert store.group("g1").examples[0].found.path == "/items/0/price"


def test_a_group_keeps_the_first_pair_with_the_latest_ones_and_counts_them_all(store: Diffs):
    store.add_differences([difference(number) for number in range(20)])
    store.add_differences([difference(20)])

    group = store.group("g1")

    assert group.count == 21
    kept = [example.pair for example in group.examples]
    assert kept == ["p00020", "p00019", "p00018", "p00017", "p00000"]
    assert len(kept) == EXAMPLES
    assert store.pair("p00005") == b""


def test_pairs_that_are_only_counted_leave_the_examples_as_they_are(store: Diffs):
    store.add_differences([difference(1)])
    more = replace(difference(2, found(), found("g2")), count=40, is_example=False)

    store.add_differences([more, difference(3)])

    group, other = store.group("g1"), store.group("g2")
    assert group is not None
    assert other is not None
    assert (group.count, group.first_seen, group.last_seen) == (42, 1001.0, 1003.0)
    assert [example.pair for example in group.examples] == ["p00003", "p00001"]
    assert (other.count, other.examples, store.pair("p00002")) == (40, (), b"")


def test_groups_come_newest_first_page_by_page_of_one_route_since_a_moment(store: Diffs):
    store.add_differences(
        [difference(number, found(f"g{number}"), route=("a", "b")[number % 2]) for number in range(6)]
    )

    first = store.groups(Wanted(limit=4))
    rest = store.groups(Wanted(after=first[-1].place, limit=4))
    of_a = store.groups(Wanted(route="a", since=1002.0))

    assert [group.id for group in (*first, *rest)] == ["g5", "g4", "g3", "g2", "g1", "g0"]
    assert [group.id for group in of_a] == ["g4", "g2"]


def test_what_was_equal_when_asked_again_is_kept_apart_and_never_open(store: Diffs):
    store.add_differences([difference(1, found(f"{TRANSIENT}g1")), difference(2, found("g2"))])

    assert [group.id for group in store.groups(Wanted())] == ["g2"]
    (apart,) = store.groups(Wanted(transient=True))
    assert (apart.id, apart.is_transient, len(apart.examples)) == (f"{TRANSIENT}g1", True, 1)
    assert store.open_groups() == {"profile": 1}


def test_a_list_is_read_to_its_end_though_its_groups_are_seen_again_meanwhile(store: Diffs):
    store.add_differences([difference(number, found(f"g{number}")) for number in range(6)])
    read = store.groups(Wanted(limit=3))
    store.add_differences([difference(100, found(read[-1].id))])

    rest = store.groups(Wanted(after=read[-1].place, limit=3))

    assert [group.id for group in (*read, *rest)] == ["g5", "g4", "g3", "g2", "g1", "g0"]


def test_what_is_known_stays_known_and_goes_on_being_counted(store: Diffs):
    known = Known("ETA is live", "ops", "2027-01-31", 0.05, "alice", 1500.0)
    store.add_differences([difference(1)])

    assert store.know("g1", known)
    store.add_differences([difference(2)])

    assert store.group("g1").known == known
    assert store.group("g1").count == 2
    assert store.known() == {"g1": known}
    assert store.know("g1", None)
    assert store.known() == {}
    assert not store.know("nobody", known)


def test_a_verdict_of_a_later_file_stays_until_the_difference_comes_again(store: Diffs):
    store.add_differences([difference(1)])

    store.rejudged({"g1": "equal", "gone": "equal"})
    told = store.group("g1").rejudged
    store.add_differences([difference(2)])

    assert told == "equal"
    assert store.group("g1").rejudged == ""


def test_a_group_is_open_until_it_is_known_or_found_equal(store: Diffs):
    store.add_differences(
        [difference(number, found(f"g{number}"), route=("a", "b")[number % 2]) for number in range(5)]
    )

    store.know("g0", Known("we know"))
    store.rejudged({"g1": "equal", "g2": "different"})

    assert dict(store.open_groups()) == {"a": 2, "b": 1}


def test_nothing_is_too_old_where_no_age_is_set(store: Diffs):
    store.add_differences([difference(1)])

    store.trim(now=1e9, keep=0.0, max_bytes=0)

    assert store.pair("p00001")
    assert store.group("g1").count == 1


def test_what_is_old_is_forgotten_unless_it_is_known(store: Diffs):
    store.add_differences([difference(1, found("old")), difference(2, found("known")), difference(3, at=9000.0)])
    store.know("known", Known("we know"))

    store.trim(now=9100.0, keep=1000.0, max_bytes=0)

    assert {group.id for group in store.groups(Wanted())} == {"known", "g1"}
    assert store.group("known").examples == ()
    assert store.pair("p00001") == store.pair("p00002") == b""
    assert store.pair("p00003") != b""


def test_the_oldest_pairs_go_first_when_there_are_too_many_bytes(store: Diffs):
    store.add_differences([difference(number, found(f"g{number}"), size=100) for number in range(5)])

    store.trim(now=1010.0, keep=1000.0, max_bytes=250)

    assert [bool(store.pair(f"p{number:05}")) for number in range(5)] == [False, False, False, True, True]
    assert len(store.groups(Wanted())) == 5


def test_small_things_are_remembered_by_name(store: Diffs):
    store.note("noise", b"one")
    store.note("noise", b"two")

    assert (store.noted("noise"), store.noted("nothing")) == (b"two", b"")
