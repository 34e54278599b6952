"""Tokens cannot be guessed: the bucket is checked before a token is compared; tries are in the log."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.control.admin_server import AdminPort
from proxy.control.api.access import Access
from proxy.control.api.http import Rates
from proxy.settings import Address
from rules.model import Admin
from tests.control.test_admin import Port

TOKENS = {"STRANGLER_ADMIN_TOKEN": "the-operators-token", "STRANGLER_VIEW_TOKEN": "the-viewers-token"}
FORM = "Content-Type: application/x-www-form-urlencoded"
RIGHT = "Authorization: Bearer the-operators-token"
WRONG = "Authorization: Bearer the-operators-tokem"


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()

    def emit(event: str, _level: str = "info", /, **fields: object) -> None:
        port.told.append((event, fields))

    port.admin = AdminPort(port.control, Access(Admin(), Address("127.0.0.1", 0), TOKENS), emit)
    port.admin._failed = Rates(1.0, 3, clock=lambda: 0.0)
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/nothing", "/api/v1/routes/profile/rollback", "/"])
async def test_after_a_few_wrong_tokens_not_even_the_right_one_is_compared(port: Port, path: str):
    method = "POST" if path.endswith("rollback") else "GET"
    lines = ("Content-Type: application/json",)

    wrong = [(await port.ask(path, WRONG, *lines, method=method)).status for _ in range(5)]
    right = await port.ask(path, RIGHT, *lines, method=method)
    probes = [(await port.ask(probe, RIGHT)).status for probe in ("/healthz", "/readyz")]

    assert wrong == [401, 401, 401, 429, 429]
    assert right.status == 429
    assert probes == [200, 200]


async def test_the_login_is_no_second_door_for_guesses(port: Port):
    wrong = [(await port.ask("/login", FORM, method="POST", body=b"token=x")).status for _ in range(4)]
    right = await port.ask("/login", FORM, method="POST", body=b"token=the-operators-token")

    assert wrong == [401, 401, 401, 429]
    assert right.status == 429
    assert right.field("Set-Cookie") is None


async def test_right_tokens_do_not_use_the_bucket_up(port: Port):
    assert [(await port.ask("/api/v1/config", RIGHT)).status for _ in range(6)] == [200] * 6


async def test_logins_and_changes_are_in_the_log_without_their_tokens(port: Port):
    await port.ask("/login", FORM, method="POST", body=b"token=wrong-token&name=eve")
    await port.ask("/login", FORM, method="POST", body=b"token=the-viewers-token&name=anna")
    await port.ask("/api/v1/status", WRONG)
    await port.ask("/api/v1/reload", RIGHT, "Content-Type: application/json", method="POST")

    events = [event for event, _ in port.told]
    told = dict(port.told)
    assert events == ["login_failed", "admin_request", "login", "admin_request", "login_failed", "admin_request"]
    assert told["login"] == {"client": "127.0.0.1", "role": "view", "name": "anna"}
    assert (told["admin_request"]["path"], told["admin_request"]["status"]) == ("/api/v1/reload", 200)
    assert "token" not in repr(port.told).replace("login", "")


@pytest.mark.parametrize(("proto", "name"), [("https", "__Host-strangler_session"), ("http", "strangler_session")])
async def test_under_tls_the_cookie_belongs_to_this_host_alone(port: Port, proto: str, name: str):
    answer = await port.ask(
        "/login", FORM, f"X-Forwarded-Proto: {proto}", method="POST", body=b"token=the-operators-token"
    )
    cookie = answer.field("Set-Cookie") or ""
    seen = await port.ask("/api/v1/status", f"Cookie: {cookie.partition(';')[0]}")

    assert cookie.startswith(f"{name}=operate:")
    assert ("Secure" in cookie, "Path=/" in cookie, "Domain" in cookie) == (proto == "https", True, False)
    assert seen.status == 200
