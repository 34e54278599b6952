"""TCP, Unix sockets and TLS, towards clients and backends: HTTP is the same over all of them."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from rules.model import BackendTls, Limits
from tests.support.backend import Wire, always, answering, chunks, hang, ok, on_head
from tests.support.certificates import Authority
from tests.support.clock import Clock
from tests.support.line import Ended
from tests.support.proxying import RunningProxy
from tests.support.raw import connect, get, post
from tests.support.waiting import breathe, until

pytestmark = pytest.mark.both_loops


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


# ── Unix sockets ──


async def test_a_backend_on_a_unix_socket_is_reached(gateway: RunningProxy, tmp_path: Path) -> None:
    """Contract: `unix:PATH`, relative to the file's folder."""
    backend = await gateway.backend(always(ok(b"unix")), path=str(tmp_path / "b.sock"))
    relative = await gateway.proxy("unix:b.sock", base=tmp_path)
    absolute = await gateway.proxy(backend)

    for proxy in (relative, absolute):
        client = await proxy.client()
        for _ in range(2):
            assert (await client.ask(get("/"))).body == b"unix"
    assert backend.requests[0].field("host") == "example.test"
    assert len(backend.wires) == 2


async def test_a_missing_unix_socket_is_a_502(gateway: RunningProxy, tmp_path: Path) -> None:
    proxy = await gateway.proxy("unix:nothing.sock", base=tmp_path)

    assert (await proxy.ask(get("/"))).status == 502


async def test_clients_on_a_unix_socket_are_served(gateway: RunningProxy, tmp_path: Path) -> None:
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen=str(tmp_path / "p.sock"))

    answer = await proxy.ask(get("/", "X-Forwarded-For: 6.6.6.6"))

    assert answer.body == b"hello"
    assert backend.requests[0].field("x-forwarded-for") is None
    assert backend.requests[0].field("forwarded") == "host=example.test;proto=http"


async def test_the_name_of_a_unix_socket_outlives_one_server_on_it(gateway: RunningProxy, tmp_path: Path) -> None:
    """Other workers accept under it, and so does a successor."""
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen=str(tmp_path / "p.sock"))

    proxy.server.stop_accepting()
    await asyncio.sleep(0)

    assert (tmp_path / "p.sock").is_socket()


async def test_peers_on_a_unix_socket_may_be_trusted(gateway: RunningProxy, tmp_path: Path) -> None:
    """Contract: trusted_proxies, `unix`."""
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen=str(tmp_path / "p.sock"), trusted=["unix"])

    await proxy.ask(get("/", "X-Forwarded-For: 192.0.2.1"))

    assert backend.requests[0].field("x-forwarded-for") == "192.0.2.1"
    assert backend.requests[0].field("forwarded") == "for=192.0.2.1;host=example.test;proto=http"


async def test_a_trusted_peer_on_a_unix_socket_has_the_last_word_in_forwarded(
    gateway: RunningProxy, tmp_path: Path
) -> None:
    """RFC 7239 5.2: a hop without an address has nothing to add."""
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen=str(tmp_path / "p.sock"), trusted=["unix"])

    await proxy.ask(get("/", "Forwarded: for=192.0.2.1;proto=https;host=shop.test"))

    assert backend.requests[0].field("forwarded") == "for=192.0.2.1;proto=https;host=shop.test"
    assert backend.requests[0].field("x-forwarded-for") == "192.0.2.1"


async def test_a_client_of_the_older_family_is_named_plainly_by_a_listener_of_both(gateway: RunningProxy) -> None:
    """RFC 4291 2.5.5.2: no backend looks for ::ffff:127.0.0.1 in its list of addresses."""
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen="[::]")

    await (await proxy.client()).ask(get("/"))

    assert backend.requests[0].field("x-forwarded-for") == "127.0.0.1"
    assert backend.requests[0].field("forwarded") == "for=127.0.0.1;host=example.test;proto=http"
    assert (await proxy.exchange()).client == "127.0.0.1"


async def test_a_client_of_the_older_family_is_trusted_by_a_listener_of_both(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen="[::]", trusted=["127.0.0.1/32"])

    await proxy.ask(get("/", "X-Forwarded-For: 192.0.2.1"))

    assert backend.requests[0].field("x-forwarded-for") == "192.0.2.1, 127.0.0.1"


