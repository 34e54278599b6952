"""A read beside a write of the same user or resource is sent as such: it can be equal, not different."""

from __future__ import annotations

import pytest

from proxy.ipc.messages import AgainFailed
from proxy.worker.shadow.conflicts import APART
from tests.support import raw
from tests.support.backend import Backend, Wire, always, hang, ok
from tests.support.clock import Clock
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy

CLOCK = 1000.0
MINE, OTHERS = "Cookie: uid=1", "Cookie: uid=2"


async def two_sides(gateway: RunningProxy, clock: Clock) -> Mirroring:
    """Sides that always differ, a user known by a cookie."""
    legacy, modern = await gateway.backend(always(ok(b"one"))), await gateway.backend(always(ok(b"two")))
    return await mirroring(gateway, legacy, modern, clock=clock, identity=["cookie:uid"])


@pytest.mark.parametrize(
    ("written", "writer", "read", "raced"),
    [
        ("/elsewhere", MINE, "/orders", True),
        ("/elsewhere", OTHERS, "/orders", False),
        ("/orders/17/pay", OTHERS, "/orders/17", True),
        ("/orders/17/pay", OTHERS, "/orders/17/lines", True),
        ("/orders/17/pay", OTHERS, "/orders", False),
        ("/orders/17/pay", OTHERS, "/orders/18", False),
        ("/orders/17/pay", OTHERS, "/orders/17?page=2", True),
        ("/orders", OTHERS, "/orders", False),
        ("/orders", MINE, "/orders", True),
        ("/me", OTHERS, "/me", False),
        ("/tickets/printer-on-fire/messages", OTHERS, "/tickets/printer-on-fire", True),
        ("/tickets/printer-on-fire/messages/5", OTHERS, "/tickets/printer-on-fire", True),
        ("/tickets/printer-on-fire/messages/5", OTHERS, "/tickets/printer-on-fire/messages/6", False),
        ("/tickets/printer-on-fire", OTHERS, "/tickets/printer-off", False),
        ("/admin/orders/17", OTHERS, "/api/orders/17", True),
        (
            "/users/0190163d-8694-739b-aea5-966c26f8ad91/name",
            OTHERS,
            "/users/0190163d-8694-739b-aea5-966c26f8ad91",
            True,
        ),
    ],
)
async def test_a_read_after_a_write_is_raced_for_whom_and_what_it_concerns(
    gateway: RunningProxy, written: str, writer: str, read: str, raced: bool
):
    mirror = await two_sides(gateway, Clock())
    await mirror.proxy.ask(raw.post(b"", writer, target=written))

    became = await mirror.became(raw.get(read, MINE))

    assert became == ("sent", "raced" if raced else "body")


@pytest.mark.parametrize("body", [b'{"ticket_id": "printer-on-fire"}', b"a=b&ticket_id=printer-on-fire"])
async def test_a_body_may_name_what_is_written(gateway: RunningProxy, body: bytes):
    mirror = await two_sides(gateway, Clock())
    await mirror.proxy.ask(raw.post(body, OTHERS, target="/comments"))

    assert await mirror.became(raw.get("/tickets/printer-on-fire", MINE)) == ("sent", "raced")
    assert await mirror.became(raw.get("/tickets/another-one", MINE)) == ("sent", "body")


@pytest.mark.parametrize(("seconds", "why"), [(APART - 0.1, "raced"), (APART + 0.1, "body")])
async def test_a_write_is_near_for_two_seconds(gateway: RunningProxy, seconds: float, why: str):
    clock = Clock()
    mirror = await two_sides(gateway, clock)
    await mirror.proxy.ask(raw.post(b"", MINE))
    await mirror.proxy.quiet()

    clock.turn(seconds)
    became = await mirror.became(raw.get("/other", MINE))

    assert became == ("sent", why)


async def test_a_write_that_is_still_under_way_is_near(gateway: RunningProxy):
    async def slow_writes(wire: Wire) -> None:
        request = await wire.request()
        if request.method == "POST":
            await hang(wire)
        wire.send(ok(b"one"))
        await wire.gone()

    legacy, modern = await gateway.backend(slow_writes), await gateway.backend(always(ok(b"two")))
    mirror = await mirroring(gateway, legacy, modern)
    writer = await mirror.proxy.client()
    writer.send(raw.post(b"", target="/orders/7"))
    await (await legacy.wire()).seen(b"\r\n\r\n")

    assert await mirror.became(raw.get("/orders/7")) == ("sent", "raced")


async def test_equal_answers_beside_a_write_are_equal(gateway: RunningProxy):
    same = always(ok(b"same"))
    mirror = await mirroring(gateway, await gateway.backend(same), await gateway.backend(same))
    await mirror.proxy.ask(raw.post(b"", target="/orders/7"))

    assert await mirror.became(raw.get("/orders/7")) == ("equal", "")


async def test_a_user_without_an_identity_is_known_by_session_or_token(gateway: RunningProxy):
    legacy: Backend = await gateway.backend(always(ok(b"one")))
    mirror = await mirroring(gateway, legacy, await gateway.backend(always(ok(b"two"))))
    await mirror.proxy.ask(raw.post(b"", "Cookie: _ga=9; PHPSESSID=abc", target="/a"))
    await mirror.proxy.ask(raw.post(b"", "Authorization: Bearer x", target="/b"))

    same_session = await mirror.became(raw.get("/c", "Cookie: PHPSESSID=abc; _ga=10"))
    same_token = await mirror.became(raw.get("/c", "Authorization: Bearer x"))
    nobody = await mirror.became(raw.get("/c"))

    assert (same_session[1], same_token[1], nobody[1]) == ("raced", "raced", "body")


async def test_a_read_with_effects_counts_as_a_write(gateway: RunningProxy):
    mirror = await two_sides(gateway, Clock())
    await mirror.proxy.ask(raw.get("/logout", MINE))

    assert await mirror.became(raw.get("/me", MINE)) == ("sent", "raced")


async def test_one_that_nobody_takes_is_transient_like_one_that_differs(gateway: RunningProxy):
    mirror = await two_sides(gateway, Clock())
    mirror.listens = False
    await mirror.proxy.ask(raw.post(b"", MINE))

    assert await mirror.became(raw.get("/me", MINE)) == ("transient", "")


async def test_one_that_differs_is_not_asked_again(gateway: RunningProxy):
    mirror = await two_sides(gateway, Clock())
    await mirror.proxy.ask(raw.post(b"", MINE))
    await mirror.became(raw.get("/me", MINE))
    (pair,) = mirror.pairs

    mirror.proxy.server.shadows.rechecks.again(pair.id)

    assert mirror.sent[-1] == AgainFailed(pair.id, "gone")
