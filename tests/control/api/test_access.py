"""Which client may request what from the admin port."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from proxy.control.api.access import Access, AdminRequest
from proxy.settings import Address
from rules.model import Admin

LOOPBACK = Address("127.0.0.1", 9180)
PUBLIC = Address("10.0.0.5", 9180)
TOKENS = {"STRANGLER_ADMIN_TOKEN": "operator", "STRANGLER_VIEW_TOKEN": "viewer"}
CHANGE = {"content-type": "application/json"}


def status(access: Access, method: str, path: str, **headers: str) -> HTTPStatus | None:
    spelled = {"host": "127.0.0.1:9180", **{name.replace("_", "-"): value for name, value in headers.items()}}
    denial = access.denial(AdminRequest(method, path, spelled))
    return denial.status if denial else None


@pytest.mark.parametrize("address", [LOOPBACK, PUBLIC])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_never_need_anything(address: Address, path: str):
    assert status(Access(Admin(), address, TOKENS), "GET", path, host="whatever.test") is None


@pytest.mark.parametrize(
    ("method", "path", "token", "expected"),
    [
        ("GET", "/metrics", "", 401),
        ("GET", "/metrics", "viewer", None),
        ("GET", "/metrics", "operator", None),
        ("GET", "/metrics", "wrong", 401),
        ("GET", "/api/v1/status", "", 401),
        ("GET", "/api/v1/status", "viewer", None),
        ("POST", "/api/v1/reload", "", 401),
        ("POST", "/api/v1/reload", "viewer", 403),
        ("POST", "/api/v1/reload", "operator", None),
        ("POST", "/api/v1/reload", "operator ", None),
        ("POST", "/api/v1/reload", "operatoR", 401),
    ],
)
def test_an_address_that_others_reach_needs_the_right_token(method: str, path: str, token: str, expected: int | None):
    headers = {"authorization": f"Bearer {token}"} if token else {}

    assert status(Access(Admin(), PUBLIC, TOKENS), method, path, **headers, **CHANGE) == expected


def test_another_scheme_than_bearer_is_no_token():
    assert status(Access(Admin(), PUBLIC, TOKENS), "GET", "/metrics", authorization="Basic operator") == 401


@pytest.mark.parametrize(
    ("environ", "method", "path", "expected"),
    [
        ({}, "GET", "/api/v1/status", None),
        ({}, "POST", "/api/v1/reload", None),
        ({"STRANGLER_ADMIN_TOKEN": "operator"}, "GET", "/api/v1/status", 401),
        ({"STRANGLER_ADMIN_TOKEN": "operator"}, "GET", "/", 401),
        ({"STRANGLER_ADMIN_TOKEN": "operator"}, "GET", "/metrics", None),
        ({"STRANGLER_ADMIN_TOKEN": "operator"}, "POST", "/api/v1/plan", 401),
        ({"STRANGLER_VIEW_TOKEN": "viewer"}, "GET", "/api/v1/config", 401),
        ({"STRANGLER_VIEW_TOKEN": "viewer"}, "POST", "/api/v1/reload", 401),
        ({"STRANGLER_VIEW_TOKEN": " \t"}, "GET", "/api/v1/config", None),
        ({"STRANGLER_ADMIN_TOKEN": "operator"}, "POST", "/api/v1/reload", 401),
        (TOKENS, "GET", "/api/v1/status", 401),
        (TOKENS, "GET", "/metrics", None),
    ],
)
def test_on_loopback_a_token_is_asked_for_where_one_is_set(
    environ: dict[str, str], method: str, path: str, expected: int | None
):
    assert status(Access(Admin(), LOOPBACK, environ), method, path, **CHANGE) == expected


def test_a_public_port_whose_tokens_vanished_lets_nobody_in():
    access = Access(Admin(), PUBLIC, {})

    assert status(access, "GET", "/metrics", authorization="Bearer ") == 401
    assert status(access, "POST", "/api/v1/reload", authorization="Bearer ", **CHANGE) == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "Application/JSON; charset=utf-8"}, None),
        ({**CHANGE, "sec-fetch-site": "same-origin"}, None),
        ({**CHANGE, "sec-fetch-site": "cross-site"}, 403),
        ({**CHANGE, "sec-fetch-site": "same-site"}, 403),
        ({**CHANGE, "origin": "http://127.0.0.1:9180"}, None),
        ({**CHANGE, "origin": "http://evil.test"}, 403),
        ({**CHANGE, "origin": "null"}, 403),
    ],
)
def test_a_page_in_the_operators_browser_cannot_change_anything(headers: dict[str, str], expected: int | None):
    assert status(Access(Admin(), LOOPBACK, {}), "POST", "/api/v1/reload", **headers) == expected


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:9180", True),
        ("localhost:9180", True),
        ("[::1]:9180", True),
        ("10.1.2.3", True),
        ("evil.test:9180", False),
        ("127.0.0.1.evil.test", False),
        ("", False),
        ("prometheus.internal", True),
    ],
)
def test_a_name_that_was_rebound_to_us_is_not_known(host: str, known: bool):
    access = Access(Admin(), LOOPBACK, {"STRANGLER_ADMIN_HOSTS": "prometheus.internal"})

    assert (status(access, "GET", "/api/v1/status", host=host) is None) == known


def test_a_scraper_with_a_token_may_call_a_public_port_by_any_name_a_change_may_not():
    access = Access(Admin(), PUBLIC, TOKENS)
    token = {"authorization": "Bearer operator"}

    assert status(access, "GET", "/metrics", host="strangler.internal", **token) is None
    assert status(access, "POST", "/api/v1/reload", host="strangler.internal", **token, **CHANGE) == 421
