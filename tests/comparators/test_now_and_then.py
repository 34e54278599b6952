"""What legacy has in one answer and not in another hides nothing: modern's is held against the answer that has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from comparators import Comparison, compare
from comparators.comparison import OTHERWISE
from tests.comparators.answers import answer, policy, spots

PHP = {"preset": "php", "noise": "learn"}


def thrice(first: str, again: str, modern: str, media: str = "application/json") -> Comparison:
    legacy, secondary, other = (answer(body, media=media) for body in (first, again, modern))
    return compare(legacy, other, policy(PHP), secondary=(secondary,))


def as_json(value: Any) -> tuple[str, str]:
    return json.dumps(value), "application/json"


def in_script(value: Any) -> tuple[str, str]:
    return f"<html><body><script>var c = {json.dumps(value)};</script></body></html>", "text/html"


def in_attribute(value: Any) -> tuple[str, str]:
    written = json.dumps(value).replace('"', "&quot;")
    return f'<html><body><div data-c="{written}">x</div></body></html>', "text/html"


def judged(form: Callable[[Any], tuple[str, str]], first: Any, again: Any, modern: Any) -> str:
    (one, media), (two, _), (three, _) = form(first), form(again), form(modern)
    return thrice(one, two, three, media).verdict


# ── an object that is there now and then ──

ANN = {"id": 17, "name": "ann", "sum": 3}
NOTHING: list[Any] = [None, [], False]


@pytest.mark.parametrize("form", [as_json, in_script, in_attribute])
@pytest.mark.parametrize("nothing", NOTHING, ids=str)
@pytest.mark.parametrize(
    ("modern", "verdict"),
    [
        (ANN, "noise"),
        ({**ANN, "name": "bob"}, "different"),
        ({**ANN, "password": "x"}, "different"),
        ({**ANN, "id": "17"}, "different"),
        ({**ANN, "name": None}, "different"),
        ({"id": 17, "sum": 3}, "different"),
        ({**ANN, "total": 9}, "different"),
    ],
    ids=["as-legacy", "another-user", "a-secret", "another-type", "null", "a-member-lost", "a-sum"],
)
def test_an_object_is_held_against_the_answer_that_has_it(
    form: Callable[[Any], tuple[str, str]], nothing: Any, modern: Any, verdict: str
):
    assert judged(form, {"a": 1, "o": nothing}, {"a": 1, "o": ANN}, {"a": 1, "o": modern}) == verdict
    assert judged(form, {"a": 1, "o": ANN}, {"a": 1, "o": nothing}, {"a": 1, "o": modern}) == (
        "equal" if modern == ANN else "different"
    )


def test_what_was_found_names_the_values_of_that_answer():
    found = thrice('{"a":1}', '{"a":1,"o":{"name":"ann"}}', '{"a":1,"o":{"name":"bob"}}')

    assert [(each.path, each.legacy, each.modern) for each in found.findings] == [("/o/name", '"ann"', '"bob"')]
    assert OTHERWISE in found.notes


@pytest.mark.parametrize(
    ("again", "modern", "verdict"),
    [
        (7, 8, "noise"),
        (7, 900, "different"),
        ("2026-11-30T10:00:00Z", "2026-11-30T10:00:01Z", "noise"),
        ("a3f81c9e77b2", "0be4d1937ac5", "noise"),
        ("ann", "bob", "different"),
    ],
)
def test_of_one_sample_times_tokens_and_sizes_may_be_others(again: Any, modern: Any, verdict: str):
    assert judged(as_json, {"n": 1}, {"n": 1, "seen": again}, {"n": 1, "seen": modern}) == verdict


# ── rows ──


def rows(*numbers: int, **others: Any) -> list[dict[str, Any]]:
    return [{"id": number, "user": "ann", "text": f"Order {number}", **others} for number in numbers]


@pytest.mark.parametrize(
    ("modern", "found"),
    [
        (rows(2, 1), []),
        (rows(1), []),
        (rows(3, 2, 1), []),
        (rows(7, 8), ["/orders/0 missing"]),
        (rows(2, 2), ["/orders/1 extra"]),
        ([], ["/orders length"]),
        (rows(3, 2, 1, amount="9.00"), ["/orders/0 extra", "/orders/1 extra", "/orders/2 extra"]),
        ([*rows(3, 2), {"id": 1, "user": "bob", "text": "Order 1"}], ["/orders/2 extra"]),
        ([*rows(3, 2), {"id": 1, "user": "ann"}], ["/orders/2 extra"]),
        ([None, None, None], ["/orders/0 extra", "/orders/1 extra", "/orders/2 extra"]),
        ([*rows(2, 1), {**rows(3)[0], "id": "3"}], ["/orders/2 extra"]),
        ([*rows(2, 1), {**rows(3)[0], "text": "Traceback (most recent call last): " * 2}], ["/orders/2 extra"]),
    ],
    ids=["as-again", "as-first", "one-more", "one-lost", "twice", "none", "money", "another-user", "a-member-lost",
         "nulls", "another-type", "a-traceback"],
)  # fmt: skip
def test_rows_of_a_list_of_several_lengths_are_looked_at_one_by_one(modern: list[Any], found: list[str]):
    first, again = json.dumps({"orders": rows(1)}), json.dumps({"orders": rows(2, 1)})

    assert spots(thrice(first, again, json.dumps({"orders": modern}))) == found


def test_a_list_from_which_rows_come_and_go_need_not_have_what_both_answers_have():
    first, again = (json.dumps({"online": [{"name": each} for each in names]}) for names in ("abx", "acdx"))

    assert thrice(first, again, '{"online": [{"name": "c"}]}').verdict == "noise"


def test_rows_are_the_same_under_the_rules_of_the_preset():
    first, again = ('{"o": [{"price": "10.50"}]}', '{"o": [{"price": "10.50"}, {"price": "7.00"}]}')

    assert thrice(first, again, '{"o": [{"price": 10.5}, {"price": 7.0}]}').verdict == "noise"
    assert thrice(first, again, '{"o": [{"price": 10.5}, {"price": 7.01}]}').verdict == "different"


# ── pieces of pages, documents, tables ──

PAGE = "<html><body><p>a</p>{}</body></html>"


def test_a_size_with_its_unit_is_no_sum():
    first, again, modern = (PAGE.format(each) for each in ("", "<p>Memory 12.34 MB</p>", "<p>Memory 12.41 MB</p>"))

    assert thrice(first, again, modern, "text/html").verdict == "noise"


def test_a_row_that_a_list_of_a_script_has_lost_is_no_noise():
    rows_of = [{"title": f"Hammer {each}"} for each in range(20, 0, -1)]
    lost = [each for each in rows_of if each["title"] != "Hammer 7"]

    assert judged(in_script, {"rows": rows_of}, {"rows": rows_of[1:]}, {"rows": lost}) == "different"
    assert judged(in_script, {"rows": rows_of}, {"rows": rows_of[1:]}, {"rows": rows_of[1:]}) == "noise"


@pytest.mark.parametrize(
    ("media", "frame", "again", "modern"),
    [
        ("text/html", PAGE, "<div>Total € 1.00 ann</div>", "<div>Total € 9.00 ann</div>"),
        ("text/html", PAGE, "<div>ann</div>", "<div>None</div>"),
        ("text/html", PAGE, '<a href="/users/7">me</a>', '<a href="/users/8">me</a>'),
        ("text/html", PAGE, "<table><tr><td>B</td><td>2.00</td></tr></table>",
         "<table><tr><td>B</td><td>9.00</td></tr></table>"),
        ("application/xml", "<r><a>1</a>{}</r>", "<u><amount>1</amount></u>", "<u><amount>9</amount></u>"),
        ("text/csv", "id,amount\n1,1.00\n{}", "2,2.00\n", "2,9.00\n"),
        ("text/csv", "id,count\n1,1\n{}", "2,2\n", "2,9\n"),
        ("application/x-ndjson", '{{"id": 1}}\n{}', '{"id": 2, "user": "ann"}\n', '{"id": 2, "user": "bob"}\n'),
    ],
)  # fmt: skip
def test_a_piece_that_only_the_second_answer_has_is_held_against_it(media: str, frame: str, again: str, modern: str):
    first = frame.format("")

    assert thrice(first, frame.format(again), frame.format(again), media).verdict == "noise"
    assert thrice(first, frame.format(again), frame.format(modern), media).verdict == "different"


# ── documents whose elements move ──


def feed(numbers: list[int]) -> str:
    entries = "".join(f"<entry><title>Hammer {each}</title><id>{each}</id></entry>" for each in numbers)
    return f"<feed>{entries}</feed>"


N = [*range(20, 0, -1)]


@pytest.mark.parametrize("sample", [N[1:], [21, *N], N[:-1]], ids=["before", "after", "one-less"])
@pytest.mark.parametrize(
    ("modern", "found"),
    [
        (N, []),
        ([8 if each == 7 else each for each in N], ["/feed/entry[14]/title: Hammer 7", "/feed/entry[14]/id: 7"]),
        ([{7: 8, 8: 7}.get(each, each) for each in N],
         ["/feed/entry[13]/title: Hammer 8", "/feed/entry[13]/id: 8", "/feed/entry[14]/title: Hammer 7",
          "/feed/entry[14]/id: 7"]),
    ],
    ids=["sound", "wrong", "swapped"],
)  # fmt: skip
def test_a_sample_with_an_entry_more_or_less_hides_nothing_behind_it(
    sample: list[int], modern: list[int], found: list[str]
):
    comparison = thrice(feed(N), feed(sample), feed(modern), "application/atom+xml")

    assert [each.legacy for each in comparison.findings] == found


def test_an_entry_that_is_lost_is_told_by_what_it_says():
    (lost,) = thrice(feed(N), feed(N[1:]), feed([each for each in N if each != 7]), "application/atom+xml").findings

    assert (lost.kind, lost.legacy) == ("missing", "/feed/entry[14]: Hammer 77")
