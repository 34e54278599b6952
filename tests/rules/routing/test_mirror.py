from __future__ import annotations

from typing import Any

import pytest

from rules.routing.mirroring import Mirror, mirror_of
from tests.rules.asking import facts, route, snapshot


def _mirror(**shadow: Any) -> Mirror:
    found = mirror_of(snapshot(route("/**", shadow={"sample": "100%", **shadow})).routes[0])
    assert found is not None
    return found


def test_a_route_without_a_sample_mirrors_nothing() -> None:
    assert mirror_of(snapshot(route()).routes[0]) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_plain_read_is_mirrored_whoever_answers(method: str) -> None:
    assert _mirror().refusal(facts(method), "legacy") is None
    assert _mirror().refusal(facts(method), "modern") is None


@pytest.mark.parametrize(
    ("target", "headers", "why"),
    [
        ("/a", {"Upgrade": "websocket"}, "it has upgrade"),
        ("/a", {"Range": "bytes=0-1"}, "it has range"),
        ("/a", {"X-HTTP-Method-Override": "DELETE"}, "it has x-http-method-override"),
        ("/a", {"Transfer-Encoding": "chunked"}, "it has transfer-encoding"),
        ("/a", {"Content-Length": "3"}, "it is a read with a body"),
        ("/a", {"Accept": "text/event-stream"}, "it asks for a stream"),
        ("/logout", {}, "it looks like a read with effects"),
        ("/a?token=x", {}, "it looks like a read with effects"),
        ("/jobs/7/run?x=1", {}, "it is on the deny list"),
        ("/exact?y=2", {}, "it is on the deny list"),
    ],
)
def test_a_read_that_may_have_effects_or_no_end_is_not_mirrored(target: str, headers: dict[str, str], why: str) -> None:
    mirror = _mirror(deny=["~/run\\?", "/exact"])

    assert mirror.refusal(facts(target=target, headers=headers), "legacy") == why


def test_a_body_of_length_0_is_none() -> None:
    assert _mirror().refusal(facts(headers={"Content-Length": "0"}), "legacy") is None


def test_a_write_is_mirrored_only_by_leave_and_never_to_legacy() -> None:
    allowed = _mirror(methods=["GET", "POST"], writes="dry_run")

    assert allowed.refusal(facts("POST"), "legacy") is None
    assert allowed.refusal(facts("POST"), "modern") == "a write is never mirrored to legacy"
    assert allowed.refusal(facts("DELETE"), "legacy") == "DELETE is not mirrored here"


@pytest.mark.parametrize("field", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_write_is_what_it_says_it_means(field: str) -> None:
    mirror = _mirror(methods=["GET", "POST", "PUT"], writes="dry_run")

    assert mirror.refusal(facts("POST", headers={field: "put"}), "legacy") is None
    assert (
        mirror.refusal(facts("POST", headers={field: "DELETE"}), "legacy") == "it means DELETE, which is not mirrored"
    )
    assert mirror.refusal(facts("POST", "/a?_method=PATCH"), "legacy") == "it means PATCH, which is not mirrored"
    assert mirror.refusal(facts("GET", headers={field: "POST"}), "legacy") == f"it has {field.lower()}"


def test_a_sample_is_the_same_users_each_time_and_a_draw_for_strangers() -> None:
    half = _mirror(sample="50%")
    users = [f"user-{number}" for number in range(1000)]

    inside = [user for user in users if half.sampled(user, 0.99)]

    assert inside == [user for user in users if half.sampled(user, 0.0)]
    assert 430 < len(inside) < 570
    assert half.sampled(None, 0.49)
    assert not half.sampled(None, 0.5)
