"""Laws of buckets: they lie in [0, 1), raising a weight only adds users, a share is a share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules
from rules.routing.bucketing import SCHEMES, admits, bucket
from tests.rules.asking import facts, generation, route

users = st.text(min_size=1, max_size=40)
weights = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


@given(salt=st.text(max_size=20), user=users, scheme=st.sampled_from(SCHEMES))
def test_a_point_lies_in_the_half_open_unit(salt: str, user: str, scheme: str) -> None:
    assert 0.0 <= bucket(salt, user, scheme) < 1.0
    assert bucket(salt, user, scheme) == bucket(salt, user, scheme)


@given(user=users, scheme=st.sampled_from(SCHEMES), pair=st.tuples(weights, weights))
def test_raising_a_weight_only_adds_users(user: str, scheme: str, pair: tuple[float, float]) -> None:
    low, high = sorted(pair)
    point = bucket("salt", user, scheme)

    assert admits(point, low, scheme) <= admits(point, high, scheme)


@given(user=users, scheme=st.sampled_from(SCHEMES), pair=st.tuples(weights, weights))
def test_a_user_who_was_moved_stays_moved(user: str, scheme: str, pair: tuple[float, float]) -> None:
    sides = [
        rules.decide(generation(route(rollout={"weight": weight, "hash": scheme})), facts(user=user), 0.5).side
        for weight in sorted(pair)
    ]

    assert sides != ["modern", "legacy"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("weight", [1, 10, 50, 99])
def test_a_weight_is_the_share_it_says(scheme: str, weight: float) -> None:
    count = 10_000
    inside = sum(
        admits(bucket("share", f"user-{number}@example.com", scheme), weight, scheme) for number in range(count)
    )

    assert abs(inside / count - weight / 100) < 0.02


def test_routes_draw_independently_of_one_another() -> None:
    names = [f"user-{number}" for number in range(20_000)]
    first = {name for name in names if bucket("one", name) < 0.1}
    second = {name for name in names if bucket("two", name) < 0.1}

    assert 120 < len(first & second) < 280
