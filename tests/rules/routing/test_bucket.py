from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rules
from rules.routing.bucketing import BUCKETS, SCHEMES, admits, bucket

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "hashvectors.json").read_text())["vectors"]
SALTS = {"launchdarkly": "new-backend.s4lt"}
TEN_PERCENT = {
    "js32": "js32_in_10pct",
    "launchdarkly": "in_10pct",
    "unleash": "in_10pct",
    "growthbook": "in_10pct_v2",
    "flagd": "in_10pct",
    "optimizely": "in_10pct",
    "nginx": "in_10pct",
}


POINTS: dict[str, Callable[[dict[str, Any]], float]] = {
    "sha256": lambda vector: vector["sha256"],
    "js32": lambda vector: vector["js32_abs_mod100"] / 100,
    "launchdarkly": lambda vector: vector["launchdarkly"]["bucket"],
    "unleash": lambda vector: (vector["unleash"]["normalized"] - 1) / 100,
    "growthbook": lambda vector: vector["growthbook"]["v2"],
    "flagd": lambda vector: vector["flagd"]["bucket_hp_100000"] / 100_000,
    "optimizely": lambda vector: vector["optimizely"]["bucket10000"] / 10_000,
    "nginx": lambda vector: vector["nginx_split_clients"]["murmur2"] / 2**32,
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_user_stands_where_the_published_vector_says(vector: dict[str, Any], scheme: str) -> None:
    point = bucket(SALTS.get(scheme, "new-backend"), vector["id"], scheme)

    assert point == POINTS[scheme](vector)


@pytest.mark.parametrize("scheme", TEN_PERCENT)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_user_is_among_ten_percent_when_the_vector_says_so(vector: dict[str, Any], scheme: str) -> None:
    where = {"js32": None, "nginx": "nginx_split_clients"}.get(scheme, scheme)
    expected = (vector[where] if where else vector)[TEN_PERCENT[scheme]]

    point = bucket(SALTS.get(scheme, "new-backend"), vector["id"], scheme)

    assert admits(point, 10, scheme) is expected


@pytest.mark.parametrize("scheme", ["js32", "nginx"])
def test_schemes_without_a_salt_ignore_it(scheme: str) -> None:
    assert bucket("one", "alice", scheme) == bucket("two", "alice", scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("point", [0.0, 0.5, 0.99999, 1.0 - 2.0**-53])
def test_nobody_is_in_at_0_and_everybody_at_100(scheme: str, point: float) -> None:
    assert not admits(point, 0, scheme)
    assert admits(point, 100, scheme)


@pytest.mark.parametrize("scheme", BUCKETS)
def test_every_bucket_of_a_whole_number_scheme_is_told_from_its_neighbours(scheme: str) -> None:
    count = BUCKETS[scheme]
    edge_is_in = scheme in {"unleash", "growthbook"}
    shift = 1 if scheme == "unleash" else 0

    for number in range(0, count, max(1, count // 1000)):
        weight = round((number + shift) / count * 100, 2)
        if 0 < weight < 100 and weight * count / 100 == number + shift:
            assert admits(number / count, weight, scheme) is edge_is_in


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="no hash scheme 'md5'"):
        bucket("a", "b", "md5")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_text_has_a_place(scheme: str) -> None:
    for user in ("", "é", "日本", "😀", "\ud800", "\udcff", "a" * 5000):
        assert 0.0 <= bucket("salt", user, scheme) < 1.0


def test_the_package_offers_it_by_name() -> None:
    assert rules.bucket("account", "42") == bucket("account", "42", "sha256")
