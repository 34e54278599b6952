"""A time beside its own response's Date, on both sides, is the response's clock; nothing wider, never a due date."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from comparators import Comparison, compare
from tests.comparators.answers import answer, policy

LEGACY, MODERN = "Tue, 04 Mar 2031 09:15:01 GMT", "Tue, 04 Mar 2031 09:15:07 GMT"
EPOCH = 1930382101


def held(legacy: Any, modern: Any, mapping: Any = None, media: str = "application/json") -> Comparison:
    """Two answers that were made six seconds after each other."""
    bodies = [each if isinstance(each, str) else json.dumps(each) for each in (legacy, modern)]
    sides = [
        answer(body, 200, ("Date", date), media=media) for body, date in zip(bodies, (LEGACY, MODERN), strict=True)
    ]
    return compare(*sides, policy({"preset": "php"} if mapping is None else mapping))


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ("2031-03-04 09:15:01", "2031-03-04 09:15:07"),
        ("2031-03-04 09:15:00", "2031-03-04T09:15:08+00:00"),
        ("2031-03-04T10:15:01+01:00", "2031-03-04T09:15:07.123456Z"),
        ("Tue, 04 Mar 2031 09:15:01 GMT", "Tue, 04 Mar 2031 09:15:07 GMT"),
        (EPOCH, EPOCH + 6),
        (str(EPOCH), str(EPOCH + 6)),
        (EPOCH * 1000 + 12, EPOCH * 1000 + 6700),
        ("20310304T091501Z", "20310304T091507Z"),
        ("made 20310304091501, seen 2031-03-04 09:15:02", "made 20310304091507, seen 2031-03-04 09:15:08"),
    ],
)
def test_the_time_of_the_answer_is_its_clock(legacy: Any, modern: Any):
    found = held({"at": legacy}, {"at": modern})

    assert (found.verdict, list(found.forgiven)) == ("equal", ["clock"])
    assert held({"at": legacy}, {"at": modern}, {}).verdict == "different"
    assert held({"at": legacy}, {"at": modern}, {"preset": {"name": "php", "except": ["clock"]}}).verdict == "different"


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ({"at": "2031-03-04 09:15:01"}, {"at": "2031-03-04 10:15:07"}),
        ({"at": "2031-03-04 09:15:07"}, {"at": "2031-03-04 09:15:13"}),
        ({"at": "2031-03-04 09:15:01"}, {"at": EPOCH + 6}),
        ({"at": "2031-03-04T09:15:01Z"}, {"at": "2031-03-04 09:15:07"}),
        ({"at": EPOCH}, {"at": (EPOCH + 6) * 1000}),
        ({"at": "20310304T091501Z"}, {"at": "20310304T101507Z"}),
        ({"at": "20310304T091501Z"}, {"at": "20310304T091507"}),
        ({"at": EPOCH}, {}),
        ({"at": "on 2031-03-04 09:15:01"}, {"at": "at 2031-03-04 09:15:07"}),
        ({"at": "made 2031-03-04 09:15:01 by a"}, {"at": "made 2031-03-04 09:15:07 by b"}),
        *(
            ({name: EPOCH}, {name: EPOCH + 6})
            for name in ("due_at", "expires", "validUntil", "valid_to", "expiryDate", "notAfter")
        ),
        ({"lease": {"until": {"at": EPOCH}}}, {"lease": {"until": {"at": EPOCH + 6}}}),
        ({"a": "valid until 2031-03-04 09:15:01"}, {"a": "valid until 2031-03-04 09:15:07"}),
    ],
)
def test_what_is_no_clock_counts(legacy: Any, modern: Any):
    assert held(legacy, modern).verdict == "different"


def at_the_turn(legacy: str, modern: str, *dates: str, mapping: Any = None) -> str:
    """The verdict on a page's text whose answers say `dates`."""
    sides = [
        answer(f"<main><p>{text}</p></main>", 200, ("Date", date), media="text/html")
        for text, date in zip((legacy, modern), dates, strict=True)
    ]
    return compare(*sides, policy({"preset": "php"} if mapping is None else mapping)).verdict


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ("as of 09:16, 4 March 2031", "as of 09:15, 4 March 2031"),
        ("as of 4 March 2031, at 09:16", "as of 4 March 2031, at 09:15"),
        ("2031-03-04 09:16", "2031-03-04 09:15"),
        ("Heute, 9:16 Uhr", "Heute, 9:15 Uhr"),
        ("at 9:16 am today", "at 9:15 am today"),
        ("March 4, 2031 09:16:00", "March 4, 2031 09:15:59"),
        ("made at 09:16:01.204", "made at 09:15:59.801"),
    ],
)
def test_a_time_to_the_minute_may_turn_between_two_answers(legacy: str, modern: str):
    before, after = "Tue, 04 Mar 2031 09:15:59 GMT", "Tue, 04 Mar 2031 09:16:01 GMT"

    assert at_the_turn(legacy, modern, after, before) == "equal"
    assert at_the_turn(modern, legacy, before, after) == "equal"
    assert at_the_turn(legacy, modern, after, before, mapping={}) == "different"
    assert at_the_turn(legacy, legacy.replace("16", "14"), after, before) == "different"
    assert at_the_turn(legacy, modern, before, "Tue, 04 Mar 2031 09:16:06 GMT") == "different"


