"""Only requests that can be repeated without harm are mirrored."""

from __future__ import annotations

import pytest

from proxy.worker.shadow import route_state
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy


@pytest.mark.parametrize(
    "request_bytes",
    [
        raw.post(b"a=1"),
        raw.get(method="DELETE"),
        raw.get(method="OPTIONS"),
        raw.get(method="PROPFIND"),
        raw.get("/", "Range: bytes=0-1"),
        raw.get("/", "Upgrade: websocket", "Connection: upgrade"),
        raw.get("/", "Accept: text/event-stream"),
        raw.get("/", "X-HTTP-Method-Override: DELETE"),
        raw.get("/", "X-Method-Override: DELETE"),
        raw.get("/", "Content-Length: 3") + b"abc",
        raw.get("/", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        raw.get("/logout"),
        raw.get("/invoice/3/export-job"),
        raw.get("/x?token=abc"),
        raw.get("/x?code=a&state=b"),
        raw.get("/x?_method=DELETE"),
        raw.get("/secret/7"),
    ],
)
async def test_what_may_have_effects_or_no_end_is_never_mirrored(gateway: RunningProxy, request_bytes: bytes):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern, deny=("~^/secret",))

    await mirror.proxy.ask(request_bytes)
    await mirror.became(raw.get("/plain"))

    assert [request.target for request in modern.requests] == ["/plain"]
    assert len(mirror.records) == 1


async def test_an_empty_body_is_none(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern)

    assert await mirror.became(raw.get("/", "Content-Length: 0")) == ("equal", "")


async def test_a_route_without_a_sample_is_left_alone(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern, sample=0.0)

    await mirror.ask()

    assert mirror.proxy.server.shadows.active is False
    assert modern.wires == []


async def test_the_same_users_are_in_the_sample_each_time(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern, sample=0.5, identity=["cookie:uid"])
    mirror.route.floor.first = 0
    await mirror.ask()  # the floor's
    await mirror.record()

    rounds = [[await mirror.became(raw.get("/", f"Cookie: uid={uid}")) for uid in range(30)] for _ in range(2)]

    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {("equal", ""), ("not_compared", "sample")}


async def test_a_new_route_is_mirrored_whatever_its_sample_until_it_is_known(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern, sample=1e-9)
    mirror.route.floor.first = 3

    became = [(await mirror.became(raw.get()))[1] for _ in range(5)]

    assert became == ["", "", "", "sample", "sample"]


def test_a_rare_route_is_mirrored_now_and_then_whatever_its_sample():
    floor = route_state.MinimumSample()
    for _ in range(route_state.FIRST):
        floor.took(1000.0)

    wanted = [floor.wants(1000.0 + seconds) for seconds in (1.0, route_state.AT_LEAST_EVERY + 1.0)]

    assert wanted == [False, True]
