"""Whatever a body of a mebibyte holds is compared, in a time that grows with its length; what holds more is refused."""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from comparators import Capture, compare
from comparators.html_tokens import AS_WRITTEN
from tests.comparators import large_pages
from tests.comparators.answers import answer, policy

HTML, XML, CSV, TEXT = "text/html; charset=UTF-8", "application/xml", "text/csv", "text/plain"
JSON = "application/json"
SECONDS = 5.0
"""Ten times what is promised of a machine that does nothing else; what is quadratic takes minutes."""


def mixed(rows: Any) -> list[Any]:
    found = list(rows)
    random.Random(1).shuffle(found)
    return found


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": at, "v": f"value {at}", **more} for at in range(count)]


def minutes(pattern: str, first: int) -> list[str]:
    return [time.strftime(pattern, time.gmtime(1924992000 + 60 * at)) for at in range(first, first + 1440)]


def page(count: int, price: int = -1) -> str:
    rows = (
        f'<div id="r{at}"><b>{at}.{51 if at == price else 50}</b><a href="/i/{at}">go</a></div>\n'
        for at in range(count)
    )
    return f"<!DOCTYPE html><html><body>{''.join(rows)}</body></html>"


PRICES = [round(random.Random(at).random() * 1000, 2) for at in range(25_000)]
LATER = [round(price + 0.01, 2) for price in PRICES]
UNORDERED: dict[str, Any] = {"preset": "php", "unordered": [""]}
PHP: dict[str, Any] = {"preset": "php"}
LINKS = [[f"http://old.test:9001/a/{at}" for at in range(150)], [f"http://new.test:8000/b/{at}" for at in range(150)]]
CASES: dict[str, tuple[Callable[[], tuple[Any, Any]], Any, str, str]] = {
    "shifted minutes": (lambda: (minutes("%F %T", 0), minutes("%FT%TZ", 1)), PHP, JSON, "different"),
    "shifted minutes in any order": (lambda: (minutes("%F %T", 0), minutes("%FT%TZ", 1)), UNORDERED, JSON, "different"),
    "minutes in any order": (lambda: (minutes("%F %T", 0), mixed(minutes("%FT%TZ", 0))), UNORDERED, JSON, "equal"),
    "prices a cent off": (lambda: (PRICES, LATER), PHP, JSON, "different"),
    "prices a cent off in any order": (lambda: (PRICES, LATER), UNORDERED, JSON, "different"),
    "wrong links in any order": (lambda: (LINKS[0], LINKS[1]), UNORDERED, JSON, "different"),
    "rows a cent off": (
        lambda: (
            [{"n": at, "p": f"{each:.2f}"} for at, each in enumerate(PRICES[:142])],
            mixed({"n": at, "p": each} for at, each in enumerate(LATER[:142])),
        ),
        UNORDERED, JSON, "different",
    ),
    "rows of nothing but a price a cent off": (
        lambda: ([{"p": f"{each:.2f}"} for each in PRICES[:1000]], mixed({"p": each} for each in LATER[:1000])),
        UNORDERED, JSON, "different",
    ),
    "numbers in any order": (lambda: (list(range(100_000)), mixed(range(100_000))), UNORDERED, JSON, "equal"),
    "texts of numbers, one wrong": (
        lambda: ([str(at) for at in range(30_000)], mixed([*range(29_999), 7])), UNORDERED, JSON, "different",
    ),
    "rows under a tolerance": (
        lambda: ([{"a": at} for at in range(10_000)], mixed({"a": at + 0.3} for at in range(10_000))),
        {**UNORDERED, "tolerance": [{"path": "/*/a", "absolute": 0.5}]}, JSON, "equal",
    ),
    "numbers far apart under a tolerance": (
        lambda: (list(range(30_000)), mixed(range(500_000, 530_000))),
        {**UNORDERED, "tolerance": [{"path": "/*", "absolute": 5}]}, JSON, "different",
    ),
    "keyed rows": (
        lambda: (numbered(10_000), mixed(numbered(10_000))), {"unordered": [{"path": "", "key": "id"}]}, JSON, "equal",
    ),
    "rows that all have something else": (
        lambda: (numbered(3_000), mixed(numbered(3_000, w=1))), UNORDERED, JSON, "different",
    ),
    "repeated members": (
        lambda: (
            "{" + ",".join(f'"m{at}":1,"m{at}":2' for at in range(50_000)) + "}",
            {f"m{at}": 2 for at in range(50_000)},
        ),
        PHP, JSON, "equal",
    ),
    "numbers all wrong": (lambda: ([1] * 262_000, [2] * 262_000), PHP, JSON, "different"),
    "lists for maps": (lambda: ([[]] * 170_000, [{}] * 170_000), PHP, JSON, "equal"),
    "rows turned round": (lambda: (numbered(10_000), numbered(10_000)[::-1]), PHP, JSON, "different"),
    "lists in lists in any order": (
        lambda: ([[{"a": "1"}, {"a": "2"}]] * 5000, [[{"a": 2}, {"a": 1}]] * 5000),
        {**PHP, "unordered": ["", "/*"]}, JSON, "equal",
    ),
    "a price in a page": (lambda: (page(20_000), page(20_000, 500)), PHP, HTML, "different"),
    "tags that nest": (lambda: ("<b>" * 60_000, "<b>" * 60_000 + "<i>"), PHP, HTML, "different"),
    "elements": (
        lambda: ("<r>" + "<a/>" * 200_000 + "</r>", "<r>" + "<a/>" * 199_999 + "<b/></r>"), PHP, XML, "different",
    ),
    "cells": (lambda: ("," * (1 << 20), "," * ((1 << 20) - 1) + "x"), PHP, CSV, "different"),
    "a script of brackets": (
        lambda: (f"<script>{'{' * 900_000}</script>", f"<script>{'{' * 900_000}x</script>"), PHP, HTML, "different",
    ),
    "attributes of one element": (
        lambda: [f"<a {' '.join(f'{name}{at}=' + chr(34) * 2 for at in range(4_500))}/>" for name in "bc"],
        PHP, XML, "different",
    ),
    "paragraphs that differ at both ends": (
        lambda: [f"<p>{text}{'<p>x' * 80_000}<p>{text}" for text in "ab"], PHP, HTML, "different",
    ),
    "lines": (lambda: ("a\n" * 500_000, "a\n" * 499_999 + "b\n"), PHP, TEXT, "different"),
    "bytes": (lambda: (b"\0" * (1 << 20), b"\0" * ((1 << 20) - 1) + b"\1"), PHP, "application/pdf", "different"),
}  # fmt: skip


