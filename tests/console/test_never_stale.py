"""A page shows the present state, however long it was in the background; where it cannot, it says so."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Route, expect

from tests.console.browsing import Look, hide
from tests.console.conftest import OPERATOR, Browser
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")
AS_OPERATOR = f"Authorization: Bearer {OPERATOR}"
SEEN = {
    "/": ("#route-invoice .badge", "rolled back"),
    "/routes/invoice": ("#where .badge", "rolled back"),
    "/events": ("#trail tbody tr:first-child", "rollback"),
}


async def act(proxy: Running, verb: str, reason: str = "behind the scenes") -> None:
    answer = await proxy.admin(f"/api/v1/routes/invoice/{verb}", AS_OPERATOR, method="POST", body={"reason": reason})
    assert answer.status == 200, answer.body


@contextlib.asynccontextmanager
async def resumed_afterwards(proxy: Running) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await act(proxy, "resume")


@pytest.mark.parametrize("path", SEEN)
async def test_a_hidden_tab_that_comes_back_shows_what_happened_meanwhile(
    proxy: Running, operator: Browser, look: Look, path: str
):
    selector, text = SEEN[path]
    async with look(operator.cookie) as page, resumed_afterwards(proxy):
        async with page.expect_response("**/live*"):
            await page.goto(path)
        await hide(page, is_hidden=True)
        await act(proxy, "rollback")
        await expect(page.locator(selector)).not_to_contain_text(text)

        await hide(page, is_hidden=False)

        await expect(page.locator(selector)).to_contain_text(text)


async def test_a_change_between_drawing_and_streaming_is_shown(proxy: Running, operator: Browser, look: Look):
    async def late(stream: Route) -> None:
        await act(proxy, "rollback")
        await stream.continue_()

    async with look(operator.cookie) as page, resumed_afterwards(proxy):
        await page.route("**/live*", late, times=1)
        await page.goto("/routes/invoice")

        await expect(page.locator("#where .badge")).to_have_text("rolled back")


async def test_buttons_are_those_that_do_something_now(proxy: Running, operator: Browser, look: Look):
    async with look(operator.cookie) as page, resumed_afterwards(proxy):
        await page.goto("/routes/invoice")
        back, again = (page.get_by_role("button", name=name, exact=True) for name in ("Roll back", "Resume"))
        await expect(back).to_be_visible()
        await expect(again).to_be_hidden()

        await act(proxy, "rollback")

        await expect(again).to_be_visible()
        await expect(back).to_be_hidden()


async def test_what_is_typed_stays_while_its_button_cannot_be_pressed(proxy: Running, operator: Browser, look: Look):
    async with look(operator.cookie) as page, resumed_afterwards(proxy):
        await page.goto("/routes/invoice")
        form = page.locator("form.rollback")
        await form.get_by_label("Reason").fill("I was about to")

        await act(proxy, "rollback")

        await expect(form.get_by_role("button")).to_be_disabled()
        await expect(form.get_by_label("Reason")).to_have_value("I was about to")


async def test_a_row_that_comes_to_be_asked_for_appears_and_one_that_is_no_more_goes(
    proxy: Running, operator: Browser, look: Look
):
    async with look(operator.cookie) as page, resumed_afterwards(proxy):
        await page.goto("/?stage=rolled_back")
        await expect(page.get_by_text("No route matches this filter.")).to_be_visible()

        await act(proxy, "rollback")

        await expect(page.locator("#route-invoice")).to_contain_text("rolled back")
        await expect(page.get_by_text("No route matches this filter.")).to_be_hidden()

        await act(proxy, "resume")

        await expect(page.locator("#rows tr")).to_have_count(0)
        await act(proxy, "rollback")


async def test_a_page_whose_stream_is_lost_says_so_and_since_when(operator: Browser, look: Look):
    async with look(operator.cookie, may_complain=True) as page:
        await page.goto("/")
        await expect(page.locator("#lost")).to_be_hidden()
        await page.route("**/live*", lambda stream: stream.abort())
        await hide(page, is_hidden=True)

        await hide(page, is_hidden=False)

        await expect(page.get_by_role("alert")).to_contain_text("connection to the proxy is lost")
        await expect(page.locator("#known")).to_contain_text("UTC")
        await page.unroute("**/live*")
        await expect(page.locator("#lost")).to_be_hidden()


async def test_a_moment_has_the_readers_clock_beside_it(operator: Browser, look: Look):
    async with look(operator.cookie, timezone="Asia/Kolkata") as page:
        await page.goto("/instances")

        for moment in (page.locator("#file time"), page.locator("#state time")):
            await expect(moment).to_contain_text("UTC (")
            await expect(moment).to_contain_text("here)")
