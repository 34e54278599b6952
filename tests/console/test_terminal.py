"""The same facts on a terminal: the report, the status that follows."""

from __future__ import annotations

import asyncio
import os
import pty
import signal

import orjson
import pytest

from tests.architecture.source import ROOT
from tests.console.conftest import VIEWER
from tests.support.running import Running, command, run_command

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOKEN = {"STRANGLER_VIEW_TOKEN": VIEWER}


async def test_the_report_is_markdown_a_page_or_json(proxy: Running):
    asked = ("report", "-c", str(proxy.file), "--admin", proxy.admin_url)

    code, text, _ = await run_command(*asked, **TOKEN)
    _, page, _ = await run_command(*asked, "--format", "html", **TOKEN)
    _, document, _ = await run_command(*asked, "--json", **TOKEN)

    assert code == 0
    assert text.startswith("# Migration report, ")
    assert "| invoice |" in text
    assert page.startswith("<!doctype html>")
    assert [route["name"] for route in orjson.loads(document)["routes"]] == ["invoice", "steps", "_default"]


async def test_without_the_token_there_is_no_report(proxy: Running):
    code, _, errors = await run_command("report", "-c", str(proxy.file), "--admin", proxy.admin_url)

    assert code != 0
    assert "a token is needed" in errors


async def test_a_watched_status_is_drawn_again_until_somebody_has_seen_enough(proxy: Running):
    mine, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command("status", "--watch", "-c", str(proxy.file), "--admin", proxy.admin_url),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, **TOKEN, "TERM": "xterm", "COLUMNS": "160", "LINES": "50"},
    )
    os.close(theirs)
    screen = await asyncio.to_thread(read_until, mine, b"invoice", 2)
    process.send_signal(signal.SIGINT)
    rest = await asyncio.to_thread(read_until, mine, b"\0never", 1)
    os.close(mine)

    assert screen.count(b"invoice") >= 2, screen
    assert await process.wait() == 0, rest


def read_until(terminal: int, wanted: bytes, times: int) -> bytes:
    """Read a terminal until something was there so many times, or until it is closed."""
    seen = b""
    while seen.count(wanted) < times:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    return seen
