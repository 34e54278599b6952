"""A client that knows only the old contract signs in, registers, fills in forms, on whichever side."""

from __future__ import annotations

import asyncio
import gzip
import re
import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from examples.paymenter.seed import PASSWORD
from tests.examples.asking import ask
from tests.journeys.answering import patiently
from tests.journeys.configs import Settings, between, repository, route, weighing
from tests.journeys.stage import Sides, Visits, Workshop
from tests.journeys.visiting import FORM, JSON, Visitor, count, json_of, side_of, users_on
from tests.support.backend import Backend, ok
from tests.support.messages import Message
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

EMAIL = "client77@example.com"
TOKEN = re.compile(r'name="_token" value="([^"]+)"')


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=[0, 50, 100], ids=lambda weight: f"weight-{weight}"
)
async def weight(request: pytest.FixtureRequest, workshop: Workshop, sides: Sides) -> AsyncIterator[int]:
    """So many percent of the logins, so many of the registrations are modern's."""
    await workshop.adopt(sides.file(weighing(request.param, "login", "register")))
    yield request.param


async def _sign_in(client: Visitor, username: str = EMAIL, password: str = PASSWORD) -> Message:
    return await client.fill("/oauth/token", {"username": username, "password": password, "grant_type": "password"})


async def _from_each(weight: int, client: Visitor, *credentials: str) -> list[Message]:
    """An answer of every side that this weight lets answer."""
    wanted = {0: {"legacy"}, 50: {"legacy", "modern"}, 100: {"modern"}}[weight]
    found: dict[str, Message] = {}
    for _ in range(60):
        answer = await _sign_in(client, *credentials)
        found[side_of(answer)] = answer
        if wanted == found.keys() and (weight == 50 or len(found) == 1):
            break
    assert found.keys() == wanted
    return list(found.values())


# ── signing in ──


async def test_the_old_login_gives_a_token_in_the_old_form_that_both_sides_accept(
    weight: int, workshop: Workshop, sides: Sides, visit: Visits
):
    answers = await _from_each(weight, visit(workshop))

    for answer in answers:
        token = json_of(answer)
        assert answer.status == 200
        assert list(token) == ["token_type", "expires_in", "access_token"]
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        assert ask(sides.legacy, "GET", "/api/me", headers=bearer).json["email"] == EMAIL
        assert ask(sides.modern, "GET", "/api/v1/profile/me", headers=bearer).json["email"] == EMAIL


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ((EMAIL, "wrong"), 401),
        (("nobody@example.com", PASSWORD), 401),
        (("client34@example.com", PASSWORD), 403),
        ((EMAIL, ""), 422),
    ],
    ids=["wrong-password", "nobody", "disabled", "no-password"],
)
async def test_a_refused_login_is_refused_in_the_old_words(
    weight: int, workshop: Workshop, visit: Visits, credentials: tuple[str, str], status: int
):
    answers = await _from_each(weight, visit(workshop), *credentials)

    for answer in answers:
        assert answer.status == status
        assert isinstance(json_of(answer)["message"], str), json_of(answer)


async def test_a_login_whose_form_comes_in_chunks_is_translated_all_the_same(
    weight: int, workshop: Workshop, visit: Visits
):
    form = urlencode({"username": EMAIL, "password": PASSWORD}).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (form[:7], form[7:30], form[30:])) + b"0\r\n\r\n"
    client = visit(workshop)

    answers = [
        await client.send(
            b"POST /oauth/token HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n"
            + f"{FORM}\r\n\r\n".encode()
            + chunks
        )
        for _ in range(6)
    ]

    assert {answer.status for answer in answers} == {200}
    assert all(json_of(answer)["access_token"] for answer in answers)
    if weight != 50:
        assert {side_of(answer) for answer in answers} == {"modern" if weight else "legacy"}


