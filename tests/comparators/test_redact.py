from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.model import Capture, Finding
from comparators.redaction import LARGEST, Redactor
from tests.comparators.bodies import answer

MARK = re.compile(r"<redacted:[0-9a-f]{8}>")
SECRET = "hunter2x"
FIELDS = ("/user/email", "/items/*/note", "/**/iban", "nickname")


def redactor(key: bytes = b"key") -> Redactor:
    return Redactor(key, FIELDS)


def body(text: bytes | str, media: str = "", **headers: str) -> str:
    return redactor().capture(answer(text, media, **headers)).body.decode()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", f"Bearer {SECRET}", "Bearer *"),
        ("authorization", f"Basic {SECRET}==", "Basic *"),
        ("Proxy-Authorization", SECRET, "*"),
        ("X-Api-Key", SECRET, "*"),
        ("X-CSRF-Token", SECRET, "*"),
        ("nickname", SECRET, "*"),
        ("Cookie", f"a={SECRET}; b={SECRET}", "a=*; b=*"),
        ("Set-Cookie", f"sid={SECRET}; Path=/; HttpOnly; SameSite=Lax", "sid=*; Path=/; HttpOnly; SameSite=Lax"),
        ("Set-Cookie", "sid=; Max-Age=0", "sid=; Max-Age=0"),
        ("Location", f"https://u:{SECRET}@a.example/b?x=1&token={SECRET}#c", "https://*@a.example/b?x=1&token=*"),
        ("Location", "/password/reset/a8f5f167f44f4964e6c998dee827110c?email=x", "/password/reset/*?email=*"),
        ("X-Note", f"seen Bearer {SECRET} there", "seen Bearer * there"),
        ("Content-Type", "text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("ETag", '"33a64df5"', '"33a64df5"'),
    ],
)
def test_headers_show_their_names_and_no_secrets(name: str, value: str, shown: str) -> None:
    capture = redactor().capture(Capture("GET", "/", 200, ((name, value),)))

    assert [(each, MARK.sub("*", held)) for each, held in capture.headers] == [(name, shown)]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a?token=x1&page=2", "/a?token=*&page=2"),
        ("/a?user%5Bpassword%5D=x1&user[password]=x2", "/a?user%5Bpassword%5D=*&user[password]=*"),
        ("/a?nickname=joe&password=", "/a?nickname=*&password="),
        ("/verify/eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "/verify/*"),
        ("/pay?n=4111+1111+1111+1111", "/pay?n=*"),
        ("/a?%74oken=x&%61=1", "/a?%74oken=*&%61=1"),
        ("/users/6f1c0d0e-93b1-4a53-9d0e-3b1f0a4d2c11?x=%zz", "/users/6f1c0d0e-93b1-4a53-9d0e-3b1f0a4d2c11?x=%zz"),
        ("/catalogue/a-rather-long-name-of-a-thing", "/catalogue/a-rather-long-name-of-a-thing"),
        ("/?", "/?"),
        ("", ""),
    ],
)
def test_addresses_show_no_secrets(target: str, shown: str) -> None:
    assert MARK.sub("*", redactor().target(target)) == shown


def test_json_keeps_its_shape_and_every_other_literal() -> None:
    document = (
        '{"id": 9007199254740993, "rate": 1.10, "password": "hunter2x", "pin": 1234, "remember_token": null,'
        ' "has_password": true, "secret": "", "tokens": [{"value": "hunter2x", "n": 1.0}], "card": 4111111111111111,'
        ' "user": {"email": "joe@a.example", "name": "Jo\\u00e9"}, "items": [{"note": {"a": 1}, "iban": "NL91"}],'
        ' "log": "login with password=hunter2x ok"}'
    )

    shown = json.loads(body(document, "application/json"), parse_float=str)

    assert MARK.sub("*", json.dumps(shown, ensure_ascii=False)) == (
        '{"id": 9007199254740993, "rate": "1.10", "password": "*", "pin": "*", "remember_token": null,'
        ' "has_password": true, "secret": "", "tokens": [{"value": "*", "n": "*"}], "card": "*",'
        ' "user": {"email": "*", "name": "Joé"}, "items": [{"note": "*", "iban": "*"}],'
        ' "log": "login with password=* ok"}'
    )


@pytest.mark.parametrize("levels", [255, 300, 1500, 4000])
def test_a_secret_is_taken_out_however_deep_it_lies(levels: int) -> None:
    document = '{"a":' * levels + '{"password":"hunter2x"}' + "}" * levels

    shown = body(document, "application/json")

    assert "hunter2x" not in shown
    assert len(shown) > levels * 5


def test_a_body_without_secrets_stays_to_the_byte() -> None:
    text = '\ufeff{"a" : 1.50, "b":"c\\/d", "n":1e3}\n'

    assert body(text, "application/json") == text
    assert body("<p>Hello &amp; goodbye</p>", "text/html") == "<p>Hello &amp; goodbye</p>"


def test_the_first_of_repeated_members_does_not_slip_through() -> None:
    assert SECRET not in body(f'{{"password":"{SECRET}","password":""}}', "application/json")
    assert SECRET not in body(f'{{"a":{{"password":"{SECRET}"}},"a":1}}', "application/json")


@pytest.mark.parametrize(
    "text",
    [
        f"user=joe&password={SECRET}&x=1",
        f"user%5Bpassword%5D={SECRET}",
        f'<input type="hidden" name="_token" value="{SECRET}">',
        f"<input value='{SECRET}' name=password>",
        f'<input type="hidden" name="sectok" value="{SECRET}" />',
        f'<meta name="csrf-token" content="{SECRET}">',
        f'<meta content="{SECRET}" name="csrf-token">',
        f"<script>window.csrfToken = '{SECRET}';</script>",
        f'<script>var a = {{"apiKey":"{SECRET}","b":1}}</script>',
        f"<user><password>{SECRET}</password></user>",
        f'<s:token type="x">{SECRET}</s:token>',
        f'<b>Warning</b>{{"password":"{SECRET}"}}',
        f'{{"a":1,"password":"{SECRET}", "cut',
        f'{{"secrets":{{"deep":{{"er":["{SECRET}"]}}}},"cut',
        f"[password] => {SECRET}",
        f'["password"]=> string(8) "{SECRET}"',
        f"Authorization: Bearer {SECRET}\n",
        f"password: my {SECRET} phrase\nnext: line",
        f'{{\\"password\\":\\"{SECRET}\\"}}',
        f"see https://joe:{SECRET}@a.example/",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"nickname={SECRET}",
        f'"nickname": "{SECRET}"',
        f"sk_live_{SECRET}abc",
    ],
)
def test_a_secret_is_found_in_text_of_any_form(text: str) -> None:
    for media in ("text/html", "text/plain", "application/json", ""):
        shown = body(text, media)

        assert SECRET not in shown
        assert MARK.search(shown)


def test_the_columns_of_secrets_are_taken_out_of_a_table() -> None:
    shown = body(f"name,password,email\nJoe,{SECRET},joe@a.example\nAnn,,x\n", "text/csv")

    assert MARK.sub("*", shown) == '"name","password","email"\n"Joe","*","*"\n"Ann","","*"\n'


def test_what_is_packed_is_looked_through() -> None:
    capture = answer(gzip.compress(f'{{"token":"{SECRET}"}}'.encode()), "application/json", content_encoding="gzip")

    shown = redactor().capture(capture)

    assert MARK.sub("*", shown.body.decode()) == '{"token":"*"}'
    assert shown.header("content-encoding") is None


@pytest.mark.parametrize(
    "capture",
    [answer(SECRET, content_encoding="gzip"), answer(SECRET, content_encoding="sdch"), answer("x" * (LARGEST + 1))],
)
def test_what_cannot_be_looked_through_is_not_kept(capture: Capture) -> None:
    assert MARK.fullmatch(redactor().capture(capture).body.decode())


def test_a_picture_stays_a_picture() -> None:
    picture = b"\x89PNG\r\n\xff\xfe\x00\x01" * 20

    assert redactor().capture(answer(picture, "image/png")).body == picture


@pytest.mark.parametrize(
    ("path", "literal", "shown"),
    [
        ("/user/email", '"joe@a.example"', '"*"'),
        ("/user/email", "null", "null"),
        ("/user/email", "", ""),
        ("/user/email/host", '"a"', '"*"'),
        ("/user", '{"email":"joe@a.exam', '{"email":"*'),
        ("/items/3/note", "17", "*"),
        ("/api_token", '"abc"', '"*"'),
        ("/tokens/0/value", '"abc"', '"*"'),
        ("/name", '"Joe"', '"Joe"'),
        ("/card", '"4111 1111 1111 1111"', '"*"'),
        ("@header:location", "/a?token=x", "/a?token=*"),
        ("@header:set-cookie", "sid", "sid"),
        ("@header:set-cookie", "XSRF-TOKEN, sid; HttpOnly", "XSRF-TOKEN, sid; HttpOnly"),
        ("@header:set-cookie", "sid=abc; HttpOnly", "sid=*; HttpOnly"),
        ("@header:www-authenticate", "Bearer realm", "Bearer realm"),
        ("@body", "body > form > input[name=_token]: value=abc", "body > form > input[name=_token]: value=*"),
        ("@body", "/login[1]/password: abc", "/login[1]/password: *"),
        ("@body", "/login/user@token: abc", "/login/user@token: *"),
        ("@body", "line 3: password=abc", "line 3: password=*"),
        ("@status", "200", "200"),
    ],
)
def test_a_finding_shows_where_but_no_secret(path: str, literal: str, shown: str) -> None:
    found = redactor().finding(Finding(path, "value", literal, literal, "rule"))

    assert (MARK.sub("*", found.legacy), MARK.sub("*", found.modern)) == (shown, shown)
    assert (found.path, found.kind, found.rule) == (path, "value", "rule")


def test_equal_secrets_stay_equal_under_one_key_alone() -> None:
    one, two, other = (f'{{"token":"{value}"}}' for value in ("a", "a", "b"))

    assert body(one) == body(two) != body(other)
    assert redactor(b"another").capture(answer(one)).body.decode() != body(one)
    assert redactor(b"k" * 500).capture(answer(one)).body != redactor(b"k" * 501).capture(answer(one)).body


def test_one_value_in_two_spellings_is_one_secret_and_a_number_no_text() -> None:
    def shown(value: str) -> str:
        return body(f'{{"user":{{"email":{value}}}}}')

    assert shown('{"b":1.0,"a":"x"}') == shown('{"a":"\\u0078","b":1}')
    assert shown("1.50") == shown("15e-1") != shown("1.51")
    assert shown("1") != shown('"1"')


NAMES = st.sampled_from(["password", "api_token", "name", "user", "email", "items", "note", "iban", "x"])
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
CANARY = "QzCanaryQz"


def planted(tree: Any, *, secret: bool = False) -> Any:
    """The same tree with the canary wherever a secret may stand."""
    if isinstance(tree, dict):
        names = {"password", "api_token", "iban"}
        return {name: planted(value, secret=secret or name in names) for name, value in tree.items()}
    if isinstance(tree, list):
        return [planted(value, secret=secret) for value in tree]
    return CANARY if secret and isinstance(tree, str) else tree


@given(TREES, st.booleans(), st.integers(0, 200))
def test_no_secret_stays_behind_whole_or_cut(tree: Any, packed: bool, cut: int) -> None:
    text = json.dumps(planted(tree), ensure_ascii=packed)
    cut_text = text[: max(0, len(text) - cut)]

    assert (
        CANARY not in body(gzip.compress(text.encode()), content_encoding="gzip")
        if packed
        else CANARY not in body(text)
    )
    assert CANARY not in body(cut_text, "text/html")


@given(TREES, TREES)
def test_redaction_keeps_equality_and_is_done_once(one: Any, two: Any) -> None:
    first, second = (body(json.dumps(planted(tree))) for tree in (one, two))

    assert body(first) == first
    assert (json.loads(first) == json.loads(second)) == (planted(one) == planted(two)) or 0.0 in (one, two)


@given(st.binary(max_size=120), st.sampled_from(["application/json", "text/html", "text/csv", "application/xml", ""]))
def test_any_body_is_redacted_without_complaint(raw: bytes, media: str) -> None:
    once = redactor().capture(answer(raw, media))

    assert redactor().capture(once).body == once.body


@pytest.mark.parametrize(
    "text",
    ["a=" * 100_000, "token" * 50_000, "token={" * 20_000, '"password":"' * 20_000, "<input " * 50_000, "<a " * 50_000,
     "4 " * 100_000, "://" * 50_000, "eyJaaaaaaa." * 20_000, "\\" * 100_000, "-----BEGIN PRIVATE KEY-----" * 5000],
)  # fmt: skip
def test_no_text_keeps_the_redactor_busy(text: str) -> None:
    assert len(redactor().text(text)) <= len(text) * 8
