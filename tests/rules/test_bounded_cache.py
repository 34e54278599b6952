"""A full cache loses its oldest entries, a few at a time."""

from __future__ import annotations

from rules.bounded_cache import EVICTED, evict_oldest


def test_there_is_room_until_it_is_full() -> None:
    """Nothing goes before that."""
    table = {number: str(number) for number in range(99)}

    evict_oldest(table, 100)

    assert len(table) == 99


def test_the_oldest_go_a_few_at_a_time() -> None:
    """What came last stays, also in a table through which many have gone."""
    table: dict[int, str] = {}

    for number in range(10_000):
        evict_oldest(table, 100)
        table[number] = str(number)
        assert 0 < len(table) <= 100

    assert list(table) == list(range(10_000 - len(table), 10_000))
    assert len(table) >= 100 - EVICTED


def test_a_table_smaller_than_a_few_is_emptied() -> None:
    """Its bound holds all the same."""
    table = dict.fromkeys(range(8), "")

    evict_oldest(table, 8)

    assert table == {}