def sent(body: Any, media: str, *headers: tuple[str, str]) -> Capture:
    return answer(body if isinstance(body, str | bytes) else json.dumps(body), 200, *headers, media=media)


@pytest.mark.parametrize("name", CASES)
def test_a_body_of_a_mebibyte_is_compared(name: str):
    make, mapping, media, verdict = CASES[name]
    legacy, modern = (sent(body, media) for body in make())
    began = time.process_time()

    comparison = compare(legacy, modern, policy(mapping))

    assert (comparison.verdict, comparison.reason) == (verdict, "")
    assert time.process_time() - began < SECONDS


BOMBS = {
    HTML: b"<b>" * 5_000_000, XML: b"<r>" + b"<a/>" * 3_000_000 + b"</r>", JSON: b"[" + b"[]," * 5_000_000 + b"1]",
    "application/hal+json": b"[" + b'{"a":1},' * 1_500_000 + b"1]", CSV: b"a,b\n" * 4_000_000, TEXT: b"a\n" * 5_000_000,
}  # fmt: skip


@pytest.mark.parametrize("media", BOMBS)
def test_what_a_few_kilobytes_unfold_to_is_not_read(media: str):
    legacy, modern = (
        sent(gzip.compress(body), media, ("Content-Encoding", "gzip")) for body in (BOMBS[media], BOMBS[media] + b" ")
    )
    began = time.process_time()

    comparison = compare(legacy, modern, policy(PHP))

    assert (comparison.verdict, comparison.reason in {"nodes", "body_cap"}) == ("not_compared", True)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("tag", ["<div>", "<template>", "<b>", "<font color=1><p>"])
