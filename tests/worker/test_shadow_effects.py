"""A route whose reads turn out to have side effects is no longer mirrored."""

from __future__ import annotations

import pytest

from proxy.telemetry import events
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy

LARAVEL = "eyJpdiI6Ik1USXpORFUyTnpnNU1ERXlNdz09Iiwi"


@pytest.mark.parametrize(
    ("status", "lines", "suspended"),
    [
        ("200 OK", ("Set-Cookie: PHPSESSID=new",), False),
        ("201 Created", (), True),
        ("202 Accepted", (), True),
        ("204 No Content", (), True),
        ("302 Found", ("Location: /",), False),
        ("302 Found", ("Location: /", "Set-Cookie: PHPSESSID=new; HttpOnly"), True),
        ("302 Found", ("Location: /", "Set-Cookie: PHPSESSID=abc; HttpOnly"), False),
        ("302 Found", ("Location: /", "Set-Cookie: theme=dark"), False),
        ("302 Found", ("Location: /", f"Set-Cookie: laravel_session={LARAVEL}B"), False),
        ("302 Found", ("Location: /", "Set-Cookie: app_session=two"), False),
    ],
)
async def test_an_answer_of_legacy_that_shows_effects_suspends_the_route(
    gateway: RunningProxy, status: str, lines: tuple[str, ...], suspended: bool
):
    answer = ok(b"", *lines, status=status) if "204" not in status else b"HTTP/1.1 204 No Content\r\n\r\n"
    legacy, modern = await gateway.backend(always(answer)), await gateway.backend(always(answer))
    mirror = await mirroring(gateway, legacy, modern)
    request = raw.get("/thing?x=secret", f"Cookie: PHPSESSID=abc; laravel_session={LARAVEL}A")

    first = await mirror.became(request)
    second = await mirror.became(request)

    assert first == ("equal", "")
    assert second == (("not_compared", "suspended") if suspended else first)
    assert [event for event, _ in mirror.events] == [events.SHADOW_SUSPENDED] * suspended
    assert not mirror.events or (mirror.events[0][1]["route"], mirror.events[0][1]["path"]) == ("all", "/thing")


async def test_an_answer_of_modern_says_nothing_about_effects(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(ok(status="201 Created")))
    mirror = await mirroring(gateway, legacy, modern)

    became = [await mirror.became(raw.get()) for _ in range(2)]

    assert became == [("sent", "status")] * 2


async def test_a_session_that_a_copy_went_without_is_not_one_that_changed(gateway: RunningProxy):
    answer = ok(b"", "Location: /", "Set-Cookie: PHPSESSID=guest", status="302 Found")
    legacy, modern = await gateway.backend(always(answer)), await gateway.backend(always(answer))
    mirror = await mirroring(gateway, legacy, modern, weight=100.0)

    became = [await mirror.became(raw.get("/", "Cookie: PHPSESSID=abc")) for _ in range(2)]

    assert became == [("not_compared", "session")] * 2
    assert mirror.events == []


async def test_the_same_words_after_a_reload_stay_suspended_other_words_are_tried(gateway: RunningProxy):
    answer = ok(status="201 Created")
    legacy, modern = await gateway.backend(always(answer)), await gateway.backend(always(answer))
    mirror = await mirroring(gateway, legacy, modern)
    await mirror.became(raw.get())
    same = await mirroring(gateway, legacy, modern)
    other = await mirroring(gateway, legacy, modern, deny=("/none",))

    mirror.proxy.server.live.swap(same.proxy.server.live.generation)
    after_same = await mirror.became(raw.get())
    mirror.proxy.server.live.swap(other.proxy.server.live.generation)
    after_other = await mirror.became(raw.get())

    assert after_same == ("not_compared", "suspended")
    assert after_other == ("equal", "")
