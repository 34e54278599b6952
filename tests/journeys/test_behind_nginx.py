"""The whole chain: a user, a real nginx with the deployed file, the proxy, an application."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.answering import patiently
from tests.journeys.edge import BELIEVING, CONF, Edge, Relay
from tests.journeys.stage import Sides, Visits, Workshop, address_of
from tests.journeys.visiting import side_of, users_on
from tests.support import raw
from tests.support.backend import Backend, Wire, ok
from tests.support.messages import Message
from tests.support.running import Running
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Everything the proxy trusts from a trusted peer, sent by another client.
FORGED = {
    "X-User-Id": "evil-insider",
    "X-Strangler-Force": "modern",
    "X-Strangler-Debug": "1",
    "X-Strangler-Decline": "1",
    "X-Strangler-Side": "evil",
    "X-Shadow": "1",
    "X-Shadow-Id": "evil",
    "X-Shadow-Time": "666",
    "X-Shadow-Dry-Run": "1",
    "X-Request-Id": "evil-request",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6;host=evil.example",
}
LINES = tuple(f"{name}: {value}" for name, value in FORGED.items())


@dataclass
class Chain:
    """nginx before a proxy before two applications that write down what they got."""

    edge: Edge
    proxy: Workshop
    legacy: Backend
    modern: Backend

    @property
    def heard(self) -> list[Message]:
        return [*self.legacy.requests, *self.modern.requests]


@pytest_asyncio.fixture(loop_scope="session")
async def chain(workshop: Workshop, tmp_path: Path) -> AsyncIterator[Chain]:
    legacy, modern = Backend(patiently(ok(b"legacy"))), Backend(patiently(ok(b"modern")))
    await legacy.start()
    await modern.start()
    await workshop.adopt(BELIEVING.format(legacy=legacy.url, modern=modern.url))
    async with Edge(tmp_path, address_of(workshop.users), ("127.0.0.1", legacy.port)) as edge:
        yield Chain(edge, workshop, legacy, modern)
    await legacy.stop()
    await modern.stop()


# ── who is believed ──


@pytest.mark.parametrize("user", ["insider", "outsider"])
async def test_the_clients_address_goes_through_nginx_and_the_proxy_to_either_side(
    chain: Chain, visit: Visits, user: str
):
    client = visit(chain.edge.address, user, signed_in=False, source=("127.0.0.9", 0))

    answer = await client.get("/half/page?x=%41&y=//", "X-Forwarded-For: 6.6.6.6")

    (heard,) = chain.heard
    assert answer.body == (b"modern" if user == "insider" else b"legacy")
    assert heard.target == "/half/page?x=%41&y=//"
    assert heard.field("x-forwarded-for") == "127.0.0.9, 127.0.0.1"
    assert heard.field("x-forwarded-proto") == "http"
    assert heard.field("x-forwarded-host") == heard.field("host") == f"127.0.0.1:{chain.edge.address[1]}"
    assert heard.field("x-forwarded-port") == str(chain.edge.address[1])
    assert (
        heard.field("forwarded") == f'for=127.0.0.9, for=127.0.0.1;host="127.0.0.1:{chain.edge.address[1]}";proto=http'
    )
    assert re.fullmatch("1.1 strangler-[0-9a-f]{8}", heard.field("via") or "")
    line = await _access_line(chain.proxy, heard.field("x-request-id"))
    assert (line["client"], line["answered"]) == ("127.0.0.9", "modern" if user == "insider" else "legacy")


async def _access_line(proxy: Running, request_id: str | None) -> dict[str, object]:
    assert request_id
    await until(lambda: any(line["request_id"] == request_id for line in proxy.access), "the access line")
    return next(line for line in proxy.access if line["request_id"] == request_id)


async def test_nothing_that_a_client_claims_is_believed_or_passed_on(chain: Chain, visit: Visits):
    client = visit(chain.edge.address, "outsider", signed_in=False)

    answer = await client.get("/half/page", *LINES)

    (heard,) = chain.heard
    told = "\n".join(f"{name}: {value}" for name, value in (*heard.fields, *answer.fields))
    assert answer.body == b"legacy"
    assert "evil" not in told
    assert "6.6.6.6" not in told
    assert "666" not in [value for _, value in heard.fields]
    assert not [name for name in heard.names if name.lower().startswith(("x-shadow", "x-strangler", "x-user"))]
    assert not [name for name in answer.names if name.lower().startswith("x-strangler")]
    assert heard.field("x-forwarded-proto") == "http"
    assert len(heard.field("x-request-id") or "") == 32


async def test_a_client_who_comes_past_nginx_is_believed_just_as_little(chain: Chain, visit: Visits):
    """Not a trusted address: the proxy itself must not believe either."""
    client = visit(chain.proxy, "outsider", signed_in=False, source=("127.0.0.9", 0))

    answer = await client.get("/half/page", *LINES)

    (heard,) = chain.heard
    assert answer.body == b"legacy"
    assert not [name for name in heard.names if name.lower().startswith(("x-shadow", "x-strangler"))]
    assert not [name for name in answer.names if name.lower().startswith(("x-shadow", "x-strangler"))]
    assert heard.all("x-forwarded-for") == ["127.0.0.9"]
    assert heard.all("x-forwarded-proto") == ["http"]
    assert heard.all("x-forwarded-host") == [client.host]
    assert heard.all("x-forwarded-port") == heard.all("x-forwarded-prefix") == []
    assert heard.all("forwarded") == [f'for=127.0.0.9;host="{client.host}";proto=http']
    assert len(heard.field("x-request-id") or "") == 32


async def test_a_trusted_peer_is_believed(chain: Chain, visit: Visits):
    """The same fields do something, so the tests above could fail."""
    client = visit(chain.proxy, "outsider", signed_in=False)

    forced = await client.get("/half/page", "X-Strangler-Force: modern", "X-Strangler-Debug: 1")
    named = await client.get("/half/page", "X-User-Id: insider", "X-Request-Id: edge-1", "X-Forwarded-For: 9.9.9.9")

    assert (forced.body, forced.field("x-strangler-side")) == (b"modern", "modern")
    assert forced.field("x-strangler-reason") == "force"
    assert named.body == b"modern"
    heard = chain.modern.requests[-1]
    assert heard.field("x-request-id") == "edge-1"
    assert heard.field("x-forwarded-for") == "9.9.9.9, 127.0.0.1"


@pytest.mark.parametrize("name", FORGED)
async def test_every_field_that_the_proxy_believes_is_dealt_with_at_the_edge(name: str):
    assert f"proxy_set_header {name} " in CONF.read_text()


async def test_applications_print_addresses_that_lead_back_to_the_edge(
    shop: Running, sides: Sides, visit: Visits, tmp_path: Path
):
    async with Edge(tmp_path, address_of(shop.users), address_of(sides.legacy.url)) as edge:
        for side in ("legacy", "modern"):
            admin = users_on(side, "tickets", 50, range(1, 21))[0]
            ticket = {"user_id": 42, "subject": "Through all of it", "message": "Hello"}

            made = await visit(edge.address, admin).post("/api/v1/admin/tickets", ticket)
            form = await visit(edge.address, users_on(side, "account", 25)[0], signed_in=False).get("/profile/edit")

            assert (made.status, side_of(made)) == (201, side)
            assert (form.field("location") or "").startswith(f"http://127.0.0.1:{edge.address[1]}/login")


# ── what passes ──


async def test_nginx_keeps_its_connections_to_the_proxy(chain: Chain, visit: Visits, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    async with (
        Relay(address_of(chain.proxy.users)) as relay,
        Edge(tmp_path / "kept", relay.address, ("127.0.0.1", chain.legacy.port)) as edge,
    ):
        client = visit(edge.address, "insider", signed_in=False)

        answers = [await client.get(f"/half/{number}") for number in range(20)]
        answers += [await client.ask("POST", "/half/post", body=b"x" * 1000) for _ in range(10)]

        assert [answer.body for answer in answers] == [b"modern"] * 30
        assert relay.connections == 1
        assert client.connections == 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("user", ["insider", "outsider"])
async def test_an_upload_of_three_megabytes_arrives_whole(chain: Chain, visit: Visits, user: str, framing: str):
    body = os.urandom(3_000_000)
    head = f"POST /half/upload HTTP/1.1\r\nHost: shop.test\r\nCookie: uid={user}\r\n".encode()
    if framing == "length":
        data = head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    else:
        pieces = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        data = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    answer = await visit(chain.edge.address).send(data, "POST")

    (heard,) = chain.heard
    assert answer.status == 200
    assert hashlib.sha256(heard.body).digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize("lines", [(), ("Content-Type: text/event-stream",)], ids=["chunked", "event-stream"])
async def test_an_answer_reaches_the_user_piece_by_piece_while_it_is_made(chain: Chain, lines: tuple[str, ...]):
    go_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        fields = "".join(f"{line}\r\n" for line in lines)
        wire.send(f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n".encode())
        await go_on.wait()
        wire.send(b"7\r\ndata: 2\r\n0\r\n\r\n")
        await wire.gone()

    chain.modern.scripts = (script,)
    client = await raw.connect(chain.edge.address)

    client.send(raw.get("/new/stream"))
    await client.until(b"data: 1")  # the application has not even made the second one
    go_on.set()
    rest = await client.until(b"0\r\n\r\n")
    client.close()

    assert b"data: 2" in rest


async def test_a_websocket_passes_through_all_of_it(chain: Chain):
    async def script(wire: Wire) -> None:
        request = await wire.request()
        assert (request.field("upgrade"), request.field("connection")) == ("websocket", "Upgrade")
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        for _ in range(2):
            wire.send((await wire.exactly(5)).upper())
        wire.close()

    chain.modern.scripts = (script,)
    client = await raw.connect(chain.edge.address)

    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    switched = await client.ask(raw.get("/new/socket", *lines))
    client.send(b"hello")
    first = await client.exactly(5)
    client.send(b"there")
    second = await client.exactly(5)
    ended = await client.gone()
    client.close()

    assert (switched.status, switched.field("upgrade")) == (101, "websocket")
    assert (first, second) == (b"HELLO", b"THERE")
    assert ended
