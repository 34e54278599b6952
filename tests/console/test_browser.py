"""An operator with a browser: finds a cent that is missing, rolls back, sees it happen."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.console.browsing import Look, hide
from tests.console.conftest import OPERATOR, VIEWER, Browser
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")
AS_OPERATOR = f"Authorization: Bearer {OPERATOR}"


async def test_an_operator_finds_a_missing_cent_rolls_the_route_back_and_resumes_it(proxy: Running, look: Look):
    async with look() as page:
        await page.goto("/")
        await page.get_by_label("Token").fill(OPERATOR)
        await page.get_by_label("Your name").fill("anna")
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("link", name="not judged yet").click()
        await page.get_by_role("link", name="/items/*/amount").click()
        marked = page.locator("tr.marked").first
        await expect(marked).to_contain_text("2.21")
        await expect(marked).to_contain_text("2.20")

        await page.get_by_role("link", name="invoice", exact=True).click()
        rollback = page.locator("form.rollback")
        await rollback.get_by_label("Reason").fill("a cent is missing")
        await rollback.get_by_role("button", name="Roll back").click()

        await expect(page.locator("#where")).to_contain_text("a cent is missing")
        await expect(page.locator("#where .badge")).to_have_text("rolled back")
        answers = [(await proxy.get("/api/invoices/7", f"Cookie: uid={user}")).body for user in range(20)]
        assert all(b"2.21" in body for body in answers)

        card = page.locator("#where .trouble")
        await expect(card).to_contain_text("Every request goes to legacy now")
        await expect(card.locator("tr.marked").first).to_contain_text("2.20")
        await expect(card.locator("details pre").last).to_contain_text("preset: php")

        await hide(page, is_hidden=True)
        await proxy.admin("/api/v1/routes/invoice/resume", AS_OPERATOR, method="POST", body={"reason": "found"})
        await expect(page.locator("#where .badge")).to_have_text("rolled back")
        await hide(page, is_hidden=False)
        await expect(page.locator("#where .badge")).to_have_text("canary")
        await expect(rollback.get_by_role("button")).to_be_visible()

        await rollback.get_by_label("Reason").fill("once more")
        await rollback.get_by_role("button").click()
        again = page.locator("form.resume")
        await again.get_by_label("Reason").fill("the cent is there")
        await again.get_by_role("button", name="Resume").click()
        await expect(page.locator("#where .badge")).to_have_text("canary")
        await page.goto("/events")
        await expect(page.locator("#trail tbody tr").first).to_contain_text("console:anna")
        await expect(page.locator("#trail tbody tr").first).to_contain_text("the cent is there")


async def test_a_page_follows_what_others_do_while_somebody_looks_and_types(
    proxy: Running, operator: Browser, look: Look
):
    async with look(operator.cookie) as page:
        await page.goto("/routes/invoice")
        reason = page.locator("form.hold").get_by_label("Reason")
        await reason.fill("I am still writing")

        await proxy.admin("/api/v1/routes/invoice/hold", AS_OPERATOR, method="POST", body={"reason": "freeze"})

        await expect(page.locator("#where .badge")).to_have_text("held")
        await expect(page.locator("#events tbody tr").first).to_contain_text("freeze")
        await expect(reason).to_have_value("I am still writing")
    await proxy.admin("/api/v1/routes/invoice/resume", AS_OPERATOR, method="POST", body={"reason": "thaw"})


async def test_reading_needs_no_script(viewer: Browser, look: Look):
    async with look(viewer.cookie, script=False) as page:
        for path in (
            "/", "/routes/invoice", "/differences", "/explain?path=/x", "/events", "/backends", "/instances", "/report",
        ):  # fmt: skip
            await page.goto(path)

            await expect(page.locator("h1")).to_be_visible()
            await expect(page.locator("#state")).to_contain_text("ready")


async def test_a_keyboard_is_enough_and_a_screen_reader_hears_names(operator: Browser, look: Look):
    async with look(operator.cookie) as page:
        await page.goto("/")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("To the content")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()

        await page.goto("/routes/invoice")
        assert await page.evaluate(NAMELESS) == []
        await expect(page.get_by_role("img", name="Weight:")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(operator: Browser, look: Look, scheme: str):
    async with look(operator.cookie, scheme=scheme) as page:
        await page.goto("/routes/invoice")

        faint = await page.evaluate(CONTRAST)

    assert faint == []


async def test_whoever_may_only_look_has_no_buttons(look: Look):
    async with look() as page:
        await page.goto("/routes/invoice")
        await page.get_by_label("Token").fill(VIEWER)
        await page.get_by_role("button", name="Log in").click()

        await expect(page.locator("h1")).to_have_text("invoice")
        assert await page.locator("form.verb").count() == 0


NAMELESS = """() =>
  [...document.querySelectorAll('input:not([type=hidden]), button, a, select, svg, table')]
    .filter(each => !(each.labels?.length || each.textContent.trim() || each.ariaLabel)).map(each => each.outerHTML)
"""
"""Finds what a screen reader could only call by its kind."""
CONTRAST = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const linear = value => value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const light = rgb => rgb.slice(0, 3).reduce((sum, v, i) => sum + linear(v / 255) * [.2126, .7152, .0722][i], 0);
  const ground = each => {
    for (; each; each = each.parentElement) {
      const found = parts(getComputedStyle(each).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return parts(getComputedStyle(document.body).backgroundColor);
  };
  const says = each => [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll('body *')]
    .filter(each => each.offsetParent && !each.closest('.hidden, .skip, svg') && says(each))
    .filter(each => {
      const both = [light(parts(getComputedStyle(each).color)), light(ground(each))].sort((x, y) => y - x);
      return (both[0] + .05) / (both[1] + .05) < 4.5;
    }).map(each => each.outerHTML.slice(0, 120));
}"""
"""Finds texts below the contrast that WCAG 2.1 asks for (1.4.3, level AA)."""