@pytest.mark.parametrize(
    ("legacy", "modern", "date"),
    [
        ("as of 09:16", "as of 09:15", "Tue, 04 Mar 2031 09:16:30 GMT"),
        ("as of 09:16", "as of 09:15", "Tue, 04 Mar 2031 10:16:00 GMT"),
        ("at 9:16 pm", "at 9:15 pm", "Tue, 04 Mar 2031 09:16:00 GMT"),
        ("due 09:16", "due 09:15", "Tue, 04 Mar 2031 09:16:00 GMT"),
        ("as of 09:16", "as of 9:15:59", "Tue, 04 Mar 2031 09:16:00 GMT"),
        ("on 2031-03-05", "on 2031-03-04", "Tue, 04 Mar 2031 12:00:00 GMT"),
        ("on 2031-03-05", "on 2031-03-03", "Wed, 05 Mar 2031 00:00:01 GMT"),
        ("due on 2031-03-05", "due on 2031-03-04", "Wed, 05 Mar 2031 00:00:01 GMT"),
    ],
)
def test_a_time_to_the_minute_is_a_clock_in_the_seconds_of_its_turn_only(legacy: str, modern: str, date: str):
    assert at_the_turn(legacy, modern, date, date) == "different"


def test_a_time_of_day_turns_at_midnight_as_a_date_does():
    before, after = "Tue, 04 Mar 2031 23:59:59 GMT", "Wed, 05 Mar 2031 00:00:01 GMT"

    assert at_the_turn("on 2031-03-05, 0:00", "on 2031-03-04, 23:59", after, before) == "equal"
    assert at_the_turn("on 2031-03-05 12:00 am", "on 2031-03-04 11:59 pm", after, before) == "different"  # am, pm


def test_a_time_of_day_is_read_in_legacys_zone():
    mapping = {"preset": "php", "legacy_timezone": "Europe/Amsterdam"}
    dates = ("Fri, 04 Jul 2031 09:16:01 GMT", "Fri, 04 Jul 2031 09:15:59 GMT")

    assert at_the_turn("as of 11:16", "as of 11:15", *dates, mapping=mapping) == "equal"
    assert at_the_turn("as of 9:16", "as of 9:15", *dates, mapping=mapping) == "different"
    assert at_the_turn("as of 1:16", "as of 1:15", *dates) == "different"


def test_a_naive_clock_is_read_in_legacys_zone():
    mapping = {"preset": "php", "legacy_timezone": "Europe/Amsterdam"}
    legacy, modern = {"at": "2031-03-04 10:15:01"}, {"at": "2031-03-04T09:15:07Z"}

    assert held(legacy, modern, mapping).verdict == "equal"
    assert held(legacy, modern).verdict == "different"


