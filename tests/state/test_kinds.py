"""Every kind of request of users is recorded, compared ones apart, in bounded memory."""

from __future__ import annotations

from proxy.state.mirror_outcomes import Pairs
from proxy.telemetry.records import Shadowed
from proxy.telemetry.request_kinds import MOST, Kinds, kind_of
from tests.support.exchanges import attempt, exchange


def noting() -> Pairs:
    pairs = Pairs()
    pairs.mirrored = lambda: frozenset(["profile"])
    return pairs


def equal(path: str, method: str = "GET", status: int = 200, generation: int = 1) -> Shadowed:
    return Shadowed("profile", generation, "modern", "equal", "", (), (False, False), method, path, status)


def test_a_kind_is_method_pattern_and_class_of_status():
    assert kind_of("GET", "/orders/17/lines", 204) == "GET /orders/*/lines 2xx"
    assert kind_of("PURGE", "/orders/2f1c8a52-9a4c-4f1e-8f30-0d1c6a4b7e11", 404) == "other /orders/* 4xx"


def test_what_users_send_and_what_was_compared_is_told_once():
    pairs = noting()
    pairs.observe_all([exchange(path="/orders/1"), exchange(path="/orders/2"), exchange(path="/orders", method="POST")])
    pairs.observe_shadow(equal("/orders/1"))

    (first,) = pairs.drain_counts()
    pairs.observe_all([exchange(path="/orders/3")])
    pairs.observe_shadow(equal("/orders/3"))
    (second,) = pairs.drain_counts()

    assert first.kinds == ("GET /orders/* 2xx", "POST /orders 2xx")
    assert first.kinds_compared == ("GET /orders/* 2xx",)
    assert (second.kinds, second.kinds_compared, second.equal) == ((), (), 1)


def test_routes_that_are_not_mirrored_and_answers_of_our_own_have_no_kinds():
    pairs = noting()

    pairs.observe_all([exchange(route="plain"), exchange(attempt(status=0, kind="connect"), answered="none")])

    assert pairs.drain_counts() == ()


def test_a_listener_who_comes_anew_and_another_generation_are_told_everything_again():
    pairs = noting()
    told = []
    for generation in (1, 1, 2):
        pairs.observe_all([exchange(generation=generation)])
        pairs.observe_shadow(equal("/api/me", generation=generation))
        told += [(each.generation, each.kinds, each.kinds_compared) for each in pairs.drain_counts() if each.kinds]
    pairs.resend()
    pairs.observe_all([exchange(generation=2)])
    told += [(each.generation, each.kinds, each.kinds_compared) for each in pairs.drain_counts()]

    me = ("GET /api/me 2xx",)
    assert told == [(1, me, me), (2, me, me), (2, me, ())]


def test_an_older_generation_does_not_begin_a_newer_one_anew():
    pairs = noting()
    pairs.observe_all([exchange(generation=2)])
    pairs.drain_counts()

    pairs.observe_all([exchange(generation=1), exchange(generation=2)])

    assert pairs.drain_counts() == ()


def test_paths_without_end_end_as_other_the_same_for_both():
    kinds = Kinds()
    for number in range(10 * MOST):
        kinds.saw(f"GET /word{'a' * number} 2xx")
    kinds.saw("DELETE /late 2xx")
    kinds.compare("GET /later 2xx")

    assert len(kinds.seen) == MOST + 2
    assert {"GET other 2xx", "DELETE other 2xx"} <= kinds.seen
    assert "GET other 2xx" not in kinds.never_compared
    assert "DELETE other 2xx" in kinds.never_compared
