"""A mirrored request is sent to both sides; a difference goes to control as the client would get it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from proxy.ipc.judge_messages import Case
from proxy.ipc.messages import Answer
from proxy.ipc.pair_frames import PairInbox, pack_pair
from proxy.judge.opinion import Opinions
from proxy.judge.policies import RouteRules, Rules
from proxy.worker.shadow.pair_sender import BYTES_PER_SECOND
from rules.model import CookieEdit, Invariant, SidePolicy
from tests.support import raw
from tests.support.backend import always, chunks, ok
from tests.support.clock import Clock
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy


async def sides(gateway: RunningProxy, legacy: bytes, modern: bytes, **settings: Any) -> Mirroring:
    """A mirror between two sides that always say the same."""
    return await mirroring(
        gateway, await gateway.backend(always(legacy)), await gateway.backend(always(modern)), **settings
    )


async def test_equal_answers_are_counted_nothing_is_sent(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"same", "Server: one"), ok(b"same", "Server: other"))

    answer = await mirror.ask("/a?b=1")
    record = await mirror.record()

    assert answer.body == b"same"
    assert (record.result, record.reason, record.failures) == ("equal", "", (False, False))
    assert [request.target for request in mirror.proxy.gateway.backends[1].requests] == ["/a?b=1"]
    assert mirror.sent == []


async def test_answers_framed_in_another_way_are_equal(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"same same"), chunks(b"same ", b"same"))

    assert await mirror.became(raw.get()) == ("equal", "")


async def test_different_answers_go_to_control_with_both_sides_whole(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"one", "X-A: 1"), ok(b"two", "X-A: 2"))

    became = await mirror.became(raw.get("/a?b=1"))

    (pair,) = mirror.pairs
    assert became == ("sent", "body")
    assert (pair.method, pair.path, pair.query, pair.live_side, pair.again) == ("GET", "/a", "b=1", "legacy", 0)
    assert (pair.legacy.body, pair.modern.body) == (b"one", b"two")
    assert ("X-A", "1") in pair.legacy.headers
    assert ("X-A", "2") in pair.modern.headers
    assert Answer() not in (pair.legacy, pair.modern)


@pytest.mark.parametrize(
    ("legacy", "modern", "reason"),
    [
        (ok(status="200 OK"), ok(status="201 Created"), "status"),
        (ok(b"", "Content-Type: text/html; charset=a"), ok(b"", "Content-Type: text/html;charset=b"), "headers"),
        (ok(b"", "Content-Type: text/html"), ok(b"", 'Content-Type: Text/HTML; charset="UTF-8"'), ""),
        (ok(b"", "Content-Type: text/html; charset=a; x=1"), ok(b"", "Content-Type: text/html;Charset=A"), ""),
        (ok(b"", "Content-Type: text/html"), ok(b"", "Content-Type: application/json"), "headers"),
        (ok(b"", "Location: /a", status="302 Found"), ok(b"", "Location: /b", status="302 Found"), "headers"),
        (ok(b"", "Set-Cookie: a=1; HttpOnly"), ok(b"", "Set-Cookie: a=2; httponly"), ""),
        (ok(b"", "Set-Cookie: a=1; HttpOnly"), ok(b"", "Set-Cookie: a=1"), "headers"),
        (ok(b"", "X-Total-Count: 3"), ok(b"", "X-Total-Count: 4"), "headers"),
        (ok(b"", "ETag: 3"), ok(b"", "ETag: 4"), ""),
        (ok(b"x", "Content-Encoding: gzip"), ok(b"x"), "headers"),
    ],
)
async def test_status_compared_fields_and_bytes_decide_what_is_equal(
    gateway: RunningProxy, legacy: bytes, modern: bytes, reason: str
):
    mirror = await sides(gateway, legacy, modern, route={"compare": {"headers": ["x-total-count"]}})

    assert await mirror.became(raw.get()) == ("sent" if reason else "equal", reason)


async def test_a_route_with_invariants_sends_equal_answers_too(gateway: RunningProxy):
    rule = Invariant("total", "/total >= 0")
    mirror = await sides(gateway, ok(b"{}"), ok(b"{}"), route={"invariants": (rule,)})

    assert await mirror.became(raw.get()) == ("sent", "invariants")


async def test_modern_is_mirrored_to_legacy_once_it_is_live(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"old"), ok(b"new"), weight=100.0)

    answer = await mirror.ask("/a")
    record = await mirror.record()

    (pair,) = mirror.pairs
    assert answer.body == b"new"
    assert (record.side, pair.live_side) == ("legacy", "modern")
    assert (pair.legacy.body, pair.modern.body) == (b"old", b"new")


@pytest.mark.parametrize("weight", [0.0, 100.0])
async def test_both_answers_are_compared_as_the_client_would_get_them(gateway: RunningProxy, weight: float):
    legacy = await gateway.backend(always(ok(b'{"a":1}', "Content-Type: application/json")))
    modern = await gateway.backend(
        always(
            lambda _: ok(
                b'{"data":{"a":1}}',
                "Content-Type: application/json",
                f"Location: http://127.0.0.1:{modern.port}/x",
                "Set-Cookie: s=1; Path=/api",
                status="201 Created",
            )
        )
    )
    words = SidePolicy(
        "modern",
        path="/v2/thing",
        response_json="data",
        status=((201, 200),),
        rewrite_location=True,
        cookies=CookieEdit(path="/"),
    )
    mirror = await mirroring(gateway, legacy, modern, weight=weight, route={"modern": words})

    await mirror.became(raw.get("/thing"))

    (pair,) = mirror.pairs
    assert [request.target for request in modern.requests] == ["/v2/thing"]
    assert [request.target for request in legacy.requests] == ["/thing"]
    assert (pair.modern.status, pair.modern.body) == (200, b'{"a":1}')
    assert ("Location", "http://example.test/x") in pair.modern.headers
    assert ("Set-Cookie", "s=1; Path=/") in pair.modern.headers


async def test_head_is_mirrored_without_a_body(gateway: RunningProxy):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    mirror = await sides(gateway, head, head)

    assert await mirror.became(raw.get(method="HEAD"), "HEAD") == ("equal", "")
    assert [request.method for request in mirror.proxy.gateway.backends[1].requests] == ["HEAD"]


async def test_the_user_travels_as_a_keyed_hash(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"one"), ok(b"two"), identity=["cookie:uid"])

    for uid in ("42", "42", "43"):
        await mirror.became(raw.get("/", f"Cookie: uid={uid}"))

    first, second, other = (pair.user for pair in mirror.pairs)
    assert first == second != other
    assert "42" not in first


async def test_a_pair_that_nobody_takes_is_not_compared(gateway: RunningProxy):
    mirror = await sides(gateway, ok(b"one"), ok(b"two"))
    mirror.listens = False

    assert await mirror.became(raw.get()) == ("not_compared", "shed")


async def test_a_storm_of_large_differences_is_cut_to_what_control_can_bear(gateway: RunningProxy):
    clock = Clock()
    body = bytes(BYTES_PER_SECOND // 5)
    mirror = await sides(gateway, ok(body + b"1"), ok(body + b"2"), clock=clock, max_body=0)

    became = [(await mirror.became(raw.get()))[1] for _ in range(4)]
    clock.turn(1.0)
    later = await mirror.became(raw.get())

    assert became == ["body", "body", "shed", "shed"]
    assert later == ("sent", "body")


async def test_after_means_once_the_live_answer_is_whole(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok(b"same"))), await gateway.backend(always(ok(b"same")))
    mirror = await mirroring(gateway, legacy, modern, when="after")
    client = await mirror.proxy.client()

    await client.ask(raw.get())
    asked_before = len(modern.requests)
    record = await mirror.record()

    assert asked_before == 0
    assert (record.result, len(modern.requests)) == ("equal", 1)


@pytest.mark.parametrize("validator", ['If-None-Match: "a"', "If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT"])
async def test_an_answer_that_only_one_side_may_leave_out_is_not_compared(gateway: RunningProxy, validator: str):
    mirror = await sides(gateway, b"HTTP/1.1 304 Not Modified\r\n\r\n", ok(b"all of it"))

    assert await mirror.became(raw.get("/", validator)) == ("not_compared", "conditional")


def at(seconds: float) -> bytes:
    """An answer that shows the clock of its backend, so many seconds off, and has no `Date`."""
    return ok(b'{"now":%d}' % (time.time() + seconds), "Content-Type: application/json")


@pytest.mark.parametrize(
    ("legacy", "modern", "verdict"), [(-2, 2, "equal"), (0, 3600, "different"), (-3600, 0, "different")]
)
async def test_a_clock_is_known_by_when_its_answer_was_received(
    gateway: RunningProxy, legacy: float, modern: float, verdict: str
):
    mirror = await sides(gateway, at(legacy), at(modern), route={"compare": {"preset": "php"}})

    await mirror.became(raw.get("/a"))

    inbox = PairInbox()
    inbox.feed(pack_pair(mirror.pairs[0]))
    (pair,) = iter(inbox.next_pair, None)
    opinion = Opinions(Rules({pair.route: RouteRules({"preset": "php"}, ())}, "2026-11-21", key="k")).on(Case(1, pair))
    assert opinion.verdict == verdict
    assert opinion.forgiven == ((("clock", 1),) if verdict == "equal" else ())
