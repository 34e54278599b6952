"""A worker collects what is referred to in cycles when nobody waits for it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from proxy.worker import garbage


class Clock:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def old_garbage() -> weakref.ref[Ring]:
    """Return what tells whether a cycle is still there that has survived as long as there are generations."""
    ring = Ring()
    there = weakref.ref(ring)
    for _ in range(3):
        gc.collect()
    return there


def test_what_was_loaded_is_left_out_and_old_objects_wait_for_a_quiet_moment() -> None:
    """A thousand caches' worth of objects that stay lead to no look at everything."""
    garbage.set_up()
    looked_at_everything = gc.get_stats()[2]["collections"]

    kept = [[number] for number in range(200_000)]

    assert len(kept) == 200_000
    assert gc.get_freeze_count() > 1000
    assert gc.get_stats()[2]["collections"] == looked_at_everything
    assert gc.get_stats()[0]["collections"] > 0


def test_new_cycles_go_at_once() -> None:
    """An error and its traceback do not stay until the next quiet moment."""
    garbage.set_up()
    there = weakref.ref(Ring())

    kept = [[number] for number in range(10 * garbage.YOUNG)]

    assert kept
    assert there() is None


@pytest.mark.parametrize(
    ("seconds", "in_flight", "collects"),
    [
        (garbage.EVERY - 1, 0, False),
        (garbage.EVERY, 0, True),
        (garbage.EVERY, 1, False),
        (garbage.AT_THE_LATEST - 1, 1, False),
        (garbage.AT_THE_LATEST, 1, True),
    ],
)
def test_everything_is_looked_at_when_nobody_waits(seconds: float, in_flight: int, collects: bool) -> None:
    """In ten minutes where there is such a moment, in an hour where there is none; then the time begins anew."""
    garbage.set_up()
    clock = Clock()
    collections = garbage.FullCollections(lambda: in_flight, clock)
    there = old_garbage()
    clock.now = seconds

    assert collections.collect_if_due() is collects
    assert (there() is None) is collects
    assert collections.collect_if_due() is False
