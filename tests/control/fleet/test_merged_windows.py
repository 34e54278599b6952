"""Windows are packed by one instance and added up by another; no store in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control.fleet import window_exchange
from proxy.control.fleet.merged_windows import MergedWindows
from proxy.control.fleet.window_exchange import WindowPublisher
from proxy.control.route_evidence import NothingJudged, RouteWindows
from proxy.ipc.messages import Outcomes, PairCounts, SideOutcomes
from proxy.storage.fleet import MOST_ROUTES, Share, unpack_share
from rules.guard.window import ComparedTally
from rules.model import Route, Snapshot
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.rollout_rig import BACKENDS, a_route

NOW = 1000


def snapshot(*routes: Route) -> Snapshot:
    return snapshots.snapshot(BACKENDS, routes=routes or (a_route(),))


def seen(second: int, modern: int = 1, *, route: str = "profile", generation: int = 1, waiting: int = 0) -> Outcomes:
    """A second of a worker: so many answers of modern after 10 ms each, so many requests that wait for theirs."""
    waits = ((-20, waiting),) if waiting else ()
    sides = (SideOutcomes(route, "modern", generation, modern, 0, 0, ((-230, modern),), waiting=waits),)
    return Outcomes(second, sides, (PairCounts(route, generation, both_fine=modern),))


class Teller:
    """The publishing part of another instance."""

    def __init__(self, *routes: Route, name: str = "bob") -> None:
        self.snapshot = snapshot(*routes)
        self.clock = Clock(float(NOW))
        self.judged = {route.name for route in self.snapshot.routes}
        self.revision = 0
        self.telling = WindowPublisher(
            name,
            RouteWindows(self.snapshot, 1),
            NothingJudged(),
            revision=lambda _: self.revision,
            is_judged=lambda route: route in self.judged,
            clock=self.clock,
        )

    def shares(self) -> list[Share]:
        """Pack, and return all messages that wait."""
        self.telling.pack(route.name for route in self.snapshot.routes)
        return [unpack_share(told.payload) for told in self.telling.waiting()]

    def share(self, *outcomes: Outcomes) -> Share:
        """The messages of these seconds alone."""
        for each in outcomes:
            self.telling.record_outcomes(each)
        (share,) = self.shares()
        self.telling.through(self.telling.waiting())
        return share


def merged(*routes: Route, revision: int = 0) -> MergedWindows:
    return MergedWindows(snapshot(*routes), 1, lambda _: revision)


def modern(here: MergedWindows, route: str = "profile", now: int = NOW) -> int:
    return here.windows.lately(route, "modern", now).requests


# ── telling ──


def test_what_was_told_is_not_told_again():
    bob = Teller()

    first = bob.share(seen(NOW), seen(NOW + 1))
    second = bob.share(seen(NOW + 2, 5))
    nothing = bob.shares()

    assert [row.modern.requests for share in (first, second) for row in share.routes] == [2, 5]
    assert nothing == []


def test_routes_that_nobody_judges_are_not_told_of():
    bob = Teller(a_route("judged"), a_route("idle"))
    bob.judged = {"judged"}

    share = bob.share(seen(NOW, route="judged"), seen(NOW, route="idle"), seen(NOW, route="gone"))

    assert [row.route for row in share.routes] == ["judged"]


def test_what_does_not_fit_takes_its_turn():
    routes = [a_route(f"r{number}") for number in range(MOST_ROUTES + 5)]
    bob = Teller(*routes)
    for route in routes:
        bob.telling.record_outcomes(seen(NOW, route=route.name))
    first, *_ = bob.shares()
    bob.telling.record_outcomes(seen(NOW + 1, route="r0"))

    second = bob.shares()[1]

    assert [row.route for row in first.routes] == [route.name for route in routes[:MOST_ROUTES]]
    assert [row.route for row in second.routes] == [*(f"r{MOST_ROUTES + number}" for number in range(5)), "r0"]


def test_messages_that_wait_are_bounded_and_grow_old():
    bob = Teller()
    for second in range(window_exchange.MOST_WAITING + 3):
        bob.telling.record_outcomes(seen(NOW + second))
        bob.shares()
        bob.clock.turn(1)

    waiting = bob.telling.waiting()

    assert [told.number for told in waiting] == [4, 5, 6, 7, 8]
    assert [told.ago for told in waiting] == [5, 4, 3, 2, 1]


def test_a_route_that_begins_anew_has_nothing_of_before_to_tell():
    bob = Teller()
    bob.telling.record_outcomes(seen(NOW, 7))
    bob.telling.restart("profile")

    share = bob.share(seen(NOW + 1, 2))

    assert [row.modern.requests for row in share.routes] == [2]


# ── adding up ──


def test_another_instance_counts_in_the_second_it_is_about():
    here = merged()
    here.record_outcomes(seen(NOW, 1))
    here.merge_share(Teller().share(seen(NOW, 10)), 20.0, float(NOW))

    now = modern(here), here.others("profile", NOW)
    later = modern(here, now=NOW + 45), here.others("profile", NOW + 45)

    assert (now, later) == ((11, ("bob",)), (1, ()))


@pytest.mark.parametrize(
    ("theirs", "ago", "why"),
    [
        (a_route(p95=9.0), 0.0, "other rules"),
        (replace(a_route(), line=99), 0.0, None),
        (a_route(), 31.0, "late"),
    ],
)
def test_what_is_not_comparable_is_left_out_and_why(theirs: Route, ago: float, why: str | None):
    here = merged()

    here.merge_share(Teller(theirs).share(seen(NOW, 10)), ago, float(NOW))

    assert modern(here) == (0 if why else 10)
    assert here.left_out("profile", NOW) == ({"bob": why} if why else {})


def test_whoever_does_not_know_of_a_resume_yet_is_left_out_until_it_does():
    here, bob = merged(revision=7), Teller()
    here.restart("profile", 1)
    bob.revision = 6
    here.merge_share(bob.share(seen(NOW, 10)), 0.0, float(NOW))
    before = modern(here), here.left_out("profile", NOW)
    bob.revision = 8
    here.merge_share(bob.share(seen(NOW + 1, 10)), 0.0, NOW + 1.0)

    assert before == (0, {"bob": "does not know yet what is set"})
    assert (modern(here, now=NOW + 1), here.left_out("profile", NOW + 1)) == (10, {})


def test_a_route_whose_rules_change_begins_anew_the_others_go_on():
    here, bob = merged(a_route("a"), a_route("b")), Teller(a_route("a"), a_route("b"))
    here.merge_share(bob.share(seen(NOW, 3, route="a"), seen(NOW, 4, route="b")), 0.0, float(NOW))

    changed = here.apply_snapshot(snapshot(a_route("a"), a_route("b", p95=9.0), a_route("c")), 2)

    assert changed == {"b", "c"}
    assert [modern(here, route) for route in "abc"] == [3, 0, 0]
    assert here.others("b", NOW) == ()


def test_a_route_that_is_not_in_our_file_is_passed_over():
    here = merged(a_route("a"))

    here.merge_share(
        Teller(a_route("x"), a_route("a")).share(seen(NOW, 3, route="x"), seen(NOW, 4, route="a")), 0.0, NOW
    )

    assert modern(here, "a") == 4
    assert (here.others("x", NOW), here.left_out("x", NOW)) == ((), {})


def test_who_waits_is_counted_once_for_each_instance_and_forgotten_soon():
    here = merged()
    here.record_outcomes(seen(NOW, waiting=1))
    for second in (NOW - 1, NOW):
        for name in ("bob", "cem"):
            here.merge_share(Teller(name=name).share(seen(second, waiting=2)), 1.0, float(second))

    waits = [here.evidence("profile", now, ComparedTally()).modern_waiting for now in (NOW, NOW + 3, NOW + 4)]

    assert [sum(each.values()) for each in waits] == [5, 4, 0]
