"""Idle connections to the admin port keep no client out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.cli.admin_client import client
from proxy.control import admin_connections
from proxy.control.admin_connections import Connections
from proxy.settings import UnreachableError
from proxy.state.bindable import client_tls
from rules.model import ListenTls
from tests.control.test_admin import Port
from tests.support import raw
from tests.support.certificates import Authority

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    port.admin._connections = Connections(8)
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


async def held(port: Port, sent: bytes = b"") -> Streams:
    reader, writer = await asyncio.open_connection(*port.listener.getsockname())
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def ended(streams: Streams) -> bytes:
    """Return what came until the other side closed."""
    try:
        async with asyncio.timeout(5):
            return await streams[0].read()
    except ConnectionResetError:
        return b""
    finally:
        streams[1].close()


@pytest.mark.parametrize("half", [b"", b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"G"])
async def test_half_requests_keep_nobody_out_however_many_there_are(port: Port, half: bytes):
    many = [await held(port, half) for _ in range(40)]

    answers = [(await port.ask("/readyz")).status for _ in range(3)]

    assert answers == [200] * 3
    assert len(port.admin._connections._open) <= 8
    for _, writer in many:
        writer.close()


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
        (
            b"POST /api/v1/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9\r\n\r\n{"
        ),
    ],
)
async def test_what_does_not_become_whole_is_hung_up_on(port: Port, monkeypatch: pytest.MonkeyPatch, half: bytes):
    monkeypatch.setattr(admin_connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(admin_connections, "BODY_SECONDS", 0.2)

    assert await ended(await held(port, half)) == b""
    assert not port.admin._connections._open


async def test_drops_of_a_head_do_not_buy_more_time(port: Port, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(admin_connections, "HEAD_SECONDS", 0.3)
    streams = await held(port, b"GET / HTTP/1.1\r\nHost: a\r\n")

    async def drip() -> None:
        while not streams[1].is_closing():
            streams[1].write(b"X: y\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    try:
        assert await ended(streams) == b""
    finally:
        dripping.cancel()


async def test_an_idle_connection_is_closed_after_its_time_one_at_work_never(
    port: Port, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admin_connections, "IDLE_SECONDS", 0.2)
    whole = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    idle = await ended(await held(port, whole))

    assert idle.startswith(b"HTTP/1.1 200")
    assert idle.endswith(b"ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status", "/nothing", "/login", "/static/console.css"])
async def test_no_answer_says_which_program_made_it(port: Port, path: str):
    answer = await port.ask(path)

    assert answer.field("Server") is None


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  / x\r\n\r\n"]
)
async def test_rubbish_is_answered_without_a_name_and_without_a_line_in_the_log(
    port: Port, rubbish: bytes, caplog: pytest.LogCaptureFixture
):
    answer = await ended(await held(port, rubbish))

    assert b"aiohttp" not in answer.lower()
    assert b"python" not in answer.lower()
    assert caplog.records == []


def test_as_many_as_a_third_of_the_descriptors_may_be_open(monkeypatch: pytest.MonkeyPatch):
    for soft, most in ((300, 100), (1_000_000, 256), (3, 8)):
        monkeypatch.setattr(admin_connections.resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert admin_connections.most_connections() == most


async def test_the_port_speaks_tls_where_it_is_told_to_and_the_command_line_trusts_its_certificate(tmp_path: Path):
    authority = Authority(tmp_path)
    tls = ListenTls("cert.pem", "key.pem")
    port = Port()
    await port.admin.start(port.listener, client_tls(tls, tmp_path))
    number = port.listener.getsockname()[1]
    address = f"127.0.0.1:{number}"
    reader, writer = await asyncio.open_connection("127.0.0.1", number, ssl=authority.client())
    writer.write(raw.get("/healthz", "Connection: close", host="127.0.0.1"))
    file = tmp_path / "proxy.yaml"
    file.write_text(
        "backends: {legacy: {url: 'http://127.0.0.1:1'}}\n"
        f"admin: {{address: '{address}', tls: {{cert: cert.pem, key: key.pem}}}}\n"
    )

    answer = await reader.read()
    plain = await ended(await held(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"))
    known = await asyncio.to_thread(lambda: client(str(file), "").get("/api/v1/status"))
    Authority(tmp_path)
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        await asyncio.to_thread(lambda: client(str(file), "").get("/api/v1/status"))

    assert answer.startswith(b"HTTP/1.1 200")
    assert plain == b""
    assert known.ok
    writer.close()
    await port.admin.stop()
