"""A copy is marked as one, to distinguish it from users' requests."""

from __future__ import annotations

import re
from time import time

from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def mirrored(gateway: RunningProxy, *lines: str, **settings: object) -> tuple[Mirroring, Message, Message]:
    """One mirrored request: the mirror, the live request, the copy."""
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    mirror = await mirroring(gateway, legacy, modern, **settings)  # type: ignore[arg-type]
    await mirror.became(raw.get("/a?b=%41", *lines))
    return mirror, only(legacy), only(modern)


def only(backend: Backend) -> Message:
    (request,) = backend.requests
    return request


async def test_a_copy_is_marked_with_id_and_time_of_the_live_request(gateway: RunningProxy):
    _, live, copy = await mirrored(gateway)

    assert (copy.field("X-Shadow"), live.field("X-Shadow")) == ("1", None)
    assert copy.field("X-Shadow-Id") == copy.field("X-Request-Id") == live.field("X-Request-Id")
    assert abs(int(copy.field("X-Shadow-Time") or 0) / 1000 - time()) < 60


async def test_a_client_cannot_pass_for_a_copy(gateway: RunningProxy):
    _, live, copy = await mirrored(gateway, "X-Shadow: 1", "X-Shadow-Id: mine", "x_shadow: 1", "X-Shadow-Dry-Run: 1")

    assert not [name for name in live.names if "shadow" in name.lower()]
    assert copy.all("X-Shadow") == ["1"]
    assert copy.field("X-Shadow-Id") != "mine"
    assert copy.all("X-Shadow-Dry-Run") == []


async def test_a_copy_is_a_span_of_its_own_in_the_same_trace(gateway: RunningProxy):
    _, live, copy = await mirrored(gateway, f"traceparent: {TRACE}", "tracestate: vendor=1")

    assert live.field("traceparent") == TRACE
    assert re.fullmatch(r"00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01", copy.field("traceparent") or "")
    assert copy.field("traceparent") != TRACE
    assert copy.field("tracestate") == "strangler=shadow,vendor=1"


async def test_a_trace_that_begins_here_has_both_legs(gateway: RunningProxy):
    _, live, copy = await mirrored(gateway)
    ours, theirs = (live.field("traceparent") or "").split("-"), (copy.field("traceparent") or "").split("-")

    assert ours[1] == theirs[1]
    assert ours[2] != theirs[2]
    assert copy.field("tracestate") == "strangler=shadow"


async def test_everything_else_is_as_in_the_live_request(gateway: RunningProxy):
    _, live, copy = await mirrored(gateway, "User-Agent: test", "Cookie: a=1", "Accept: */*", "Authorization: Bearer x")
    own = ("x-shadow", "x-shadow-id", "x-shadow-time", "traceparent", "tracestate")

    def rest(message: Message) -> list[tuple[str, str]]:
        return [(name, value) for name, value in message.fields if name.lower() not in own]

    assert copy.start == live.start
    assert rest(copy) == rest(live)
    assert copy.field("X-Forwarded-For") == "127.0.0.1"