def test_the_clock_of_a_page_is_one_as_well():
    legacy = "<main><p>Made at 2031-03-04 09:15:01</p><time datetime='2031-03-04T09:15:01Z'>now</time></main>"
    modern = legacy.replace(":01", ":07")

    assert held(legacy, modern, media="text/html").verdict == "equal"
    assert held(legacy, modern.replace("09:15", "08:15"), media="text/html").verdict == "different"
    assert held(legacy.replace("Made at", "Due"), modern.replace("Made at", "Due"), media="text/html").verdict == (
        "different"
    )


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ("id;at\n1;2031-03-04 09:15:01\n", "text/csv"),
        ("exported,2031-03-04 09:15:01\nid,name\n1,a\n", "text/csv"),
        ("made 2031-03-04 09:15:01\n", "text/plain"),
        ('<?xml version="1.0"?><r made="2031-03-04T09:15:01Z"/>', "application/xml"),
        ("<r><made>2031-03-04T09:15:01Z</made></r>", "application/xml"),
        ("a=1&at=2031-03-04+09%3A15%3A01", "application/x-www-form-urlencoded"),
        ('cb({"at":"2031-03-04 09:15:01"})', "application/javascript"),
        ('{"at":"2031-03-04 09:15:01"}\n{"a":1}\n', "application/x-ndjson"),
        ("BEGIN:VCALENDAR\nDTSTAMP:20310304T091501Z\nEND:VCALENDAR", "text/calendar"),
    ],
)
def test_a_clock_is_one_in_every_kind_of_body(body: str, media: str):
    later = body.replace("1Z", "7Z").replace(":01", ":07").replace("3A01", "3A07")

    assert later != body
    assert held(body, later, media=media).verdict == "equal"
    assert held(body, later.replace("09", "08", 1), media=media).verdict == "different"


@pytest.mark.parametrize("asked_again", [False, True])
@pytest.mark.parametrize(("name", "verdict"), [("made", "equal"), ("due_at", "different"), ("valid to", "different")])
def test_a_column_of_what_is_due_is_no_clock(name: str, verdict: str, asked_again: bool):
    body = f"id;{name}\n1;2031-03-04 09:15:01\n"
    legacy = answer(body, 200, ("Date", LEGACY), media="text/csv")
    modern = answer(body.replace(":01", ":07"), 200, ("Date", MODERN), media="text/csv")

    found = compare(legacy, modern, policy({"preset": "php"}), secondary=(legacy,) if asked_again else ())

    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("X-Made", "equal"), ("Last-Modified", "equal"), ("Expires", "different"), ("X-Due", "different")],
)
def test_a_compared_field_may_be_the_clock(name: str, verdict: str):
    sides = [answer("{}", 200, ("Date", date), (name, date)) for date in (LEGACY, MODERN)]

    assert compare(*sides, policy({"preset": "php", "headers": [name]})).verdict == verdict
    assert compare(*sides, policy({"headers": [name]})).verdict == "different"


def test_without_a_date_the_time_of_receipt_will_do():
    legacy, modern = answer(f'{{"at":{EPOCH}}}'), answer(f'{{"at":{EPOCH + 6}}}')
    php = policy({"preset": "php"})

    assert compare(legacy, modern, php).verdict == "different"
    assert compare(replace(legacy, at=EPOCH + 1.5), replace(modern, at=EPOCH + 7.0), php).verdict == "equal"
    assert compare(replace(legacy, at=EPOCH + 9.0), replace(modern, at=EPOCH + 7.0), php).verdict == "different"


def uniqid(seconds: int, draw: Random) -> str:
    """PHP's `uniqid()`."""
    return f"{seconds:08x}{draw.randrange(10**6):05x}"


IDS: tuple[Callable[[int, Random], str], ...] = (
    uniqid,
    lambda seconds, draw: f"{uniqid(seconds, draw)}{draw.randrange(10)}.{draw.randrange(10**8):08}",
    lambda seconds, draw: f"{uniqid(seconds, draw)}{draw.randrange(10**9):09}",
)


@pytest.mark.parametrize("made", IDS, ids=["plain", "more entropy", "more entropy, no point"])
@pytest.mark.parametrize(
    ("body", "media"),
    [
        ('<div id="filter_{}">a</div>', "text/html"),
        ('<table id="t{}">', "text/html"),
        ('<script>jQuery("#filter_{}").x()</script>', "text/html"),
        ('{{"id":"{}"}}', "application/json"),
        ('<r id="{}"/>', "application/xml"),
        ("a;b\n1;{}\n", "text/csv"),
    ],
)
def test_an_id_that_is_made_of_the_time_is_the_clock(made: Callable[[int, Random], str], body: str, media: str):
    draw = Random(2)

    def judged(modern: str) -> Comparison:
        return held(body.format(made(EPOCH, draw)), body.format(modern), media=media)

    for _ in range(20):
        found = judged(made(EPOCH + 6, draw))
        assert (found.verdict, next(iter(found.forgiven))) == ("equal", "clock")
    for wrong in (
        made(EPOCH + 60, draw),
        made(EPOCH, draw)[:-1],
        f"{made(EPOCH, draw)}1",
        f"42{made(EPOCH, draw)}",
        "",
    ):
        assert judged(wrong).verdict == "different"
