"""Makes room in a cache that is full, without holding up whoever waits.

A cache that is emptied as a whole frees all its entries at once: 4 ms for 8,000 request lines, in which every user of
the worker waits. Here a few of the oldest go, first in, first out: reading touches nothing, and what is used all the
time comes back with its next use.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, TypeVar

EVICTED: Final = 64
"""Entries that go together: finding the oldest one passes over the places of those that went before it."""

Key = TypeVar("Key")
Value = TypeVar("Value")


def evict_oldest(table: dict[Key, Value], at_most: int) -> None:
    """Take the oldest EVICTED entries out of `table` if it has `at_most` or more."""
    if len(table) >= at_most:
        for key in list(islice(table, EVICTED)):
            del table[key]
