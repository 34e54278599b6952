"""The last writes of a route with a lossy rollback are kept, few of them, without secrets."""

from __future__ import annotations

import pytest

from proxy.state.live import Live
from proxy.state.request_outcomes import KEPT, LastWrites, lossy_in, shown
from rules.model import GuardPolicy
from rules.routing.decide import generation
from tests.support import snapshots
from tests.support.exchanges import attempt, exchange

BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}


def wrote(path: str = "/orders/7", *, route: str = "orders", at: float = 100.0, method: str = "PUT"):
    return exchange(attempt("modern", 200), method=method, path=path, route=route, at=at, request_id=f"r{at:g}")


def test_the_first_moment_is_kept_with_the_newest_writes():
    writes = LastWrites(lambda _: True)
    writes.observe_all([wrote(f"/orders/{number}", at=float(number)) for number in range(1, 100)])

    told = writes.news()

    assert told is not None
    (orders,) = told.routes
    assert (orders.route, orders.since, len(orders.last)) == ("orders", 1.0, KEPT)
    assert orders.last[-1] == (99.0, "PUT", "/orders/99", 200, "r99")


def test_nothing_is_told_twice_unless_nobody_heard_it():
    writes = LastWrites(lambda _: True)
    writes.observe_all([wrote()])

    told = writes.news()
    assert told is not None
    silent = writes.news()
    writes.unheard(told)
    again = writes.news()
    writes.resend()

    assert silent is None
    assert again == writes.news() == told


def test_reads_and_routes_that_lose_nothing_are_not_kept():
    writes = LastWrites(lambda route: route == "orders")
    writes.observe_all([wrote(method="GET"), wrote(route="tickets")])

    assert writes.news() is None


def test_a_route_that_is_no_more_is_forgotten():
    writes = LastWrites(lambda _: True)
    writes.observe_all([wrote()])
    writes.keep_only(["tickets"])
    writes.resend()

    assert writes.news() is None


def test_which_routes_lose_writes_is_read_from_the_running_file():
    routes = [
        snapshots.route("/a", name="a", weight=10.0, guard=GuardPolicy(rollback="lossy")),
        snapshots.route("/b", name="b", weight=10.0, guard=GuardPolicy()),
        snapshots.route("/c", name="c", guard=None),
    ]
    is_lossy = lossy_in(Live(generation(1, snapshots.snapshot(BACKENDS, routes=routes))))

    assert [name for name in ("a", "b", "c", "_default", "gone") if is_lossy(name)] == ["a"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/orders/7?token=abc", "/orders/7"),
        ("/orders/550e8400-e29b-41d4-a716-446655440000", "/orders/550e8400-e29b-41d4-a716-446655440000"),
        ("/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("/reset/Zk3bX0aPq9mT7vR2sLw8Yd5uHc1nJe4f", "/reset/********"),
        ("/the-quick-brown-fox-jumps-over-it", "/the-quick-brown-fox-jumps-over-it"),
        ("/" + "x" * 500, "/" + "x" * 199),
    ],
)
def test_a_path_says_which_row_was_written_but_no_secret(path: str, said: str):
    assert shown(path) == said
