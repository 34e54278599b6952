"""The console of a running proxy with tokens, and two sides that differ by one cent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from tests.console.browsing import Look, chromium, window
from tests.journeys.answering import patiently
from tests.support import raw
from tests.support.backend import Backend, ok
from tests.support.messages import Message
from tests.support.running import Running, running

OPERATOR, VIEWER = "the-operators-token", "the-viewers-token"
LEGACY = (
    b'{"id": 7, "currency": "EUR", "items": [{"name": "rent", "amount": "10.50"}, {"name": "tax", "amount": "2.21"}]}'
)
MODERN = LEGACY.replace(b'"2.21"', b"2.20").replace(b'"10.50"', b"10.50")
FILE = """\
version: 1
listen: {{address: "127.0.0.1:0", workers: 1, drain: 2s}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
identity: ["cookie:uid"]
routes:
  - name: invoice
    match: {{path: "/api/invoices/{{id}}", methods: [GET]}}
    rollout: {{weight: 50}}
    shadow: {{sample: 100%, recheck: {{after: 100ms, per_minute: 600}}}}
    compare: {{preset: php}}
    invariants: [{{name: two_items, expr: "count(modern:/items) == 2"}}]
    guard: {{on_breach: observe, mismatch_rate: 100%}}
  - name: steps
    match: {{path: /api/steps}}
    rollout: {{steps: [{{weight: 1, for: 1h}}, {{weight: 50, for: 1h, approve: manual}}, {{weight: 100}}]}}
"""
JSON = ("Content-Type: application/json",)


@dataclass
class Browser:
    """Somebody with a browser that keeps one cookie; forms are sent as their page made them."""

    proxy: Running
    cookie: str = ""
    headers: tuple[str, ...] = ("Accept: text/html",)
    seen: list[str] = field(default_factory=list)

    async def get(self, path: str) -> Message:
        return await self.proxy.admin(path, *self._lines())

    async def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = await self.get(path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.body.decode()

    async def send(self, path: str, fields: Mapping[str, str], *lines: str) -> Message:
        """Send a form."""
        host, _, port = self.proxy.admin_url.removeprefix("http://").rpartition(":")
        body = urlencode(fields).encode()
        head = (*self._lines(), *lines, "Content-Type: application/x-www-form-urlencoded", "Connection: close")
        client = await raw.connect((host, int(port)))
        try:
            return await client.ask(raw.post(body, *head, target=path).replace(b"example.test", b"127.0.0.1", 1))
        finally:
            client.close()

    async def secret(self, path: str = "/routes/invoice") -> str:
        """What a page of ours puts into its forms."""
        found = re.search(r'name="secret" value="(\w+)"', await self.page(path))
        assert found
        return found[1]

    async def log_in(self, token: str, **fields: str) -> Message:
        answer = await self.send("/login", {"token": token, **fields})
        self.cookie = (answer.field("Set-Cookie") or "").partition(";")[0] or self.cookie
        return answer

    def _lines(self) -> tuple[str, ...]:
        return (*self.headers, *((f"Cookie: {self.cookie}",) if self.cookie else ()))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Runs as long as the tests of this folder; some differences are stored before the first of them."""
    kind = "Content-Type: application/json"
    sides = [Backend(patiently(ok(body, kind))) for body in (LEGACY, MODERN)]
    for side in sides:
        await side.start()
    text = FILE.format(legacy=sides[0].url, modern=sides[1].url)
    tokens = {"STRANGLER_ADMIN_TOKEN": OPERATOR, "STRANGLER_VIEW_TOKEN": VIEWER}
    async with running(tmp_path_factory.mktemp("console"), text, **tokens) as proxy:
        await differences_are_stored(proxy)
        yield proxy
    for side in sides:
        await side.stop()


async def differences_are_stored(proxy: Running) -> None:
    """Wait until what was compared can be read; a worker that has just started may leave copies out for a second."""
    for round_ in range(100):
        for user in range(20 if round_ % 20 == 0 else 0):
            await proxy.get("/api/invoices/7", f"Cookie: uid={user}")
        answer = await proxy.admin("/api/v1/diffs", f"Authorization: Bearer {VIEWER}")
        if b"amount" in answer.body:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("no difference was ever stored", proxy.events[-5:])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def look(proxy: Running) -> AsyncIterator[Look]:
    """Opens windows of one Chromium on the proxy."""
    async with chromium() as browser:
        yield partial(window, browser, proxy.admin_url)


@pytest_asyncio.fixture(loop_scope="session")
async def operator(proxy: Running) -> Browser:
    browser = Browser(proxy)
    await browser.log_in(OPERATOR, name="anna")
    return browser


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(proxy: Running) -> Browser:
    browser = Browser(proxy)
    await browser.log_in(VIEWER)
    return browser


@pytest.fixture
def stranger(proxy: Running) -> Browser:
    return Browser(proxy)
