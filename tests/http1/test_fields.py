from __future__ import annotations

import pytest

from proxy.http1 import fields


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Accept", fields.PASS),
        ("cookie", fields.COOKIE),
        ("Host", fields.HOST),
        ("hOST", fields.HOST),
        ("Content-Length", fields.LENGTH),
        ("Transfer-Encoding", fields.CODING),
        ("Content_Length", fields.DISGUISED),
        ("transfer_Encoding", fields.DISGUISED),
        ("X-Forwarded-Whatever", fields.FORWARDED),
        ("X_Forwarded_For", fields.HOP),
        ("X.Forwarded.For", fields.HOP),
        ("x.shadow", fields.HOP),
        ("X.Strangler_Force", fields.HOP),
        ("X-Request.Id", fields.HOP),
        ("Content.Length", fields.DISGUISED),
        ("Transfer.encoding", fields.DISGUISED),
        ("my.own.field", fields.PASS),
        ("X-Shadow", fields.SHADOW),
        ("X-Shadow-Id", fields.SHADOW),
        ("X-Strangler-Force", fields.STRANGLER),
        ("my_own_field", fields.PASS),
        ("X-Real-IP", fields.FORWARDED),
    ],
)
def test_a_request_field_is_known_by_every_spelling_that_somebody_might_read_so(name: str, kind: int) -> None:
    assert fields.request_kind(name) == kind


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a(", "\xe9", "a\0", "a\r", "a\t", "a,b", '"a"', "\uff41"])
def test_a_name_that_is_no_token_has_no_kind(name: str) -> None:
    assert fields.request_kind(name) == -1
    assert fields.response_kind(name) == -1


def test_every_token_character_of_the_rfc_may_stand_in_a_name() -> None:
    allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    assert {chr(code) for code in range(0x250) if fields.token(chr(code))} == set(allowed)


def test_a_value_may_hold_tabs_and_obs_text_but_no_controls() -> None:
    refused = {code for code in range(256) if fields.value_is_clean(chr(code)) is None}

    assert refused == {*range(9), *range(10, 32), 127}


@pytest.mark.parametrize(
    ("value", "members"),
    [
        ("", []),
        ("close", ["close"]),
        ("Keep-Alive, X-A", ["keep-alive", "x-a"]),
        (" , a ,\t,b, ", ["a", "b"]),
        ("a\xa0", ["a\xa0"]),
    ],
)
def test_a_list_is_split_at_commas_and_nothing_else(value: str, members: list[str]) -> None:
    assert fields.tokens(value) == members


@pytest.mark.parametrize("host", ["a", "a.b:80", "A-b_c", "192.0.2.1", "[::1]", "[2001:db8::1]:443", "a:", "xn--a"])
def test_a_host_is_valid(host: str) -> None:
    assert fields.host_is_valid(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "a/b",
        "u@a",
        "a:b",
        "a:1:2",
        "::1",
        "[::1",
        "[g]",
        "a#",
        "a?",
        "a\\b",
        "\xe9",
        "a:123456",
        "a\n",
        "[::1]x",
    ],
)
def test_a_host_is_not_valid(host: str) -> None:
    assert not fields.host_is_valid(host)


def test_lines_are_dropped_by_name_whatever_their_case() -> None:
    lines = ["X-A: 1", "x-b: 2", "X-AB: 3", "x-a: 4"]

    assert fields.without(lines, ("x-a",)) == ["x-b: 2", "X-AB: 3"]


def test_no_spelling_is_kept_that_is_longer_than_any_name_in_use() -> None:
    endless = "x" * 10_000

    assert fields.request_kind(endless) == fields.PASS
    assert fields.host_is_valid(endless)
    assert all(len(known) <= 256 for known in (*fields.request_kinds, *fields._hosts))