@pytest.mark.parametrize("host", ["::1", "::ffff:127.0.0.1"])
async def test_a_client_of_version_6_is_named_as_what_it_is(gateway: RunningProxy, host: str) -> None:
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen="[::]")
    try:
        client = await connect((host, proxy.address[1]))  # type: ignore[arg-type]
    except OSError:
        pytest.skip("no IPv6 here")
    gateway.clients.append(client)

    await client.ask(get("/"))

    named = {"::1": ("::1", '"[::1]"'), "::ffff:127.0.0.1": ("127.0.0.1", "127.0.0.1")}[host]
    assert backend.requests[0].field("x-forwarded-for") == named[0]
    assert backend.requests[0].field("forwarded") == f"for={named[1]};host=example.test;proto=http"


@pytest.mark.parametrize("lines", [(), ("X-Forwarded-For: unknown",), ("Forwarded: for=unknown",)])
async def test_a_peer_without_an_address_adds_no_word_for_it(
    gateway: RunningProxy, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    """An untrusted one: what it says of others is not believed, what it is has no address."""
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, listen=str(tmp_path / "p.sock"))

    await proxy.ask(get("/", *lines))

    assert "unknown" not in str(backend.requests[0])


# ── TLS towards backends ──


async def test_a_backend_over_tls_is_verified_and_its_connection_used_again(
    gateway: RunningProxy, authority: Authority
) -> None:
    backend = await gateway.backend(always(ok(b"secret")), tls=authority.server())
    proxy = await gateway.proxy(backend, base=authority.folder, tls_of_backends=BackendTls(ca="ca.pem"))

    for _ in range(3):
        assert (await proxy.ask(get("/"))).body == b"secret"
    assert len(backend.wires) == 1


async def test_a_backend_that_nobody_vouches_for_is_a_502(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok(b"secret")), tls=authority.server())
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).status == 502
    assert backend.received == b""


async def test_a_backend_under_another_name_is_a_502(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok(b"secret")), tls=authority.server())
    wrong = BackendTls(ca="ca.pem", server_name="other.internal")
    right = BackendTls(ca="ca.pem", server_name="api.internal")

    assert (
        await (await gateway.proxy(backend, base=authority.folder, tls_of_backends=wrong)).ask(get("/"))
    ).status == 502
    assert (
        await (await gateway.proxy(backend, base=authority.folder, tls_of_backends=right)).ask(get("/"))
    ).status == 200


async def test_verification_can_be_switched_off(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok(b"secret")), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))

    assert (await proxy.ask(get("/"))).body == b"secret"


async def test_a_backend_that_does_not_speak_tls_is_a_502(gateway: RunningProxy) -> None:
    async def plain(wire: Wire) -> None:
        await wire.exactly(5)
        wire.send(ok())
        await wire.gone()

    backend = await gateway.backend(plain)
    proxy = await gateway.proxy(backend.url.replace("http:", "https:"), tls_of_backends=BackendTls(verify=False))

    assert (await proxy.ask(get("/"))).status == 502


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", chunks(b"half", end=b"")],
    ids=["length", "chunks"],
)
async def test_a_cut_answer_over_tls_is_cut(gateway: RunningProxy, authority: Authority, answer: bytes) -> None:
    """Requirement 12."""
    backend = await gateway.backend(on_head(answer, Wire.close), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))
    client = await proxy.client()
    client.send(get("/"))

    with pytest.raises(Ended):
        await client.answer()


async def test_an_answer_until_close_over_tls_is_whole_after_a_proper_end(
    gateway: RunningProxy, authority: Authority
) -> None:
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\n\r\nwhole", Wire.close), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))

    assert (await proxy.ask(get("/"))).body == b"whole"


@pytest.mark.uvloop  # asyncio's own loop does not distinguish the two ends
async def test_an_answer_until_close_over_tls_is_cut_after_an_improper_end(
    gateway: RunningProxy, authority: Authority
) -> None:
    """RFC 9112 9.8: complete only if a valid closure alert came; anybody on the way can send a FIN."""
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\n\r\nhalf", Wire.say_end_now), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))
    client = await proxy.client()
    client.send(get("/"))

    with pytest.raises(Ended):
        await client.answer()


async def test_late_bytes_over_tls_never_reach_the_next_user(gateway: RunningProxy, authority: Authority) -> None:
    """Requirement 13."""
    late = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    script = answering(ok(b"first"), then=lambda wire: wire.send(late))
    backend = await gateway.backend(script, always(ok(b"second")), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))
    client = await proxy.client()

    await client.ask(get("/1"))
    await breathe()

    assert (await client.ask(get("/2"))).body == b"second"


async def test_an_idle_tls_connection_that_ended_is_not_used(gateway: RunningProxy, authority: Authority) -> None:
    """Requirement 13."""
    backend = await gateway.backend(answering(ok(b"first")), always(ok(b"second")), tls=authority.server())
    proxy = await gateway.proxy(backend, tls_of_backends=BackendTls(verify=False))
    client = await proxy.client()

    await client.ask(get("/1"))
    backend.wires[0].say_end_now()

    assert (await client.ask(post(b"x"))).body == b"second"


