"""A date that names another day of the week than its own is no instant: the name is part of what a reader is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from comparators import Capture, Policy, compare
from comparators.noise_learning import Learner
from comparators.values import moment
from tests.comparators.answers import answer, policy

PHP: dict[str, Any] = {"preset": "php"}
RIGHT, WRONG = "Thu, 08 May 2031 10:15:03 GMT", "Fri, 08 May 2031 10:15:03 GMT"
NOW = datetime(2031, 5, 8, 10, 15, 3, tzinfo=UTC).timestamp()
BODIES = {
    "a value of JSON": ('{"at":"@"}', "application/json"),
    "a value in rows of any order": ('{"rows":[{"id":1,"at":"@"},{"id":2,"at":"@"}]}', "application/json"),
    "a feed": ("<rss><channel><pubDate>@</pubDate></channel></rss>", "application/rss+xml"),
    "the text of a <time>": ("<p><time>@</time></p>", "text/html"),
    "the attribute of a <time>": ('<p><time datetime="@">May</time></p>', "text/html"),
    "the attribute of a <del>": ('<p>a<del datetime="@">b</del></p>', "text/html"),
    "the content of a <meta>": ('<meta property="article:published_time" content="@"><p>a</p>', "text/html"),
    "a cell of a table": ('id,at\n1,"@"\n', "text/csv"),
    "JSON in a script": ('<script>let a = {"at":"@"};</script>', "text/html"),
}


def held(body: str, *dates: str, made: Sequence[str] = (), mapping: dict[str, Any] | None = None) -> str:
    """Two answers with a date each, or legacy's first, modern's, legacy's second; `made` are their own `Date`."""
    text, media = BODIES[body]
    fields = [(("Date", each),) for each in made] or [()] * len(dates)
    legacy, modern, *again = (
        answer(text.replace("@", each), 200, *field, media=media) for each, field in zip(dates, fields, strict=True)
    )
    return compare(legacy, modern, policy(mapping or PHP), secondary=tuple(again)).verdict


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("other", ["2031-05-08T10:15:03Z", "Thu, 08 May 2031 10:15:03 +0000"])
def test_a_wrong_day_of_the_week_beside_a_right_date_is_a_difference(body: str, other: str):
    mapping = {**PHP, "unordered": ["/rows"]}

    assert held(body, RIGHT, other, mapping=mapping) == held(body, other, RIGHT, mapping=mapping) == "equal"
    assert held(body, other, WRONG, mapping=mapping) == held(body, WRONG, other, mapping=mapping) == "different"
    assert held(body, RIGHT, WRONG, mapping=mapping) == "different"
    assert held(body, WRONG, WRONG, mapping=mapping) == "equal"


@pytest.mark.parametrize("body", BODIES)
def test_nor_is_one_the_clock_of_its_answer(body: str):
    made = RIGHT, "Thu, 08 May 2031 10:15:05 GMT"

    assert held(body, *made, made=made) == "equal"
    assert held(body, RIGHT, "Fri, 08 May 2031 10:15:05 GMT", made=made) == "different"
    assert held(body, WRONG, "Fri, 08 May 2031 10:15:05 GMT", made=made) == "different"


@pytest.mark.parametrize("name", ["Last-Modified", "Expires"])
def test_nor_in_a_field_of_the_head(name: str):
    def fields(date: str, seen: str) -> Capture:
        return answer(b"{}", 200, ("Date", date), (name, seen))

    rules = policy({**PHP, "headers": [name.lower()]})
    made = RIGHT, "Thu, 08 May 2031 10:15:05 GMT"

    assert compare(fields(made[0], RIGHT), fields(made[1], WRONG), rules).verdict == "different"
    assert compare(fields(made[0], WRONG), fields(made[1], WRONG.replace("03", "05")), rules).verdict == "different"


@pytest.mark.parametrize("body", BODIES)
def test_nor_is_one_more_of_those_that_legacy_gives(body: str):
    later = "Thu, 08 May 2031 10:15:09 GMT"

    assert held(body, RIGHT, "Thu, 08 May 2031 10:15:11 GMT", later) == "noise"
    assert held(body, RIGHT, "Fri, 08 May 2031 10:15:11 GMT", later) == "different"


@pytest.mark.parametrize("form", ['{"at":"@"}', '{"at":"as of @, by the clock"}'])
def test_nor_is_one_hidden_by_what_was_learned(form: str):
    learner = Learner()
    rules = Policy.from_mapping({**PHP, "noise": "learn"}, today=date(2031, 5, 8))
    for number in range(8):
        one, two = (answer(form.replace("@", RIGHT.replace("10:15:03", f"1{number}:15:{late:02}"))) for late in (3, 4))
        seen = compare(one, one, rules, secondary=(two,)).observations
        learner.add_observations(seen, NOW + 3600 * number)
    learned = tuple(each.rule for each in learner.suggestions(date(2031, 5, 8)))
    held = Policy.from_mapping({"noise": "learn"}, noise=learned, today=date(2031, 5, 8))

    def verdict(modern: str) -> str:
        return compare(answer(form.replace("@", RIGHT)), answer(form.replace("@", modern)), held).verdict

    assert verdict(RIGHT.replace(":03", ":07")) == "noise"
    assert verdict(WRONG.replace(":03", ":07")) == "different"


def test_other_ways_to_write_a_date_with_a_name_are_texts():
    for legacy, modern in (
        ("Thursday, 08-May-31 10:15:03 GMT", "Friday, 08-May-31 10:15:05 GMT"),
        ("Thu May  8 10:15:03 2031", "Fri May  8 10:15:05 2031"),
        ("donderdag 8 mei 2031 10:15:03", "vrijdag 8 mei 2031 10:15:05"),
        ("Thu, 8 May 2031 10:15:03 GMT", "Fri, 8 May 2031 10:15:05 GMT"),
    ):
        sides = [answer(json.dumps({"at": at}), 200, ("Date", RIGHT)) for at in (legacy, modern)]

        assert compare(*sides, policy(PHP)).verdict == "different"


@pytest.mark.parametrize("day", range(1, 8))
def test_every_day_has_its_name(day: int):
    names = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")

    read = [name for name in names if moment(f"{name}, {day:02} May 2031 10:15:03 GMT") is not None]

    assert read == [names[day - 1]]
