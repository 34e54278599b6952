"""A copy never makes a user wait for a session, nor changes its contents."""

from __future__ import annotations

import pytest

from rules.model import Invariant
from tests.support import raw
from tests.support.backend import always, hang, ok
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

SAME = ok(b"same")
COOKIE = "Cookie: lang=en; PHPSESSID=abc"


async def test_legacy_gets_copies_without_a_session_modern_with(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    to_modern = await mirroring(gateway, legacy, modern)
    to_legacy = await mirroring(gateway, legacy, modern, weight=100.0)

    await to_modern.became(raw.get("/1", COOKIE))
    await to_legacy.became(raw.get("/2", COOKIE))

    assert {(request.target, request.field("Cookie")) for request in modern.requests} == {
        ("/1", COOKIE[8:]), ("/2", COOKIE[8:]),
    }  # fmt: skip
    assert {(request.target, request.field("Cookie")) for request in legacy.requests} == {
        ("/1", COOKIE[8:]), ("/2", "lang=en"),
    }  # fmt: skip


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "419 Page Expired", "302 Found"])
async def test_legacy_that_misses_the_session_is_not_compared(gateway: RunningProxy, status: str):
    legacy, modern = await gateway.backend(always(ok(b"", status=status))), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, weight=100.0)

    with_session = await mirror.became(raw.get("/", COOKIE))
    without = await mirror.became(raw.get("/"))

    assert with_session == ("not_compared", "session")
    assert without == ("sent", "status")


@pytest.mark.parametrize(
    ("cookie", "became"),
    [
        ("PHPSESSID=abc", "session"),
        ("uid=7; _ga=1", "session"),
        ("_ga=1", "body"),
        ("lang=en; strangler_id=x.y", "body"),
    ],
)
async def test_what_differs_counts_where_no_session_was_taken_away(gateway: RunningProxy, cookie: str, became: str):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(ok(b"other")))
    mirror = await mirroring(gateway, legacy, modern, weight=100.0, identity=("cookie:uid",))

    assert await mirror.became(raw.get("/", f"Cookie: {cookie}")) == ("sent", became)


@pytest.mark.parametrize("cookie", ["PHPSESSID=abc", "_ga=1"])
async def test_at_weight_0_what_differs_counts_for_everybody(gateway: RunningProxy, cookie: str):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(ok(b"other")))
    mirror = await mirroring(gateway, legacy, modern)

    assert await mirror.became(raw.get("/", f"Cookie: {cookie}")) == ("sent", "body")


async def test_what_is_equal_without_the_session_counts(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, weight=100.0)

    assert await mirror.became(raw.get("/", COOKIE)) == ("equal", "")


async def test_modern_is_sent_alone_to_its_invariants_where_legacy_asks_to_log_in(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok(b"", status="302 Found"))), await gateway.backend(always(SAME))
    rules = {"invariants": (Invariant("sum", "modern:/a == modern:/b"),)}
    mirror = await mirroring(gateway, legacy, modern, weight=100.0, route=rules)

    assert await mirror.became(raw.get("/", COOKIE)) == ("sent", "session")


async def sharing(gateway: RunningProxy, legacy, modern, **settings) -> Mirroring:
    return await mirroring(gateway, legacy, modern, weight=100.0, session="share", **settings)


async def test_a_shared_session_is_used_once_its_user_has_his_answer(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await sharing(gateway, legacy, modern)
    client = await mirror.proxy.client()

    await client.ask(raw.get("/", COOKIE))
    asked_before = len(legacy.requests)
    record = await mirror.record()

    assert asked_before == 0
    assert (record.result, legacy.requests[0].field("Cookie")) == ("equal", COOKIE[8:])


async def test_a_session_has_one_copy_at_a_time_that_goes_when_its_user_is_back(gateway: RunningProxy):
    legacy, modern = await gateway.backend(hang, always(SAME)), await gateway.backend(always(SAME))
    mirror = await sharing(gateway, legacy, modern)
    client = await mirror.proxy.client()
    await client.ask(raw.get("/1", COOKIE))
    await (await legacy.wire()).head()

    await client.ask(raw.get("/2", COOKIE))
    first, second = await mirror.record(0), await mirror.record(1)

    assert first.reason == "session_busy"
    assert await legacy.wires[0].gone()
    assert second.result == "equal"


async def test_no_copy_runs_beside_a_live_request_of_its_session(gateway: RunningProxy):
    legacy = await gateway.backend(always(SAME))
    modern = await gateway.backend(always(SAME), hang)
    mirror = await sharing(gateway, legacy, modern)
    other = await mirror.proxy.client()
    first = await mirror.proxy.client()
    first.send(raw.get("/1", COOKIE))  # takes modern's first connection
    await first.answer()
    await mirror.record()
    asked = len(legacy.requests)
    await other.ask(raw.get("/warm"))
    await until(lambda: len(mirror.records) == 2)
    busy = await mirror.proxy.client()
    # the pool has one idle connection: taken by the request that hangs on a second one
    modern.wires[0].close()
    await until(lambda: not mirror.proxy.server.bound.pools["modern"].targets[0].idle)
    busy.send(raw.get("/hangs", "Cookie: PHPSESSID=abc"))
    await (await modern.wire(1)).head()

    assert asked == 1
    assert mirror.proxy.server.shadows.conflict_tracker.sessions.lend("PHPSESSID=abc", lambda: None) is False
    assert mirror.proxy.server.shadows.conflict_tracker.sessions.lend("PHPSESSID=other", lambda: None) is True
