"""Requests are rewritten for a side, its responses for the client."""

from __future__ import annotations

import pytest

from proxy.http1 import ResponseHead, request_head
from proxy.worker.transform import Translation, translation_of
from rules.model import Backend, BodyEdit, CookieEdit, HeaderEdit, QueryEdit, SidePolicy
from rules.routing.rewrite import TranslationError

BACKEND = Backend("modern", ("http://10.0.0.5:8000",))
REQUEST = request_head(b"GET /api/me?p=2&debug=1 HTTP/1.1\r\nHost: shop.example\r\nX-Old: 1\r\nAccept-Encoding: gzip")


def answer(*lines: str, status: int = 200) -> ResponseHead:
    head = ResponseHead(status, "OK", 1)
    head.lines = list(lines)
    return head


def test_a_side_without_rules_needs_no_translation() -> None:
    assert translation_of(SidePolicy("modern"), BACKEND) is None


def test_path_query_and_fields_are_those_of_the_side() -> None:
    policy = SidePolicy(
        "modern",
        path="/v1/{kind}/me",
        query=QueryEdit(rename=(("p", "page"),), set=(("v", "2"),), remove=("debug",)),
        headers=HeaderEdit(set=(("X-From", "gateway"), ("Host", "inner")), remove=("X-Old",)),
    )

    target, host, lines = Translation(policy, BACKEND).request(REQUEST, {"kind": "a b"})

    assert (target, host) == ("/v1/a%20b/me?page=2&v=2", "inner")
    assert lines == ["Accept-Encoding: gzip", "X-From: gateway"]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\0b", "é€"])
def test_a_field_that_would_break_out_of_its_line_is_never_set(value: str) -> None:
    policy = SidePolicy("modern", headers=HeaderEdit(set=(("X-From", value), ("Content-Length", "9"))))

    _, _, lines = Translation(policy, BACKEND).request(REQUEST, {})

    assert lines == REQUEST.lines


def test_a_form_becomes_json_with_new_names() -> None:
    policy = SidePolicy("modern", body=BodyEdit("form_to_json", (("username", "email"),)))
    lines = ["Content-Type: application/x-www-form-urlencoded; charset=UTF-8", "Content-MD5: x", "X-A: 1"]

    lines, data = Translation(policy, BACKEND).body(lines, b"username=a%40b&password=c")

    assert data == b'{"email":"a@b","password":"c"}'
    assert lines == ["X-A: 1", "Content-Type: application/json"]


def test_json_becomes_a_form() -> None:
    policy = SidePolicy("legacy", body=BodyEdit("json_to_form", (("email", "username"),)))

    _, data = Translation(policy, BACKEND).body(["Content-Type: application/json"], b'{"email":"a@b","n":[1]}')

    assert data == b"username=a%40b&n%5B0%5D=1"


@pytest.mark.parametrize(
    ("lines", "payload"),
    [
        (["Content-Type: multipart/form-data; boundary=x"], b""),
        (["Content-Type: application/json"], b"{}"),
        (["Content-Type: application/x-www-form-urlencoded", "Content-Encoding: gzip"], b"a=1"),
        (["Content-Type: application/x-www-form-urlencoded"], b"a=\xff"),
        ([], b"a=1"),
    ],
    ids=["multipart", "json", "packed", "no UTF-8", "no type"],
)
def test_a_body_that_is_no_form_is_not_translated(lines: list[str], payload: bytes) -> None:
    translation = Translation(SidePolicy("modern", body=BodyEdit("form_to_json")), BACKEND)

    with pytest.raises(TranslationError):
        translation.body(lines, payload)


def test_the_answer_keeps_the_old_contract() -> None:
    policy = SidePolicy(
        "modern", response_json="{access_token: access_token, token_type: 'Bearer'}", status=((201, 200),)
    )
    translation = Translation(policy, BACKEND)
    head = answer("Content-Type: application/json", status=201)

    translation.answer(head, "https://shop.example")

    assert head.status == 200
    assert translation.answer_body(head.lines, b'{"access_token": "t", "more": 1}') == (
        b'{"access_token":"t","token_type":"Bearer"}'
    )


def test_whole_numbers_of_any_size_stay_exact() -> None:
    translation = Translation(SidePolicy("modern", response_json="{id: id}"), BACKEND)

    data = translation.answer_body(["Content-Type: application/problem+json"], b'{"id": 12345678901234567890123}')

    assert data == b'{"id":12345678901234567890123}'


def test_an_answer_that_is_no_json_is_left_alone() -> None:
    translation = Translation(SidePolicy("modern", response_json="a"), BACKEND)

    assert translation.answer_body(["Content-Type: text/html"], b"<p>") is None


def test_what_reads_the_answer_asks_for_it_unpacked_and_whole() -> None:
    request = request_head(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\nRange: bytes=0-1")

    _, _, lines = Translation(SidePolicy("modern", response_json="a"), BACKEND).request(request, {})

    assert lines == []


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("http://10.0.0.5:8000/login?a=1", "https://shop.example/login?a=1"),
        ("http://10.0.0.5:8000", "https://shop.example"),
        ("http://10.0.0.5:80001/x", "http://10.0.0.5:80001/x"),
        ("https://elsewhere/x", "https://elsewhere/x"),
        ("/relative", "/relative"),
    ],
)
def test_a_redirect_never_shows_a_backends_address(given: str, seen: str) -> None:
    head = answer(f"Location: {given}")

    Translation(SidePolicy("modern", rewrite_location=True), BACKEND).answer(head, "https://shop.example")

    assert head.lines == [f"Location: {seen}"]


def test_cookie_attributes_are_rewritten_where_they_are() -> None:
    head = answer("Set-Cookie: a=1; Path=/api/v1; Domain=api.internal; HttpOnly", "Set-Cookie: b=path=/x")
    policy = SidePolicy("modern", cookies=CookieEdit(path="/", domain="example.com"))

    Translation(policy, BACKEND).answer(head, "https://shop.example")

    assert head.lines == ["Set-Cookie: a=1; Path=/; Domain=example.com; HttpOnly", "Set-Cookie: b=path=/x"]


@pytest.mark.parametrize("levels", [300, 900, 1500, 4000])
def test_a_body_that_is_nested_too_deeply_is_refused(levels: int) -> None:
    translation = Translation(SidePolicy("modern", body=BodyEdit(rename=(("a", "b"),))), BACKEND)

    with pytest.raises(TranslationError, match="nested"):
        translation.body(["Content-Type: application/json"], b'{"a":' * levels + b"1" + b"}" * levels)