def test_a_page_that_nests_without_end_is_compared_as_it_is_written(tag: str):
    began = time.process_time()

    comparison = compare(sent(tag * 100_000, HTML), sent(tag * 99_999, HTML), policy(PHP))

    assert (comparison.verdict, AS_WRITTEN in comparison.notes) == ("different", True)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(("media", "verdict"), [(HTML, "equal"), (XML, "equal")])
@pytest.mark.parametrize("wrong", [False, True])
def test_of_a_tag_that_is_crowded_every_attribute_is_compared(media: str, verdict: str, wrong: bool):
    legacy, modern = (
        f"<a {' '.join(f'b{at}={mark}{2 if wrong and mark == chr(34) and at == 59_999 else 1}{mark}' for at in turn)}/>"
        for mark, turn in (("'", range(60_000)), ('"', range(59_999, -1, -1)))
    )
    began = time.process_time()

    comparison = compare(sent(legacy, media), sent(modern, media), policy(PHP))

    assert comparison.verdict == ("different" if wrong else verdict)
    assert [each.legacy.endswith("1") for each in comparison.findings] == [True] * wrong
    assert time.process_time() - began < SECONDS


CAPPED_ONCE = (
    "one crowded element", "a crowded document", "nothing but brackets", "bold in bold, from the first on",
    "blocks without an end", "paragraphs that open again what was left open", "forms of letters that are left open",
    "ends of what is not open", "elements in elements", "empty lines of values",
)  # fmt: skip


@pytest.mark.parametrize("kind", CAPPED_ONCE)
def test_a_page_of_a_mebibyte_gets_a_verdict(kind: str):
    legacy, modern = large_pages.pair(kind, 1 << 20)
    began = time.process_time()

    comparison = compare(legacy, modern, policy(PHP))

    assert comparison.verdict == "different"
    assert time.process_time() - began < SECONDS


def work(kind: str, size: int, mapping: Any) -> int:
    """How many functions are called to compare a pair of a kind."""
    legacy, modern = large_pages.pair(kind, size)
    calls = 0

    def count(_frame: Any, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    judged = policy(mapping)
    sys.setprofile(count)
    try:
        compare(legacy, modern, judged)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", large_pages.KINDS)
def test_twice_the_page_is_at_most_twice_the_work(kind: str):
    work(kind, 1000, PHP)  # what is imported late

    once, twice = work(kind, 24_000, PHP), work(kind, 48_000, PHP)

    assert twice <= 2.3 * once + 500


VARYING: dict[str, Callable[[int], tuple[Any, str]]] = {
    "members": (lambda by: ({f"m{at}": f"{at * 7919 + by:x}a{at}" for at in range(3_000)}, JSON)),
    "clocks": (lambda by: ([f"2026-01-01 10:00:0{by}"] * 3_000, JSON)),
    "paragraphs": (lambda by: ("".join(f"<p>{at * 7919 + by:x}a{at}</p>" for at in range(900)), HTML)),
}


@pytest.mark.parametrize("name", VARYING)
def test_what_legacy_varies_everywhere_is_noise(name: str):
    one, two, three = (sent(*VARYING[name](by)) for by in (1, 2, 3))
    began = time.process_time()

    comparison = compare(one, three, policy(PHP), secondary=(two,))

    assert comparison.verdict == "noise"
    assert time.process_time() - began < SECONDS
