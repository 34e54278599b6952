"""A drill sends only reads, or says why it cannot run."""

from __future__ import annotations

import pytest

from proxy.control.drill import FrontDoorProbe, read_of
from proxy.control.errors import RefusedError
from rules.model import Match, Route, ShadowPolicy
from rules.routing.decide import Generation, generation
from tests.support import snapshots
from tests.support.backend import Backend, always, ok

BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}


def one(match: Match, **more: object) -> tuple[Generation, Route]:
    route = snapshots.route(match.path, name="orders", match=match, weight=50.0, **more)
    return generation(1, snapshots.snapshot(BACKENDS, routes=[route])), route


@pytest.mark.parametrize(
    ("methods", "asked"), [((), "GET"), (("GET", "POST"), "GET"), (("HEAD", "POST"), "HEAD"), (("HEAD",), "HEAD")]
)
def test_a_route_that_reads_is_asked_so(methods: tuple[str, ...], asked: str):
    facts = read_of(*one(Match("/orders/{id}", methods=methods)), "")

    assert (facts.method, facts.path) == (asked, "/orders/1")


@pytest.mark.parametrize("shadow", [ShadowPolicy(), ShadowPolicy(sample=1.0, methods=("POST",), writes="dry_run")])
def test_a_route_that_only_writes_is_refused_with_what_would_happen(shadow: ShadowPolicy):
    with pytest.raises(RefusedError) as refused:
        read_of(*one(Match("/orders", methods=("POST", "PUT")), shadow=shadow), "/orders")

    assert refused.value.status == 422
    assert "takes no GET or HEAD, only POST, PUT: once everybody is back, legacy would write" in refused.value.detail


@pytest.mark.parametrize(
    ("match", "path", "why"),
    [
        (Match("~^/v\\d+/orders"), "", "no GET of orders could be made up: name one with path"),
        (Match("~^/v\\d+/orders"), "/other", "orders does not take GET /other"),
        (Match("~^/v\\d+/orders", methods=("HEAD",)), "/other", "orders does not take HEAD /other"),
        (Match("/orders/**"), "/orders/logout", "GET /orders/logout looks as if it changed something"),
    ],
)
def test_what_is_no_plain_read_of_the_route_is_refused(match: Match, path: str, why: str):
    with pytest.raises(RefusedError) as refused:
        read_of(*one(match), path)

    assert (refused.value.status, refused.value.detail) == (422, why)


def test_a_path_that_is_named_is_asked_with_its_query():
    facts = read_of(*one(Match("~^/v\\d+/orders")), "/v2/orders?page=2")

    assert (facts.path, facts.query) == ("/v2/orders", "page=2")


async def test_a_made_up_user_asks_as_the_route_wants_to_be_asked():
    match = Match("/orders", methods=("HEAD",), headers=(("X-Api-Version", "2"),))
    facts = read_of(*one(match), "")
    door = Backend(always(ok(b"")))
    await door.start()

    answer = await FrontDoorProbe(door.url.removeprefix("http://"), tls=False).ask(facts, "mark.7", match.headers)
    await door.stop()

    (request,) = door.requests
    assert answer.status == 200
    assert (request.method, request.target) == ("HEAD", "/orders")
    assert (request.field("x-api-version"), request.field("x-strangler-drill")) == ("2", "mark.7")
