"""A cookie is in no response that several users get (RFC 9111; contract: Identity keys)."""

from __future__ import annotations

import pytest

from proxy.state.identity_keys import Keys
from rules.model import LEGACY, MODERN, Rollout
from tests.support import snapshots
from tests.support.backend import always, ok
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post


async def sticky(gateway: RunningProxy, legacy: bytes, modern: bytes, weight: float = 100.0) -> Proxy:
    """Everybody is new to it."""
    sides = [await gateway.backend(always(legacy)), await gateway.backend(always(modern))]
    backends = {LEGACY: [sides[0].url], MODERN: [sides[1].url]}
    chosen = snapshots.route(rollout=Rollout(weight=weight, by="user", salt="all"))
    identified = snapshots.snapshot(backends, routes=[chosen], identity=["sticky"])
    return await gateway.serve(identified, keys=Keys(sticky=b"k" * 32))


SHARED = [
    ["Cache-Control: public"],
    ["Cache-Control: max-age=60, PUBLIC"],
    ["cache-control: s-maxage=60"],
    ["Cache-Control: max-age=60", "Cache-Control: s-maxage = 60"],
    ["CDN-Cache-Control: max-age=60"],
    ["Surrogate-Control: max-age=60"],
]
PRIVATE = [["Cache-Control: private"], ["Cache-Control: no-store"], ["Cache-Control: no-cache, private"]]
UNSAID = [
    [], ["Cache-Control: max-age=60"], ["Expires: Thu, 01 Jan 2037 00:00:00 GMT"], ["Cache-Control: no-cache"],
    ['Cache-Control: private="x-a"'], ["X-Cache-Control: public"], ["CDN-Cache-Control: no-store"],
]  # fmt: skip


@pytest.mark.parametrize("lines", SHARED, ids=" + ".join)
@pytest.mark.parametrize("weight", [0.0, 100.0], ids=["legacy", "modern"])
async def test_an_answer_for_many_carries_no_cookie_and_is_legacys(
    gateway: RunningProxy, lines: list[str], weight: float
) -> None:
    proxy = await sticky(gateway, ok(b"legacy", *lines), ok(b"modern", *lines), weight)

    answer = await proxy.ask(get("/"))

    assert (answer.body, answer.field("set-cookie")) == (b"legacy", None)
    assert [f"{name}: {value}" for name, value in answer.fields if name != "Content-Length"] == lines


@pytest.mark.parametrize(
    "lines", [*PRIVATE, *UNSAID], ids=[" + ".join(lines) or "nothing" for lines in (*PRIVATE, *UNSAID)]
)
async def test_an_answer_with_the_cookie_is_for_one_user(gateway: RunningProxy, lines: list[str]) -> None:
    proxy = await sticky(gateway, ok(b"legacy"), ok(b"modern", *lines))

    answer = await proxy.ask(get("/"))

    assert answer.body == b"modern"
    assert "strangler_id=" in (answer.field("set-cookie") or "")
    said = [value for value in answer.all("cache-control") if value == "private"]
    assert len(said) == (1 if lines in UNSAID or lines == PRIVATE[0] else 0)


async def test_who_has_the_cookie_is_answered_by_modern_for_many_as_well(gateway: RunningProxy) -> None:
    proxy = await sticky(gateway, ok(b"legacy"), ok(b"modern", "Cache-Control: public"))
    client = await proxy.client()
    given = (await client.ask(get("/"))).field("set-cookie") or ""

    answer = await client.ask(get("/", f"Cookie: {given.partition(';')[0]}"))

    assert answer.body == b"modern"
    assert answer.all("cache-control") == ["public"]


async def test_that_legacy_answers_is_no_failure_of_moderns(gateway: RunningProxy) -> None:
    proxy = await sticky(gateway, ok(b"legacy"), ok(b"modern", "Cache-Control: public"))

    await proxy.ask(get("/"))

    exchange = await proxy.exchange()
    assert (exchange.side, exchange.answered, exchange.fallback) == ("modern", "legacy", "shared")
    assert not any(attempt.failed for attempt in exchange.attempts)


@pytest.mark.parametrize("data", [post(b"x"), get("/logout")], ids=["a write", "a read with effects"])
async def test_what_was_done_is_not_done_again_on_legacy(gateway: RunningProxy, data: bytes) -> None:
    proxy = await sticky(gateway, ok(b"legacy"), ok(b"modern", "Cache-Control: public"))

    answer = await proxy.ask(data, data.split(b" ")[0].decode())

    assert (answer.body, answer.field("set-cookie")) == (b"modern", None)
