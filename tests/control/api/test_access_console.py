"""Access to the console: the token once, then a cookie; forms only of the proxy's own pages."""

from __future__ import annotations

import pytest

from proxy.control.api.access import COOKIE, Access, AdminRequest
from proxy.settings import Address
from rules.model import Admin

PUBLIC = Address("10.0.0.5", 9180)
LOOPBACK = Address("127.0.0.1", 9180)
TOKENS = {"STRANGLER_ADMIN_TOKEN": "operator", "STRANGLER_VIEW_TOKEN": "viewer"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def status(access: Access, method: str, path: str, role: str = "", **headers: str) -> int | None:
    cookie = {"cookie": f"other=1; {COOKIE}={access.sessions.begin(role)}"} if role else {}
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    denial = access.denial(AdminRequest(method, path, {"host": "10.0.0.5:9180", **cookie, **fields}))
    return int(denial.status) if denial else None


@pytest.mark.parametrize("path", ["/login", "/static/console.css"])
def test_the_door_is_open_to_everybody(path: str):
    assert status(Access(Admin(), PUBLIC, TOKENS), "GET", path, host="any.name") is None


@pytest.mark.parametrize(
    ("method", "path", "role", "expected"),
    [
        ("GET", "/", "", 401),
        ("GET", "/", "view", None),
        ("GET", "/api/v1/status", "view", None),
        ("GET", "/metrics", "view", None),
        ("POST", "/routes/a/rollback", "", 401),
        ("POST", "/routes/a/rollback", "view", 403),
        ("POST", "/routes/a/rollback", "operate", None),
        ("POST", "/login", "", None),
    ],
)
def test_a_cookie_is_worth_what_was_shown_for_it(method: str, path: str, role: str, expected: int | None):
    assert status(Access(Admin(), PUBLIC, TOKENS), method, path, role, **FORM) == expected


@pytest.mark.parametrize(
    ("path", "media_type", "expected"),
    [
        ("/routes/a/hold", "application/json", 415),
        ("/routes/a/hold", "text/plain", 415),
        ("/routes/a/hold", "multipart/form-data; boundary=x", 415),
        ("/api/v1/reload", "application/x-www-form-urlencoded", 415),
        ("/api/v1/reload", "application/json", None),
    ],
)
def test_forms_go_to_pages_and_json_to_the_api(path: str, media_type: str, expected: int | None):
    access = Access(Admin(), PUBLIC, TOKENS)

    assert status(access, "POST", path, "operate", content_type=media_type) == expected


def test_a_wrong_bearer_is_not_saved_by_a_good_cookie():
    access = Access(Admin(), PUBLIC, TOKENS)

    assert status(access, "GET", "/", "operate", authorization="Bearer wrong") == 401


@pytest.mark.parametrize(
    ("address", "tokens", "may"),
    [(LOOPBACK, {}, True), (LOOPBACK, TOKENS, False), (PUBLIC, {}, False), (PUBLIC, TOKENS, False)],
)
def test_buttons_are_for_operators_or_for_everybody_at_home(address: Address, tokens: dict[str, str], may: bool):
    access = Access(Admin(), address, tokens)

    assert access.may_change({}) is may
    assert access.may_change({"cookie": f"{COOKIE}={'x' * 40}"}) is may


def test_a_token_of_strange_bytes_is_just_a_wrong_one():
    access = Access(Admin(), PUBLIC, TOKENS)

    assert access.role({"authorization": "Bearer \udcff\udcfe"}) == ""
    assert access.role_of_token("é") == ""
