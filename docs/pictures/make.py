"""Takes the pictures of the walk-through: the example runs, one cent of its taxes goes wrong.

`make screenshots` writes them beside this file. A maintainer's tool; nothing tests what the pictures look like.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Page

from examples.paymenter.proxied import running_proxy
from examples.paymenter.sides import Database, Legacy, Modern
from examples.paymenter.traffic import drive
from tests.console.browsing import chromium, window

HERE = Path(__file__).resolve().parent
HEALTHY, FAULTY = 40.0, 20.0
"""Seconds of traffic before and after the fault."""
RATE = 30.0
ROUTE = "invoice"


async def main() -> None:
    """Bring the example up, take every picture."""
    with (
        tempfile.TemporaryDirectory(prefix="strangler-pictures-") as folder,
        Database() as database,
        Legacy(database) as legacy,
        Modern(database) as modern,
    ):
        async with running_proxy(legacy.url, modern.url, Path(folder)) as proxy, chromium() as browser:
            await drive(proxy.users, database.key, seconds=HEALTHY, rate=RATE)
            ask("PUT", f"{modern.url}/_example/faults", {"tax": "python"})
            await drive(proxy.users, database.key, seconds=FAULTY, rate=RATE)
            ask("POST", f"{proxy.admin}/api/v1/routes/{ROUTE}/rollback", {"reason": "a cent of tax is missing"})
            traffic = asyncio.create_task(drive(proxy.users, database.key, seconds=25, rate=RATE))
            await asyncio.sleep(12)
            async with window(browser, proxy.admin) as page:
                await take(page, "light", PAGES)
                await page.goto(f"/differences?route={ROUTE}")
                await page.get_by_role("link", name="/tax", exact=True).click()
                await page.screenshot(path=HERE / "difference-light.png", full_page=True)
            async with window(browser, proxy.admin, scheme="dark") as page:
                await take(page, "dark", PAGES[:2])
            await traffic


async def take(page: Page, scheme: str, pages: Sequence[tuple[str, str]]) -> None:
    """Take each page in one scheme of colours."""
    for name, path in pages:
        await page.goto(path)
        await page.screenshot(path=HERE / f"{name}-{scheme}.png", full_page=True)


PAGES = (
    ("overview", "/"),
    ("route", f"/routes/{ROUTE}?span=15m"),
    ("differences", "/differences"),
    ("explain", "/explain?method=GET&path=/api/v1/admin/invoices/7&user=42"),
    ("backends", "/backends"),
    ("events", "/events"),
    ("report", "/report"),
)


def ask(method: str, url: str, body: dict[str, object]) -> None:
    """Send JSON."""
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(  # noqa: S310 - addresses of our own
        urllib.request.Request(url, json.dumps(body).encode(), headers, method=method),  # noqa: S310
        timeout=10,
    ).close()


if __name__ == "__main__":
    asyncio.run(main())
