"""Users whose identity a decision needed are noted, for the plan of a later file; no others."""

from __future__ import annotations

from proxy.state.identity_keys import Keys
from proxy.state.live import Live
from proxy.telemetry.records import Observers
from proxy.worker.server import Server
from rules.model import Rollout
from rules.routing.decide import generation
from tests.support import raw, snapshots
from tests.support.backend import always, ok
from tests.support.proxying import Proxy, RunningProxy, listen_on, urls

ROUTES = (
    snapshots.route("/asked", name="asked", rollout=Rollout(weight=50.0, salt="asked")),
    snapshots.route("/idle", name="idle", rollout=Rollout(weight=0.0, salt="idle")),
)


async def test_users_are_noted_with_the_route_that_asked_for_them(gateway: RunningProxy):
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, backend, routes=ROUTES, identity=["cookie:uid"])

    for path in ("/asked", "/asked", "/idle", "/elsewhere"):
        await proxy.ask(raw.get(path, "Cookie: uid=42"))
    await proxy.ask(raw.get("/asked"))

    assert proxy.server.noted == {("asked", "42")}


async def test_somebody_new_is_noted_only_once_they_come_back(gateway: RunningProxy):
    backend = await gateway.backend(always(ok()))
    sides = {"legacy": urls(backend), "modern": urls(backend)}
    chosen = snapshots.snapshot(sides, routes=ROUTES, identity=["sticky"])
    server = Server(Live(generation(1, chosen)), Observers(), keys=Keys(sticky=b"key"))
    listening, address = listen_on("")
    proxy = Proxy(gateway, server, listening, address)
    await server.start(listening.dup())
    gateway.proxies.append(proxy)

    first = await proxy.ask(raw.get("/asked"))
    after_first = set(server.noted)
    cookie = (first.field("Set-Cookie") or "").partition(";")[0]
    await proxy.ask(raw.get("/asked", f"Cookie: {cookie}"))

    assert after_first == set()
    assert server.noted == {("asked", cookie.partition("=")[2].partition(".")[0])}
