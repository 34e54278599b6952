"""What the console's pages show of a running proxy."""

from __future__ import annotations

import re

import pytest

from tests.console.conftest import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_overview_shows_every_route_and_what_needs_a_person(viewer: Browser):
    page = await viewer.page("/")

    assert 'id="route-invoice"' in page
    assert 'id="route-steps"' in page
    assert "invoice: 1 difference not judged yet" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=STEPS", ["steps"]),
        ("q=/api/inv", ["invoice"]),
        ("q=invoice&stage=canary", ["invoice"]),
        ("q=invoice&stage=modern", []),
        ("q=zzz", []),
    ],
)
async def test_routes_are_found_by_name_path_and_stage(viewer: Browser, query: str, shown: list[str]):
    assert re.findall(r'id="route-([a-z_]+)"', await viewer.page(f"/?{query}")) == shown


async def test_what_somebody_types_stays_text(viewer: Browser):
    page = await viewer.page("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    explained = await viewer.page("/explain?path=/%3Cimg%20src=x%3E&user=%3Cb%3E")

    assert "<script>alert" not in page
    assert "<img" not in explained
    assert "<b>" not in explained


async def test_a_route_shows_both_sides_the_guard_and_its_place_in_the_file(viewer: Browser):
    page = await viewer.page("/routes/invoice")

    assert "GET /api/invoices/{id}" in page
    assert "proxy.yaml, line 10" in page
    assert "limit 5 %" in page
    drawn = page.split('id="charts"')[1].split("</section>")[0]  # more are drawn beside the checks that have evidence
    assert drawn.count("<svg") == 6
    for block in ("sides", "guard", "compare", "charts", "differences", "events"):
        assert f'id="{block}"' in page


async def test_a_difference_shows_both_answers_with_the_place_marked(viewer: Browser):
    listed = await viewer.page("/differences")
    place = re.search(r'href="(/differences/\w+)"', listed)
    assert place

    page = await viewer.page(place[1])

    marked = re.search(r'<tr class="marked">(.*?)</tr>', page, re.DOTALL)
    assert marked
    assert "2.21" in marked[1]
    assert "2.20" in marked[1]
    assert "/items/*/amount" in page


async def test_a_difference_can_be_asked_again_by_other_tools(viewer: Browser):
    place = re.search(r'href="(/differences/\w+)"', await viewer.page("/differences"))
    assert place

    blocks = re.findall(r'<pre class="whole" tabindex="0">(.*?)</pre>', await viewer.page(place[1]), re.DOTALL)

    assert len(blocks) % 3 == 0
    assert re.search(r"(?m)^curl -ig .* http://127\.0\.0\.1:\d+/api/invoices/7$", blocks[0])
    assert "### modern" in blocks[1]
    assert "def test_both_sides_mean_the_same" in blocks[2]
    assert all("are not stored" in block for block in blocks)


async def test_differences_that_were_gone_when_asked_again_are_a_list_of_their_own(viewer: Browser):
    usual, gone = await viewer.page("/differences?route=invoice"), await viewer.page("/differences?transient=1")

    assert "/items/*/amount" in usual
    assert "/items/*/amount" not in gone
    assert 'name="transient" value="1" checked' in gone


async def test_a_difference_that_is_not_there_any_more_is_said_to_be_gone(viewer: Browser):
    assert (await viewer.get("/differences/0000000000000000")).status == 404
    assert (await viewer.get("/differences?since=yesterday")).status == 422


async def test_explain_says_where_a_request_would_go_step_by_step(viewer: Browser):
    page = await viewer.page("/explain?method=GET&path=/api/invoices/7&user=42")
    wrong = await viewer.page("/explain?path=nonsense")

    assert 'href="/routes/invoice"' in page
    assert "<ol><li>" in page
    assert "A path begins with a slash." in wrong


async def test_backends_show_every_target_with_its_state_and_load(viewer: Browser):
    page = await viewer.page("/backends")

    assert re.findall(r"<h2>(\w+)</h2>", page) == ["legacy", "modern"]
    assert len(re.findall(r'<span class="badge good">up</span>', page)) == 2
    assert len(re.findall(r'<th scope="row"><code>http://127\.0\.0\.1:\d+</code></th>', page)) == 2
    assert 'href="/backends" aria-current="page"' in page


async def test_instances_show_who_serves_with_what(viewer: Browser):
    page = await viewer.page("/instances")

    assert "accepts" in page
    assert "Nothing" not in page.partition("Configuration")[2]


async def test_the_report_shows_both_sides_of_every_route(viewer: Browser):
    page = await viewer.page("/report")
    as_text = await viewer.get("/api/v1/report?format=md")
    as_page = await viewer.get("/api/v1/report?format=html")

    assert '<th scope="row">invoice</th>' in page
    assert b"| invoice | canary |" in as_text.body
    assert "sha256-" in (as_page.field("Content-Security-Policy") or "")
    assert (await viewer.get("/api/v1/report?format=pdf")).status == 422
