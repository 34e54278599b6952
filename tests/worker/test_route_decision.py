"""A cached decision is used only where the same one would be made, and is not kept without bound."""

from __future__ import annotations

import pytest

from proxy.http1 import request
from proxy.worker import route_decision
from rules.model import LEGACY, MODERN, Override, Rollout, SidePolicy
from rules.routing.decide import generation, with_overrides
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.proxying import Proxy, RunningProxy
from tests.support.snapshots import route, snapshot

IDENTITY = ("header:X-User", "cookie:uid")
HEAD = raw.get("/", "X-User: 7", "Cookie: uid=8")


async def sides(gateway: RunningProxy, **rollout: object) -> Proxy:
    """A trusted edge at 127.0.0.1, anybody else untrusted; the user 7 is on modern whatever the weight."""
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    chosen = Rollout(**{"weight": 0.0, "by": "user", "salt": "s", "include": ("7",), **rollout})  # type: ignore[arg-type]
    backends = {LEGACY: [legacy.url], MODERN: [modern.url]}
    options = {"routes": [route(rollout=chosen)], "identity": IDENTITY, "trusted": ("127.0.0.1/32",)}
    return await gateway.serve(snapshot(backends, **options))  # type: ignore[arg-type]


async def answers(proxy: Proxy, *heads: bytes, source: str = "127.0.0.1") -> list[bytes]:
    client = await raw.connect(proxy.address, source=(source, 0))
    proxy.gateway.clients.append(client)
    return [(await client.ask(head)).body for head in heads]


async def test_the_same_bytes_of_an_untrusted_peer_are_decided_on_their_own(gateway: RunningProxy):
    proxy = await sides(gateway)

    trusted = await answers(proxy, HEAD, HEAD)
    untrusted = await answers(proxy, HEAD, HEAD, source="127.0.0.2")
    again = await answers(proxy, HEAD)

    assert [*trusted, *untrusted, *again] == [b"modern", b"modern", b"legacy", b"legacy", b"modern"]


async def test_a_rollback_reaches_those_whose_heads_are_remembered(gateway: RunningProxy):
    proxy = await sides(gateway)
    live = proxy.server.live
    before = await answers(proxy, HEAD, HEAD)

    live.swap(with_overrides(live.generation, 2, {"all": Override("all", rolled_back=True)}))
    rolled_back = await answers(proxy, HEAD, HEAD)
    live.swap(with_overrides(live.generation, 3, {}))

    assert before == [b"modern"] * 2
    assert rolled_back == [b"legacy"] * 2
    assert await answers(proxy, HEAD) == [b"modern"]


async def test_a_side_that_is_ill_gets_none_whose_heads_are_remembered(gateway: RunningProxy):
    proxy = await sides(gateway)
    before = await answers(proxy, HEAD, HEAD)

    proxy.server._sweeper.cancel()  # it would find the backend well
    proxy.server.unhealthy = frozenset({MODERN})
    ill = await answers(proxy, HEAD, HEAD)
    proxy.server.unhealthy = frozenset()

    assert before == [b"modern"] * 2
    assert ill == [b"legacy"] * 2
    assert await answers(proxy, HEAD) == [b"modern"]


async def test_each_request_is_drawn_anew_where_the_route_says_so(
    gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch
):
    proxy = await sides(gateway, by="request", weight=50.0, include=())
    draws = iter([0.1, 0.9, 0.1, 0.9])
    monkeypatch.setattr(route_decision, "random", lambda: next(draws))

    assert await answers(proxy, HEAD, HEAD, HEAD, HEAD) == [b"modern", b"legacy", b"modern", b"legacy"]


async def test_what_was_decided_for_one_generation_goes_with_it(gateway: RunningProxy):
    proxy = await sides(gateway)
    live = proxy.server.live
    others = [raw.get(f"/{number}", "X-User: 7", "Cookie: uid=8") for number in range(5)]
    await answers(proxy, HEAD, HEAD, *others, *others)

    live.swap(generation(2, live.generation.snapshot))
    await answers(proxy, HEAD, HEAD)

    fields = request.seen.lately[HEAD[HEAD.index(b"\r\n") :]]
    assert {known[0].number for known in fields.decided.values()} == {2}


async def test_whatever_the_targets_one_decision_for_each_route_is_kept(gateway: RunningProxy):
    proxy = await sides(gateway)
    many = [raw.get(f"/{number}{'x' * 100 * number}", "X-User: 7", "Cookie: uid=8") for number in range(50)]

    found = await answers(proxy, HEAD, *many, HEAD)

    fields = request.seen.lately[HEAD[HEAD.index(b"\r\n") :]]
    assert list(fields.decided) == ["all"]
    assert set(found) == {b"modern"}
    assert all(len(path) <= 256 for path, _ in proxy.server.live.generation.table.known)


async def test_no_more_routes_than_a_few_are_kept_for_a_user(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    routes = [route(f"/{number}", name=f"r{number}", rollout=Rollout(weight=50.0, salt="s")) for number in range(40)]
    proxy = await gateway.serve(
        snapshot({LEGACY: [legacy.url], MODERN: [modern.url]}, routes=routes, identity=("cookie:uid",))
    )
    heads = [raw.get(f"/{number}", "Cookie: uid=8") for number in range(40)]

    first, again = await answers(proxy, *heads), await answers(proxy, *heads)

    fields = request.seen.lately[heads[0][heads[0].index(b"\r\n") :]]
    assert first == again
    assert 0 < len(fields.decided) <= route_decision.REMEMBERED


async def test_what_a_path_captures_is_each_calls_own(gateway: RunningProxy):
    legacy = await gateway.backend(always(ok(b"legacy")))
    modern = await gateway.backend(always(ok(b"modern")))
    renamed = SidePolicy(MODERN, path="/new/{id}/**")
    routes = [route("/old/{id}/**", name="old", modern=renamed, rollout=Rollout(weight=100.0))]
    proxy = await gateway.serve(
        snapshot({LEGACY: [legacy.url], MODERN: [modern.url]}, routes=routes, identity=("cookie:uid",))
    )
    paths = ["/old/1/a", "/old/2/b/c", "/old/2", "/old/1/a"]

    await answers(proxy, *(raw.get(path, "Cookie: uid=8") for path in paths))

    assert [request.target for request in modern.requests] == ["/new/1/a", "/new/2/b/c", "/new/2", "/new/1/a"]


async def test_an_endless_id_is_decided_by_and_not_kept(gateway: RunningProxy):
    proxy = await sides(gateway, weight=50.0)
    heads = [raw.get("/", f"Cookie: uid={number}{'x' * 3000}") for number in range(20)]

    first, second = await answers(proxy, *heads), await answers(proxy, *heads)

    assert first == second
    assert set(first) == {b"legacy", b"modern"}
    assert proxy.server.noted == set()