# ── TLS towards clients ──


async def test_clients_over_tls_are_served_and_said_to_be(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok(b"hello")))
    proxy = await gateway.proxy(backend, tls=authority.server())
    client = await proxy.client(authority.client())

    for _ in range(2):
        assert (await client.ask(get("/"))).body == b"hello"
    assert backend.requests[0].field("x-forwarded-proto") == "https"
    assert (backend.requests[0].field("forwarded") or "").endswith("proto=https")


async def test_large_bodies_cross_tls_both_ways(gateway: RunningProxy, authority: Authority) -> None:
    body = b"x" * 3_000_000
    backend = await gateway.backend(always(lambda request: ok(request.body)), tls=authority.server())
    proxy = await gateway.proxy(backend, tls=authority.server(), tls_of_backends=BackendTls(verify=False))
    client = await proxy.client(authority.client())

    assert (await client.ask(post(body))).body == body


async def test_a_refusal_over_tls_is_read_whole(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, tls=authority.server())
    client = await proxy.client(authority.client())

    answer = await client.ask(b"BAD\r\n\r\n")

    assert (answer.status, answer.closes) == (400, True)
    assert await client.rest() == b""


async def test_an_early_answer_over_tls_is_read_whole_while_the_upload_goes_on(
    gateway: RunningProxy, authority: Authority
) -> None:
    """RFC 9112 9.6: TLS has no half-close, the answer must survive all the same."""
    backend = await gateway.backend(on_head(ok(b"too large", status="413 x")))
    proxy = await gateway.proxy(backend, tls=authority.server())
    client = await proxy.client(authority.client())
    client.send(get("/", "Content-Length: 1000000", method="POST") + b"x" * 70_000)
    await client.until(b"too large")
    await client.send_pieces([b"x" * 10_000] * 20)

    assert b"413" in client.received


async def test_a_tls_client_that_goes_away_stops_its_backend(gateway: RunningProxy, authority: Authority) -> None:
    """Requirement 16."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, tls=authority.server())
    client = await proxy.client(authority.client())
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    client.close()

    assert await upstream.gone() in ("eof", "reset")


async def test_a_client_that_does_not_speak_tls_gets_nothing(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, tls=authority.server())
    client = await proxy.client()
    client.send(get("/"))

    await client.gone()

    assert b"200" not in client.received
    assert backend.received == b""


def test_the_authority_is_one(authority: Authority) -> None:
    assert authority.client().verify_mode is ssl.CERT_REQUIRED


# ── from accept on ──


async def test_a_handshake_is_a_connection_and_its_time_runs_from_accept(
    gateway: RunningProxy, authority: Authority
) -> None:
    """A client that connects and says nothing takes its place, and no longer than a head may take."""
    backend = await gateway.backend(always(ok()))
    limits = Limits(connections=1, header_timeout=5.0)
    proxy = await gateway.proxy(backend, tls=authority.server(), clock=Clock(), limits=limits)
    mute = await proxy.client()
    await until(lambda: proxy.server.handshakes, "the handshake")
    assert proxy.server.stats()["connections_client"] == 1

    one_too_many = await (await proxy.client(authority.client())).answer()
    proxy.turn(5.1)
    await mute.gone()

    assert one_too_many.status == 503
    await until(lambda: not proxy.server.handshakes, "its end")
    await until(lambda: not proxy.server.clients, "the other's end")
    client = await proxy.client(authority.client())
    assert (await client.ask(get("/"))).status == 200


async def test_a_slow_handshake_is_part_of_the_time_for_a_head(gateway: RunningProxy, authority: Authority) -> None:
    backend = await gateway.backend(always(ok()))
    limits = Limits(header_timeout=5.0)
    proxy = await gateway.proxy(backend, tls=authority.server(), clock=Clock(), limits=limits)
    client = await proxy.client(authority.client())
    await until(lambda: proxy.server.clients, "the client")
    connection = next(iter(proxy.server.clients))

    assert connection.deadline == connection.accepted_at + 5.0
    client.send(b"GET / HTTP/1.1\r\n")
    await breathe()
    proxy.turn(5.1)
    assert (await client.answer()).status == 408


async def test_garbage_in_the_place_of_a_handshake_leaves_nothing_behind(
    gateway: RunningProxy, authority: Authority
) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, tls=authority.server())
    for _ in range(3):
        client = await proxy.client()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        await client.gone()

    await until(lambda: not proxy.server.handshakes and not proxy.server.clients, "their end")