def _multipart(**fields: str) -> tuple[str, bytes]:
    parts = [
        f'--boundary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "Content-Type: multipart/form-data; boundary=boundary", "".join([*parts, "--boundary--\r\n"]).encode()


_LOGIN = urlencode({"username": EMAIL, "password": PASSWORD}).encode()
UNTRANSLATABLE = {
    "multipart": (*_multipart(username=EMAIL, password=PASSWORD), 200),
    "oversized": (FORM, _LOGIN + b"&padding=" + b"x" * 1_100_000, 200),
    "not-utf-8": (FORM, _LOGIN + b"&note=%ff%fe", 200),
    "not-ascii": (FORM, _LOGIN + b"&note=\xff\xfe", 200),
    "too-many-fields": (FORM, _LOGIN + b"&a=1" * 1100, 200),
    "nested-too-deeply": (FORM, _LOGIN + b"&a" + b"[b]" * 40 + b"=1", 200),
    "packed-unreadably": (f"{FORM}\r\nContent-Encoding: compress", gzip.compress(_LOGIN), 422),
    "no-media-type": ("X-Nothing: here", _LOGIN, 422),
    "json": (JSON, b'{"username": "x", "password": "y"}', 422),
}


@pytest.mark.usefixtures("weight")
@pytest.mark.parametrize("kind", UNTRANSLATABLE)
async def test_a_login_that_cannot_be_translated_is_answered_by_legacy(
    workshop: Workshop, sides: Sides, visit: Visits, kind: str
):
    media, body, expected = UNTRANSLATABLE[kind]
    client = visit(workshop)

    answers = [await client.ask("POST", "/oauth/token", *media.split("\r\n"), body=body) for _ in range(3)]

    name, _, value = media.partition("\r\n")[0].partition(": ")
    direct = ask(sides.legacy, "POST", "/oauth/token", body=body, headers={name: value})
    assert [(side_of(answer), answer.status) for answer in answers] == [("legacy", expected)] * 3
    assert direct.status == expected
    if expected != 200:
        assert answers[0].body == direct.body


# ── registering ──


def _person() -> dict[str, str]:
    return {
        "first_name": "Nora",
        "last_name": "Nieuw",
        "email": f"{uuid.uuid4().hex}@example.net",
        "password": "pässword & more+",
    }


async def _registered(weight: int, client: Visitor, person: dict[str, str] | None = None) -> dict[str, Message]:
    wanted = {0: {"legacy"}, 50: {"legacy", "modern"}, 100: {"modern"}}[weight]
    found: dict[str, Message] = {}
    for _ in range(60):
        answer = await client.fill("/register", person or _person())
        found[side_of(answer)] = answer
        if found.keys() >= wanted:
            break
    assert found.keys() == wanted
    return found


@pytest.mark.usefixtures("weight")
async def test_a_registration_of_the_old_form_makes_one_account_that_can_sign_in(
    workshop: Workshop, sides: Sides, visit: Visits
):
    client, person = visit(workshop), _person()

    answer = await client.fill("/register", person)
    signed_in = await _sign_in(client, person["email"], person["password"])

    assert (answer.status, json_of(answer)["email"]) == (201, person["email"])
    assert count(sides.database, "users", "email = ?", person["email"]) == 1
    assert (signed_in.status, json_of(signed_in)["token_type"]) == (200, "Bearer")


async def test_a_new_account_is_shown_with_the_members_that_the_old_contract_has(
    weight: int, workshop: Workshop, sides: Sides, visit: Visits
):
    direct = ask(sides.legacy, "POST", "/register", form=_person())

    found = await _registered(weight, visit(workshop))

    for answer in found.values():
        assert json_of(answer).keys() == direct.json.keys()


async def test_an_address_that_is_taken_is_refused_in_the_old_words(weight: int, workshop: Workshop, visit: Visits):
    found = await _registered(weight, visit(workshop), {**_person(), "email": EMAIL})

    for answer in found.values():
        assert answer.status == 422
        assert isinstance(json_of(answer).get("message"), str), json_of(answer)


# ── forms in a browser ──


async def _browser(proxy: Running, visit: Visits, user: int) -> Visitor:
    """Somebody who signs in on the old page, as people do."""
    browser = visit(proxy, signed_in=False)
    page = await browser.get("/login")
    token = TOKEN.search(page.body.decode())
    assert token
    form = {"_token": token[1], "email": f"client{user}@example.com", "password": PASSWORD}
    answer = await browser.fill("/login", form)
    assert (answer.status, answer.field("location")) == (302, f"{proxy.users}/profile/edit")
    return browser


@pytest.mark.parametrize("side", ["legacy", "modern"])
async def test_a_form_with_its_csrf_token_is_filled_in_saved_shown_again(
    shop: Running, sides: Sides, visit: Visits, side: str
):
    user = users_on(side, "account", 25)[4]
    browser = await _browser(shop, visit, user)
    assert browser.cookies["uid"] == str(user)

    page = await browser.get("/profile/edit")
    token = TOKEN.search(page.body.decode())
    assert token
    form = {"_token": token[1], "first_name": f"Zoë <{user}>", "last_name": "O'Form"}
    saved = await browser.fill("/profile/edit", form)
    again = await browser.get("/profile/edit?saved=1")
    forged = await browser.fill("/profile/edit", {**form, "_token": "forged", "first_name": "Mallory"})

    assert {side_of(answer) for answer in (page, saved, again, forged)} == {side}
    assert saved.status == (302 if side == "legacy" else 303)
    assert saved.field("location") == f"{shop.users}/profile/edit?saved=1"
    assert "Your changes were saved." in again.body.decode()
    assert forged.status == 419
    assert count(sides.database, "users", "id = ? AND first_name = ?", user, f"Zoë <{user}>") == 1


async def test_no_answer_of_either_side_shows_where_it_came_from(shop: Running, sides: Sides, visit: Visits):
    users = (users_on("legacy", "account", 25)[5], users_on("modern", "account", 25)[5])
    ports = [str(side.port) for side in (sides.legacy, sides.modern)]
    seen = []
    for user in users:
        browser = await _browser(shop, visit, user)
        stranger = visit(shop, user, signed_in=False)  # known by the cookie, signed in nowhere: sent to the login page

        seen += [await browser.get("/profile/edit"), await stranger.get("/profile/edit"), await browser.get("/")]

    assert {answer.status for answer in seen} == {200, 302, 303}
    for answer in seen:
        shown = "\n".join(value for _, value in answer.fields) + answer.body.decode()
        assert not [port for port in ports if f":{port}" in shown]
        if location := answer.field("location"):
            assert location.startswith(f"{shop.users}/")


@pytest.mark.parametrize("side", ["legacy", "modern"])
async def test_a_redirect_that_names_a_backend_leads_through_the_proxy_where_the_file_says_rewrite(
    workshop: Workshop, visit: Visits, side: str
):
    """An application that prints the address it listens on, as one without a word about proxies does."""
    there = Backend()
    there.scripts = (
        patiently(lambda _: ok(b"", f"Location: {there.url}/profile/edit?saved=1#top", status="302 Found")),
    )
    await there.start()

    def rewriting(settings: Settings) -> None:
        for each in ("legacy", "modern"):
            route(settings, "profile-form").setdefault(each, {})["location"] = "rewrite"

    file = repository(between(there.url, there.url, health=None), rewriting)
    await workshop.adopt(file)
    user = users_on(side, "account", 25)[7]

    plain = await visit(workshop, user).get("/profile/edit", "X-Strangler-Debug: 1")
    secure = await visit(workshop, user).get("/profile/edit", "X-Forwarded-Proto: https")
    await there.stop()

    assert (plain.status, plain.field("x-strangler-side")) == (302, side)
    assert plain.field("location") == f"{workshop.users}/profile/edit?saved=1#top"
    assert secure.field("location") == f"https://{workshop.users.removeprefix('http://')}/profile/edit?saved=1#top"


async def test_logging_out_ends_the_session_on_legacy_through_the_proxy(shop: Running, visit: Visits):
    browser = await _browser(shop, visit, users_on("legacy", "account", 25)[6])
    page = await browser.get("/login")
    token = TOKEN.search(page.body.decode())
    assert token
    session = browser.cookies["PHPSESSID"]

    answer = await browser.fill("/logout", {"_token": token[1]})

    stale = visit(shop, signed_in=False)
    stale.cookies["PHPSESSID"] = session
    assert answer.status == 302
    assert (await stale.get("/api/me")).status == 401


@pytest.mark.usefixtures("weight")
async def test_many_logins_at_once_all_come_home(workshop: Workshop, visit: Visits):
    async def sign_in(number: int) -> tuple[int, str]:
        client = visit(workshop)
        answer = await _sign_in(client, f"client{number}@example.com")
        subject = await client.get("/api/me", f"Authorization: Bearer {json_of(answer)['access_token']}")
        return answer.status, json_of(subject)["email"]

    numbers = [number for number in range(100, 124) if number % 17]

    found = await asyncio.gather(*(sign_in(number) for number in numbers))

    assert found == [(200, f"client{number}@example.com") for number in numbers]
