"""Messages between instances are small, are unpacked unchanged, and refused when malformed."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from proxy.ipc.codec import CodecError, to_json
from proxy.state.request_outcomes import unpack as tally_of
from proxy.storage.fleet import (
    FORMAT,
    MOST_ROUTES,
    MOST_STEPS,
    RouteShare,
    Share,
    SideShare,
    coarse,
    compared_of,
    compared_share,
    outcomes_of,
    pack,
    pairs_of,
    side_share,
    sketch,
    unpack_share,
)
from rules.guard.window import ComparedTally, Tally, percentile


def busy(name: str = "profile", answers: int = 500) -> RouteShare:
    """A route whose answers take some 50 ms, twice as long or half as long now and then, some of them mirrored."""
    chance = Random(name)
    sides = []
    for _ in range(2):
        tally = Tally()
        for _ in range(answers):
            tally.count_response(chance.lognormvariate(-3.0, 0.6))
        tally.errors = 3
        sides.append(side_share(tally, {-20: 2}))
    counts, reasons = compared_share(ComparedTally(90, 3, 1, 2, {"shed": 4}, 100))
    return RouteShare(name, "0123456789ab", 7, *sides, (90, 1, 2, 0, 3, 0), counts, reasons)


def test_what_is_packed_comes_back_whole():
    rows = (busy(), RouteShare("quiet", "0123456789ab", 0, modern=SideShare(1)))

    assert unpack_share(pack("ann", rows)) == Share(FORMAT, "ann", rows)


def test_what_was_told_counts_like_what_a_worker_tells():
    share = busy()

    legacy, modern = outcomes_of(share, 5)
    (pairs,) = pairs_of(share, 5)

    assert (legacy.side, modern.side, legacy.generation, pairs.generation) == ("legacy", "modern", 5, 5)
    assert (tally_of(modern).requests, tally_of(modern).errors) == (500, 3)
    assert (pairs.both_fine, pairs.legacy_failed, pairs.rescued) == (90, 2, 3)
    assert compared_of(share) == ComparedTally(90, 3, 1, 2, {"shed": 4}, 100)


@pytest.mark.parametrize("latencies", [{}, {-230: 1}, {-691: 4_000_000_000, 0: 2, 1500: 3}])
def test_a_sketch_is_told_number_by_number(latencies: dict[int, int]):
    tally = Tally()
    tally.latencies = latencies

    assert dict(sketch(side_share(tally, {}).latencies)) == latencies


@pytest.mark.parametrize("text", ["a", "AAAA", "§§§§", "AAAAAAAAAA="])
def test_what_is_no_sketch_is_refused(text: str):
    with pytest.raises(CodecError):
        sketch(text)


def test_nothing_is_told_of_a_side_that_did_nothing():
    share = RouteShare("quiet", "0123456789ab", 0)

    assert (outcomes_of(share, 1), pairs_of(share, 1), compared_of(share)) == ((), (), ComparedTally())


def test_the_busiest_second_of_the_most_routes_is_bounded():
    calm, hurried = ([busy(f"route-{number}", answers) for number in range(MOST_ROUTES)] for answers in (10, 1000))

    sizes = [len(pack("ann", rows)) for rows in (calm[:1], hurried[:1], calm, hurried)]

    print("bytes of one calm, one busy route, of so many of each:", sizes)
    assert sizes[0] < 300
    assert sizes[1] < 1500
    assert sizes[3] < 64 << 10
    assert len(unpack_share(pack("ann", hurried)).routes) == MOST_ROUTES


@pytest.mark.parametrize("answers", [10, 5_000, 100_000])
def test_a_sketch_gets_coarser_never_faster_and_loses_nobody(answers: int):
    tally = Tally()
    for number in range(1, answers + 1):
        tally.count_response(number / 1000)

    told = dict(coarse(tally.latencies))

    assert len(told) <= MOST_STEPS
    assert sum(told.values()) == answers
    before, after = percentile(tally.latencies, 0.95), percentile(told, 0.95)
    assert before is not None
    assert after is not None
    assert before <= after < before * 1.15


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        zlib.compress(b"{}"),
        zlib.compress(b"[1]"),
        pack("ann", [busy()])[:-5],
        zlib.compress(to_json(Share(FORMAT + 1, "ann", ()))),
        pack("ann", [RouteShare("a", "0" * 12, 1, pairs=(1, 2))]),
        pack("ann", [RouteShare("a", "0" * 12, 1, compared=(1, 2))]),
        zlib.compress(b" " * (2 << 20)),
    ],
)
def test_anything_else_is_refused(payload: bytes):
    with pytest.raises(CodecError):
        unpack_share(payload)
