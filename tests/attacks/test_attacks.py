"""Every attack is refused by a running instance; each attack does find what it looks for."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests.attacks.attack import (
    ATTACKS,
    Target,
    _ask,
    _get,
    _status,
    names_of_programs,
    reads_without_a_token,
    seen_secrets,
)
from tests.support.running import config, run_command, running

TOKEN = "a-token-of-some-length"
SECRETS = {"INTERNAL": "hunter2-internal", "SIGNATURE": "hunter3-signature"}


async def test_an_instance_with_an_operators_token_alone_refuses_every_attack(tmp_path: Path):
    text = config("http://127.0.0.1:1") + (
        "  - name: root\n    match: {path: /}\n    rollout: {weight: 100, by: request}\n"
        "    guard: none\n    modern:\n      backend: legacy\n"
        '      headers: {set: {X-Internal-Key: "${INTERNAL}"}}\n      query: {set: {sig: "${SIGNATURE}"}}\n'
    )
    async with running(tmp_path, text, STRANGLER_ADMIN_TOKEN=TOKEN, **SECRETS) as proxy:
        target = Target(proxy.admin_url, proxy.users, TOKEN, tuple(SECRETS.values()))
        found = {attack.__name__: await attack(target) for attack in ATTACKS}

    assert {name: got for name, got in found.items() if got} == {}


async def test_a_stolen_cookie_is_worth_nothing_once_sessions_are_revoked(tmp_path: Path):
    async with running(tmp_path, config("http://127.0.0.1:1"), STRANGLER_ADMIN_TOKEN=TOKEN) as proxy:
        form = "Content-Type: application/x-www-form-urlencoded"
        entered = await _ask(proxy.admin_url, _get("/login", form, method="POST", body=f"token={TOKEN}&name=anna"))
        (cookie,) = re.findall(rb"Set-Cookie: (strangler_session=[^;]+)", entered)
        stolen = _get("/api/v1/status", f"Cookie: {cookie.decode()}")
        empty, *_ = await run_command(
            "sessions", "revoke", "--name", "", "--admin", proxy.admin_url, STRANGLER_ADMIN_TOKEN=TOKEN
        )
        before = _status(await _ask(proxy.admin_url, stolen))
        code, out, err = await run_command(
            "sessions", "revoke", "--reason", "laptop lost", "--admin", proxy.admin_url, STRANGLER_ADMIN_TOKEN=TOKEN
        )
        after = _status(await _ask(proxy.admin_url, stolen))
        events = await _ask(proxy.admin_url, _get("/api/v1/events", f"Authorization: Bearer {TOKEN}"))

    assert (empty, before, code, after) == (2, 200, 0, 401), err
    assert "all sessions of the console are ended" in out
    assert b'"event":"sessions_revoked"' in events
    assert b"laptop lost" in events


async def test_an_attack_that_succeeds_says_so():
    async def open_gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nServer: aiohttp\r\nContent-Length: 7\r\n\r\nhunter2")
        writer.close()

    server = await asyncio.start_server(open_gateway, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    target = Target(url, url, TOKEN, ("hunter2",))

    assert [bool(await attack(target)) for attack in (reads_without_a_token, names_of_programs, seen_secrets)] == [
        True
    ] * 3
    server.close()
