"""A refused form is shown again as it was filled in; error pages fit the client; a phone is enough."""

from __future__ import annotations

import re

import pytest

from dashboards.pages import overview, route
from dashboards.pages.layout import Visitor
from tests.console.browsing import Look
from tests.console.conftest import Browser
from tests.support import views

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("place", "fields", "at_fault", "said"),
    [
        ("/routes/invoice/weight", {"weight": "lots", "reason": "try <it>"}, "weight-weight", "A weight is a number"),
        ("/routes/invoice/rollback", {"reason": "   "}, "rollback-reason", "A reason is required."),
        ("/every-route/rollback", {"reason": "it burns"}, "every-rollback-reason", "Every route has to be ticked"),
        ("{difference}/ignore", {"reason": "agreed", "owner": "o<p>s", "until": "soon"}, "ignore-until", "2027-01-31"),
        ("{difference}/ignore", {"reason": "agreed", "max_rate": "120%"}, "ignore-max_rate", "a share, 0.05 or 5%"),
        ("{difference}/ignore", {"reason": "agreed", "max_rate": "half"}, "ignore-max_rate", "a share, 0.05 or 5%"),
    ],
)
async def test_a_wrong_form_keeps_what_was_written_and_says_what_is_wrong_beside_the_field(
    operator: Browser, place: str, fields: dict[str, str], at_fault: str, said: str
):
    found = re.search(r'href="(/differences/\w+)"', await operator.page("/differences"))
    assert found
    secret = await operator.secret()

    answer = await operator.send(place.format(difference=found[1]), {"secret": secret, **fields})

    page = answer.body.decode()
    assert answer.status == 422
    assert re.search(rf'aria-describedby="wrong-{at_fault}".*?<small id="wrong-{at_fault}"[^>]*>[^<]*{said}', page)
    for name, value in fields.items():
        written = value.replace("<", "&lt;").replace(">", "&gt;")
        assert re.search(rf'<input name="{name}" value="{re.escape(written)}"', page), name


@pytest.mark.parametrize(
    ("place", "value"), [("/differences?since=soon", "soon"), ("/explain?path=no%20slash", "no slash")]
)
async def test_a_wrong_search_keeps_what_was_written_too(viewer: Browser, place: str, value: str):
    page = (await viewer.get(place)).body.decode()

    assert f'value="{value}"' in page
    assert page.count('aria-invalid="true"') == 1


async def test_a_page_of_an_error_fits_who_looks(operator: Browser, viewer: Browser):
    mine, theirs = [(await who.get("/routes/nobody")).body.decode() for who in (operator, viewer)]

    assert "Log out" in mine
    assert "may look, not change" not in mine
    assert "may look, not change" in theirs


PAGES = (
    "/", "/routes/invoice", "/differences", "{difference}", "/data", "/backends", "/events", "/instances", "/report",
    "/explain?path=/x",
)  # fmt: skip


async def test_a_telephone_shows_every_page_without_pushing_it_aside(operator: Browser, look: Look):
    found = re.search(r'href="(/differences/\w+)"', await operator.page("/differences"))
    assert found
    pushed = {}
    async with look(operator.cookie, width=390) as page:  # one window: a new one is half a second of processor time
        for path in PAGES:
            await page.goto(path.format(difference=found[1]))
            pushed[path] = await page.evaluate(TOO_WIDE)
    async with look(operator.cookie, width=390, may_complain=True) as page:
        await page.goto("/nowhere")
        pushed["/nowhere"] = await page.evaluate(TOO_WIDE)

    assert {path: wide for path, wide in pushed.items() if wide} == {}


async def test_a_route_with_a_long_name_leaves_the_columns_where_they_are(look: Look):
    long = views.route(name="a" * 100, path="/" + "b" * 200)
    view = views.view(views.route(), long)
    text = overview.overview(view, (), overview.Wanted(), Visitor(), "")
    one = route.page_of(route.RoutePage(view, long, ()), Visitor(), "")
    async with look(width=1280) as page:
        for html, width in ((text, 1280), (one, 390)):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.goto("/login")
            await page.set_content(html)
            await page.wait_for_load_state("networkidle")

            assert await page.evaluate(TOO_WIDE) == []
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.set_content(text)
        await page.wait_for_load_state("networkidle")
        first, pushed = await page.evaluate(WIDTHS)
        assert first < 400
        assert pushed <= 0


WIDTHS = """() => {
  const scroll = document.querySelector('.scroll');
  return [document.querySelector('#rows th').offsetWidth, scroll.scrollWidth - scroll.offsetWidth];
}"""
TOO_WIDE = """() => document.scrollingElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter((each) => !each.closest('.scroll') && each.offsetWidth
    && each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 120))"""
