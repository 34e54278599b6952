"""A sketch is fair, whatever the order of its users and wherever they were seen."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.user_sketch import CAPACITY, REMEMBERED, Sample, Sketch, merged

USERS = st.lists(st.tuples(st.text(max_size=8), st.floats(0, 1000)), max_size=60)
CAPACITIES = st.integers(1, 20)


def sketch_of(*seen: tuple[str, float], capacity: int = CAPACITY, key: bytes = b"k") -> Sketch:
    sketch = Sketch(key, capacity)
    for user, now in seen:
        sketch.add_user(user, now)
    return sketch


def crowd(size: int, now: float = 0.0, start: int = 0) -> list[tuple[str, float]]:
    return [(f"user {number}", now) for number in range(start, start + size)]


def kept(sketch: Sketch) -> tuple[Sample, list[float | None]]:
    sample = sketch.sample()
    return sample, [sketch.last_seen(user) for user in sample.users]


@given(USERS, CAPACITIES, st.randoms(use_true_random=False))
def test_the_order_in_which_users_come_does_not_matter(seen: list, capacity: int, order):
    shuffled = order.sample(seen, len(seen))

    assert kept(sketch_of(*seen, capacity=capacity))[0] == kept(sketch_of(*shuffled, capacity=capacity))[0]


@given(USERS, USERS, CAPACITIES)
def test_merging_is_having_seen_both(one: list, other: list, capacity: int):
    merging = sketch_of(*one, capacity=capacity)
    merging.merge(sketch_of(*other, capacity=capacity))

    assert merging.sample() == sketch_of(*one, *other, capacity=capacity).sample()


@given(USERS, USERS)
def test_a_user_seen_in_two_places_was_seen_when_seen_last(one: list, other: list):
    both = merged([sketch_of(*one), sketch_of(*other)], b"k")

    assert {user: both.last_seen(user) for user, _ in (*one, *other)} == {
        user: max(now for each, now in (*one, *other) if each == user) for user, _ in (*one, *other)
    }


@given(st.sets(st.text(), max_size=50))
def test_few_users_are_counted_exactly(users: set[str]):
    sample = sketch_of(*((user, 0.0) for user in users)).sample()

    assert (set(sample.users), sample.estimated) == (users, len(users))


@settings(max_examples=8, deadline=None)
@given(st.binary(min_size=8, max_size=64), st.sampled_from([3_000, 20_000]))
def test_many_users_are_estimated_within_the_stated_error(key: bytes, size: int):
    sample = sketch_of(*crowd(size), key=key).sample()

    assert len(sample.users) == CAPACITY
    assert sample.estimated == pytest.approx(size, rel=0.13)


def test_the_usual_error_is_the_stated_one():
    squares = [(sketch_of(*crowd(5000), key=bytes([key] * 8)).sample().estimated / 5000 - 1) ** 2 for key in range(25)]

    assert (sum(squares) / len(squares)) ** 0.5 == pytest.approx(0.032, abs=0.016)


def test_the_sample_is_even_whoever_came_first_and_whoever_comes_all_the_time():
    sketch = sketch_of(*crowd(4000), *crowd(100) * 20)

    early = sum(int(user.split()[1]) < 2000 for user in sketch.sample().users)
    assert early == pytest.approx(CAPACITY / 2, rel=0.15)


def test_another_key_picks_other_users():
    picked = [set(sketch_of(*crowd(200), key=key, capacity=20).sample().users) for key in (b"one", b"two")]

    assert len(picked[0] & picked[1]) < 10


def test_who_is_not_seen_for_an_hour_is_forgotten():
    sketch = sketch_of(*crowd(10), *crowd(5, now=1800.0))

    sketch.forget(REMEMBERED)
    assert sketch.sample().estimated == 10
    sketch.forget(REMEMBERED + 1)
    assert sketch.sample() == sketch_of(*crowd(5)).sample()
    sketch.forget(1800 + REMEMBERED + 1)
    assert sketch.sample() == Sample()


def test_after_a_rush_the_estimate_stays_true_and_the_sample_fills_again():
    """20000 users once, then 500 who come every minute."""
    sketch = sketch_of(*crowd(20_000), capacity=100)
    estimates = []
    for minute in count(1):
        now = minute * 60.0
        for user, _ in crowd(500, start=50_000):
            sketch.add_user(user, now)
        sketch.forget(now)
        if now > REMEMBERED:
            estimates.append(sketch.sample().estimated)
        if now > 9 * REMEMBERED:
            break

    assert len(sketch) > 50
    assert estimates[-1] == pytest.approx(500, rel=0.4)
    assert all(estimate < 2500 for estimate in estimates)


def test_users_known_to_be_missing_above_a_bound_are_estimated():
    sketch = sketch_of(*crowd(1000))

    sketch.limit(sketch.bound // 4)

    assert len(sketch) == pytest.approx(250, rel=0.3)
    assert sketch.sample().estimated == pytest.approx(1000, rel=0.3)


def test_a_smaller_sketch_keeps_what_a_small_one_would_have_kept():
    sketch = sketch_of(*crowd(300))

    sketch.resize(50)

    assert sketch.sample() == sketch_of(*crowd(300), capacity=50).sample()


def test_an_id_that_is_no_text_is_a_user_like_others():
    assert sketch_of(("\ud800", 0.0)).sample() == Sample(("\ud800",), 1)
