"""Access to the console: with which token, to what."""

from __future__ import annotations

import pytest

from tests.console.conftest import OPERATOR, VIEWER, Browser
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = ("/", "/routes/invoice", "/differences", "/data", "/explain", "/events", "/instances", "/report")


@pytest.mark.parametrize("path", [*PAGES, "/routes/invoice?span=15m"])
async def test_a_stranger_is_led_to_the_login_and_back(stranger: Browser, path: str):
    answer = await stranger.get(path)

    assert (answer.status, answer.body) == (303, b"")
    assert (await stranger.get(answer.field("Location") or "")).status == 200
    place = (answer.field("Location") or "").partition("next=")[2]
    entered = await stranger.log_in(VIEWER, next=place.replace("%2F", "/").replace("%3F", "?").replace("%3D", "="))
    assert entered.field("Location") == path


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites_and_is_not_the_token(stranger: Browser):
    cookie = (await stranger.log_in(OPERATOR)).field("Set-Cookie") or ""

    assert OPERATOR not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie


async def test_behind_tls_the_cookie_stays_there(stranger: Browser):
    answer = await stranger.send("/login", {"token": OPERATOR}, "X-Forwarded-Proto: https")

    assert "Secure" in (answer.field("Set-Cookie") or "")


@pytest.mark.parametrize("token", ["", "wrong", "the-operators-tokenX", "é"])
async def test_a_wrong_token_opens_nothing(stranger: Browser, token: str):
    answer = await stranger.log_in(token)

    assert (answer.status, answer.field("Set-Cookie")) == (401, None)
    assert (await stranger.get("/")).status == 303


@pytest.mark.parametrize("place", ["https://evil.test/", "//evil.test", "/\\evil.test", "/login", "", "javascript:x"])
async def test_nobody_is_sent_elsewhere_after_the_login(stranger: Browser, place: str):
    assert (await stranger.log_in(VIEWER, next=place)).field("Location") == "/"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_comes_under_a_strict_policy(viewer: Browser, path: str):
    answer = await viewer.get(path)

    policy = answer.field("Content-Security-Policy") or ""
    assert answer.status == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"style=" not in answer.body
    assert b"<script>" not in answer.body
    assert b" onclick" not in answer.body


async def test_whoever_may_only_look_sees_no_form_and_can_send_none(viewer: Browser):
    page = await viewer.page("/routes/invoice")
    secret = await viewer.secret("/")

    answer = await viewer.send("/routes/invoice/rollback", {"secret": secret, "reason": "x"})

    assert 'action="/routes/' not in page
    assert answer.status == 403


async def test_logging_out_takes_the_cookie_away(operator: Browser):
    answer = await operator.send("/logout", {"secret": await operator.secret()})

    assert (answer.status, answer.field("Location")) == (303, "/login?told=bye")
    assert 'strangler_session="";' in (answer.field("Set-Cookie") or "")


async def test_a_cookie_opens_the_api_as_well(viewer: Browser, proxy: Running):
    assert (await viewer.get("/api/v1/status")).status == 200
    assert (await proxy.admin("/api/v1/status")).status == 401


async def test_a_program_gets_a_problem_and_a_person_a_page(viewer: Browser):
    page = await viewer.get("/routes/nobody")
    problem = await viewer.proxy.admin("/routes/nobody", f"Authorization: Bearer {VIEWER}")

    assert (page.status, problem.status) == (404, 404)
    assert b"<h1>Not Found</h1>" in page.body
    assert problem.field("Content-Type") == "application/problem+json"


@pytest.mark.parametrize("name", ["console.css", "console.js", "icon.svg"])
async def test_what_pages_are_made_of_needs_no_login_and_is_asked_for_once(stranger: Browser, name: str):
    answer = await stranger.get(f"/static/{name}")
    again = await stranger.proxy.admin(f"/static/{name}", f"If-None-Match: {answer.field('ETag')}")

    assert (answer.status, again.status, again.body) == (200, 304, b"")
