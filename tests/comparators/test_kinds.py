from __future__ import annotations

import pytest

from comparators.body_kind import choose
from tests.comparators.bodies import answer, between

DOCUMENT = '{"a": 1}'


def kind(legacy: tuple[str, str], modern: tuple[str, str], body: str = "auto") -> str:
    one, two = answer(legacy[1], legacy[0]), answer(modern[1], modern[0])
    return choose(one.body, two.body, between(one, two, {"body": body}))


@pytest.mark.parametrize(
    ("media", "body", "expected"),
    [
        ("application/json", DOCUMENT, "json"),
        ("application/json", "broken {", "json"),
        ("application/problem+json; charset=utf-8", DOCUMENT, "json"),
        ("TEXT/HTML; charset=UTF-8", "<p>", "html"),
        ("application/xhtml+xml", "<p/>", "html"),
        ("application/rss+xml", "<rss/>", "xml"),
        ("text/xml", "<a/>", "xml"),
        ("text/csv;header=present", "a,b", "csv"),
        ("text/plain", "hello", "text"),
        ("text/css", "a{}", "text"),
        ("application/javascript", "a()", "text"),
        ("application/yaml", "a: 1", "text"),
        ("application/vnd.oai.openapi+yaml", "a: 1", "text"),
        ("application/x-mpegurl", "#EXTM3U", "text"),
        ("application/pdf", "%PDF", "bytes"),
        ("application/octet-stream", "x", "bytes"),
        ("text/html", DOCUMENT, "json"),
        ("text/plain", "\ufeff\n [1, 2]\n", "json"),
        ("application/octet-stream", DOCUMENT, "json"),
        ("text/html", "[an error occurred]", "html"),
        ("text/html", '{"open": ', "html"),
        ("text/html", "[" * 5000 + "]" * 5000, "html"),
        ("", DOCUMENT, "json"),
        ("", "\n<!DOCTYPE html><p>", "html"),
        ("", "<?xml version='1.0'?><a/>", "xml"),
        ("", "hello", "text"),
    ],
)
def test_the_media_type_decides_but_json_is_known_by_its_looks(media: str, body: str, expected: str) -> None:
    assert kind((media, body), (media, body)) == expected


@pytest.mark.parametrize(
    ("legacy", "modern", "expected"),
    [
        (("text/html", DOCUMENT), ("application/json", DOCUMENT), "json"),
        (("text/html", "<b>Warning</b>{}"), ("application/json", DOCUMENT), "json"),
        (("text/html", "pong"), ("application/json", '"pong"'), "json"),
        (("application/json", DOCUMENT), ("text/html", "<p>"), "json"),
        (("text/plain", "a,b"), ("text/csv", "a,b"), "csv"),
        (("application/octet-stream", "a,b"), ("text/csv", "a,b"), "csv"),
        (("text/html", "<p>"), ("text/plain", "p"), "text"),
        (("text/html", "<p>"), ("image/png", "p"), "bytes"),
        (("", "<html>"), ("text/html", "<html>"), "html"),
        (("text/html", ""), ("text/csv", "a,b"), "csv"),
        (("text/html", ""), ("text/html", ""), "bytes"),
    ],
)
def test_two_sides_that_call_it_differently_are_compared_all_the_same(
    legacy: tuple[str, str], modern: tuple[str, str], expected: str
) -> None:
    assert kind(legacy, modern) == expected


def test_what_the_operator_says_goes_first() -> None:
    assert kind(("text/html", DOCUMENT), ("text/html", DOCUMENT), "text") == "text"


def test_bytes_that_are_no_text_are_bytes() -> None:
    context = between(answer(b"\xff\xfe"), answer(b"\xff\xfe"))

    assert choose(b"\xff\xfe", b"\xff\xfe", context) == "bytes"
