"""After the cut-over a route's invariants are still checked, on modern's response alone."""

from __future__ import annotations

from proxy.ipc.messages import Answer
from proxy.worker.shadow.route_state import ALONE_PER_SECOND
from rules.model import Invariant
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.clock import Clock
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

RULE = Invariant("total", "/total >= 0")


async def alone(gateway: RunningProxy, answer: bytes = ok(b'{"total":1}'), **settings) -> Mirroring:
    legacy, modern = await gateway.backend(always(ok(b"old"))), await gateway.backend(always(answer))
    chosen = {"weight": 100.0, "sample": 0.0, "route": {"invariants": (RULE,)}, **settings}
    return await mirroring(gateway, legacy, modern, **chosen)


async def test_modern_alone_is_sent_without_asking_legacy(gateway: RunningProxy):
    mirror = await alone(gateway)

    await mirror.ask("/a")
    await until(lambda: mirror.pairs)

    (pair,) = mirror.pairs
    assert (pair.reason, pair.live_side, pair.modern.body) == ("alone", "modern", b'{"total":1}')
    assert pair.legacy == Answer(failed="absent")
    assert gateway.backends[0].wires == []
    assert mirror.records == []


async def test_the_answer_to_a_write_is_sent_as_well(gateway: RunningProxy):
    mirror = await alone(gateway)

    await mirror.proxy.ask(raw.post(b"a=1"))
    await until(lambda: mirror.pairs)

    assert mirror.pairs[0].method == "POST"


async def test_no_more_is_sent_than_a_share_of_a_busy_route(gateway: RunningProxy):
    mirror = await alone(gateway, clock=Clock())
    client = await mirror.proxy.client()

    for _ in range(ALONE_PER_SECOND + 5):
        await client.ask(raw.get())
    await mirror.proxy.quiet()

    assert len(mirror.pairs) == ALONE_PER_SECOND


async def test_an_answer_above_the_cap_is_not_sent(gateway: RunningProxy):
    mirror = await alone(gateway, ok(bytes(2000)), max_body=1000)

    await mirror.ask()
    await mirror.proxy.quiet()

    assert mirror.pairs == []
    assert mirror.proxy.server.shadows.budget.held == 0


async def test_legacy_alone_is_nobodys_business(gateway: RunningProxy):
    mirror = await alone(gateway, weight=0.0)

    await mirror.ask()
    await mirror.proxy.quiet()

    assert mirror.pairs == []


async def test_a_mirrored_route_sends_the_pair_instead(gateway: RunningProxy):
    mirror = await alone(gateway, sample=1.0)

    await mirror.became(raw.get())

    assert [(pair.reason, pair.legacy.body) for pair in mirror.pairs] == [("body", b"old")]


async def test_a_request_of_a_mirrored_route_that_may_not_be_mirrored_is_sent_alone(gateway: RunningProxy):
    mirror = await alone(gateway, sample=1.0)

    await mirror.proxy.ask(raw.post(b"a=1"))
    await until(lambda: mirror.pairs)

    assert mirror.pairs[0].reason == "alone"
