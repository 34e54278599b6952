"""Drives Debian's Chromium, through Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, async_playwright

PATIENCE = 60_000.0
"""Milliseconds that a page may take on a busy machine."""
Look = Callable[..., AbstractAsyncContextManager[Page]]


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """One browser process."""
    path = shutil.which("chromium")
    assert path, "Debian's chromium is not installed: deploy/need.sh chromium:chromium"
    async with async_playwright() as playwright:
        # no sandbox: tests run as root, on pages of our own
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def window(
    browser: Chromium,
    url: str,
    cookie: str = "",
    *,
    scheme: str = "light",
    script: bool = True,
    height: int = 900,
    width: int = 1280,
    timezone: str = "UTC",
    may_complain: bool = False,
) -> AsyncIterator[Page]:
    """A page of a visitor with `cookie` and nothing else; complaints of the page are errors."""
    complaints: list[str] = []
    context = await browser.new_context(
        base_url=url,
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        timezone_id=timezone,
        viewport={"width": width, "height": height},
    )
    try:
        context.set_default_timeout(PATIENCE)
        if cookie:
            name, _, value = cookie.partition("=")
            await context.add_cookies([{"name": name, "value": value, "url": url}])
        page = await context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    finally:
        await context.close()
    assert complaints == [] or may_complain


async def hide(page: Page, *, is_hidden: bool) -> None:
    """What a browser says of a tab when another one is looked at; a headless one shows all its tabs."""
    state = "hidden" if is_hidden else "visible"
    await page.evaluate(f"""() => {{
      Object.defineProperty(document, 'hidden', {{value: {str(is_hidden).lower()}, configurable: true}});
      Object.defineProperty(document, 'visibilityState', {{value: '{state}', configurable: true}});
      document.dispatchEvent(new Event('visibilitychange'));
    }}""")
