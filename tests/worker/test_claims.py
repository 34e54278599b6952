"""What only an edge may set never reaches a backend from another client (contract: Headers; trusted_proxies)."""

from __future__ import annotations

import pytest

from rules.model import Match, Rollout, SidePolicy
from tests.support.backend import always, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.snapshots import route

TRUSTED = ("127.0.0.1/32",)
IDENTITY = ("header:X-User-Id", "header:X_Account", "header:Authorization", "header:Cookie", "cookie:uid")


async def heard(gateway: RunningProxy, data: bytes, trusted: tuple[str, ...] = ()) -> Message:
    """The request as its backend gets it, the second of two like it: what was remembered of the first counts."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, backend, identity=IDENTITY, trusted=trusted)
    client = await proxy.client()
    await client.ask(data)
    await client.ask(data)
    first, second = backend.requests
    assert (first.names, first.body) == (second.names, second.body)
    return second


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X_Account", "Proxy", "PROXY"])
async def test_a_claim_reaches_a_backend_from_a_trusted_peer_only(gateway: RunningProxy, name: str) -> None:
    data = get("/", "A: 1", f"{name}: someone", "B: 2")

    assert "someone" not in str(await heard(gateway, data))
    believed = await heard(gateway, data, TRUSTED)
    assert [field for field in believed.fields if field[0] in ("A", name, "B")] == [
        ("A", "1"),
        (name, "someone"),
        ("B", "2"),
    ]


@pytest.mark.parametrize("trusted", [(), TRUSTED], ids=["untrusted", "trusted"])
@pytest.mark.parametrize("name", ["X_User_Id", "X.User.Id", "x-user_id", "X_USER-ID", "X-Account", "X.Account"])
async def test_a_disguised_claim_reaches_a_backend_from_no_peer(
    gateway: RunningProxy, name: str, trusted: tuple[str, ...]
) -> None:
    """PHP and CGI take X_User_Id for X-User-Id."""
    assert "someone" not in str(await heard(gateway, get("/", f"{name}: someone", f"{name}: someone"), trusted))


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer someone",
        "Cookie: uid=someone",
        "X-User-Identity: someone",
        "X-User: someone",
        "Proxy-Status: someone",
        "X-Proxy: someone",
    ],
)
async def test_what_is_no_claim_crosses(gateway: RunningProxy, line: str) -> None:
    name, _, value = line.partition(": ")

    assert (await heard(gateway, get("/", line))).field(name) == value


async def test_a_claim_is_taken_out_of_a_request_with_a_body_and_of_its_trailers(gateway: RunningProxy) -> None:
    data = (
        get("/", "X-User-Id: someone", "Transfer-Encoding: chunked", method="POST")
        + b"1\r\na\r\n0\r\nX-User-Id: someone\r\n\r\n"
    )

    request = await heard(gateway, data)

    assert (request.body, request.trailers) == (b"a", ())
    assert "someone" not in str(request)
    assert (await heard(gateway, post(b"a", "X-User-Id: someone"))).body == b"a"


async def test_one_head_from_two_kinds_of_peers_is_two_requests(gateway: RunningProxy) -> None:
    """What is remembered of a head is shared; what crosses of it is not."""
    backend = await gateway.backend(always(ok()))
    open_ = await gateway.proxy(backend, identity=IDENTITY, trusted=TRUSTED)
    closed = await gateway.proxy(backend, identity=IDENTITY)
    other = await gateway.proxy(backend)

    for proxy in (open_, closed, other, open_, closed, other):
        await proxy.ask(get("/", "X-User-Id: someone"))

    assert [[request.field("x-user-id") for request in wire.requests] for wire in backend.wires] == [
        ["someone"] * 2, [None] * 2, ["someone"] * 2,
    ]  # fmt: skip


async def test_a_route_is_not_chosen_by_a_claim_that_nobody_may_make(gateway: RunningProxy) -> None:
    legacy, hidden = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"hidden")))
    match = Match("/**", headers=(("X-User-Id", "someone"),))
    chosen = route(name="hidden", match=match, legacy=SidePolicy("modern"), rollout=Rollout(by="request"))
    proxy = await gateway.proxy(legacy, hidden, routes=[chosen], identity=IDENTITY)

    assert (await proxy.ask(get("/", "X-User-Id: someone"))).body == b"legacy"


@pytest.mark.parametrize("trusted", [(), TRUSTED], ids=["untrusted", "trusted"])
@pytest.mark.parametrize(
    ("sent", "crosses"),
    [
        ("strangler_session=secret", None),
        ("a=1; strangler_session=secret; b=2", "a=1; b=2"),
        ("strangler_session=secret; a=1", "a=1"),
        ("a=1;strangler_session=secret", "a=1"),
        ("a=1; strangler_session=secret; strangler_session=secret", "a=1"),
        ("a=1; __Host-strangler_session=secret; b=2", "a=1; b=2"),
        ("__Host-strangler_session=secret; strangler_session=secret", None),
        ("my_strangler_session=1; a=strangler_session=2", "my_strangler_session=1; a=strangler_session=2"),
        ("strangler_id=x.y; a=1", "strangler_id=x.y; a=1"),
    ],
)
async def test_the_cookie_of_the_console_reaches_no_backend(
    gateway: RunningProxy, sent: str, crosses: str | None, trusted: tuple[str, ...]
) -> None:
    assert (await heard(gateway, get("/", f"Cookie: {sent}"), trusted)).field("cookie") == crosses
