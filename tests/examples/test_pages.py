from __future__ import annotations

import http.client
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from examples.paymenter.seed import PASSWORD
from examples.paymenter.sides import token_for

USER = 60
CSRF = re.compile(r'name="_token" value="([^"]+)"')


class Browser:
    """Keeps cookies, follows nothing."""

    def __init__(self, side, **cookies):
        self.side = side
        self.cookies = cookies

    def open(self, method, path, **form):
        connection = http.client.HTTPConnection(self.side.host, self.side.port, timeout=10)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form), headers)
        response = connection.getresponse()
        for line in response.headers.get_all("Set-Cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        text = response.read().decode()
        connection.close()
        return response.status, response.headers.get("Location"), text


class Tokens(HTMLParser):
    """A page as tags and texts, without what differs each time."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        secret = ("name", "_token") in attrs or ("name", "csrf-token") in attrs
        self.found.append((tag, sorted((k, "*" if secret and k in ("value", "content") else v) for k, v in attrs)))

    def handle_endtag(self, tag):
        self.found.append((f"/{tag}", []))

    def handle_data(self, data):
        if data.strip():
            self.found.append(("", [data.strip()]))


def _tokens(page):
    parser = Tokens()
    parser.feed(page)
    return parser.found


@pytest.fixture
def pages(sides):
    cookies = {"uid": str(USER), "paymenter_token": token_for(USER, sides.database.key)}
    return [(Browser(sides.legacy, **cookies), "/profile/edit"), (Browser(sides.modern, **cookies), "/account/profile")]


def test_the_form_is_the_same_page_on_both_sides(pages):
    (status, _, old), (other, _, new) = [browser.open("GET", path) for browser, path in pages]

    assert (status, other) == (200, 200)
    assert _tokens(old) == _tokens(new)
    assert CSRF.search(old)[1] != CSRF.search(new)[1]


def test_a_filled_in_form_is_saved_and_leads_back(pages):
    for (browser, path), name in zip(pages, ("O'Old", "N<w>"), strict=True):
        token = CSRF.search(browser.open("GET", path)[2])[1]

        status, location, _ = browser.open("POST", path, _token=token, first_name=name, last_name="Y")
        _, _, page = browser.open("GET", path + "?saved=1")

        assert status == (302 if browser.side.name == "legacy" else 303)
        assert location == f"{browser.side.url}/profile/edit?saved=1"
        assert "Your changes were saved." in page
        assert ("input", [("name", "first_name"), ("type", "text"), ("value", name)]) in _tokens(page)


@pytest.mark.parametrize("token", ["", "forged"])
def test_a_form_without_its_token_is_refused_by_both(pages, token):
    for browser, path in pages:
        browser.open("GET", path)

        status, _, page = browser.open("POST", path, _token=token, first_name="Mallory", last_name="M")

        assert status == 419
        assert "expired" in page
        assert "Mallory" not in browser.open("GET", path)[2]


def test_a_form_of_one_side_is_refused_by_the_other(pages):
    """Why a form and its POST target must be routed together."""
    (old, old_path), (new, new_path) = pages
    old_token = CSRF.search(old.open("GET", old_path)[2])[1]
    new_token = CSRF.search(new.open("GET", new_path)[2])[1]

    assert old.open("POST", old_path, _token=new_token, first_name="X", last_name="Y")[0] == 419
    assert new.open("POST", new_path, _token=old_token, first_name="X", last_name="Y")[0] == 419


def test_a_form_with_mistakes_comes_back_alike(pages):
    answers = []
    for browser, path in pages:
        token = CSRF.search(browser.open("GET", path)[2])[1]
        answers.append(browser.open("POST", path, _token=token, first_name="", last_name="Y"))

    assert [status for status, _, _ in answers] == [422, 422]
    assert _tokens(answers[0][2]) == _tokens(answers[1][2])


def test_a_visitor_without_login_is_sent_to_the_login_page(sides):
    old = Browser(sides.legacy).open("GET", "/profile/edit")
    new = Browser(sides.modern).open("GET", "/account/profile")

    assert old[:2] == (302, f"{sides.legacy.url}/login")
    assert new[:2] == (303, f"{sides.modern.url}/login")


def test_logging_in_on_the_old_page_opens_the_new_one(sides):
    browser = Browser(sides.legacy)
    token = CSRF.search(browser.open("GET", "/login")[2])[1]

    refused = browser.open("POST", "/login", email="client60@example.com", password=PASSWORD, _token="x")[0]
    wrong = browser.open("POST", "/login", email="client60@example.com", password="x", _token=token)[0]
    status, _, _ = browser.open("POST", "/login", email="client60@example.com", password=PASSWORD, _token=token)

    assert (refused, wrong, status) == (419, 422, 302)
    assert browser.cookies["uid"] == str(USER)
    assert "client60@example.com" in browser.open("GET", "/profile/edit")[2]
    elsewhere = Browser(sides.modern, **browser.cookies)
    assert "client60@example.com" in elsewhere.open("GET", "/account/profile")[2]
    session_alone = Browser(sides.legacy, PHPSESSID=browser.cookies["PHPSESSID"])
    assert session_alone.open("GET", "/api/me")[0] == 200


def test_logging_out_ends_the_session(sides):
    browser = Browser(sides.legacy)
    token = CSRF.search(browser.open("GET", "/login")[2])[1]
    browser.open("POST", "/login", email="client60@example.com", password=PASSWORD, _token=token)
    session = browser.cookies["PHPSESSID"]

    status, _, _ = browser.open("POST", "/logout", _token=token)

    assert status == 302
    assert Browser(sides.legacy, PHPSESSID=session).open("GET", "/api/me")[0] == 401
