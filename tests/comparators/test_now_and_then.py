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

    assert (lost.kind, lost.legacy) == ("missing", "/feed/entry: Hammer 7 7")


# ── what a review of it found ──


def listed(*answers: list[Any]) -> Comparison:
    first, again, modern = (json.dumps({"o": each}) for each in answers)
    return thrice(first, again, modern)


def with_clock(many: int, second: int) -> list[dict[str, Any]]:
    return [{"id": each, "price": each, "seen": f"2026-11-30T10:00:0{second}Z"} for each in range(many)]


def test_a_row_of_the_same_key_may_differ_in_its_clock_but_not_in_its_price():
    dear = [{**row, "price": row["price"] + (row["id"] == 3)} for row in with_clock(6, 2)]

    assert listed(with_clock(5, 1), with_clock(6, 3), with_clock(6, 2)).verdict == "noise"
    assert listed(with_clock(5, 1), with_clock(6, 3), dear).verdict == "different"


def test_a_setting_of_the_whole_document_is_none_of_a_rows_members():
    settings = {**PHP, "ignore": ["/status"]}
    first, again, modern = (
        answer(json.dumps({"status": "ok", "o": [{"id": each, "status": said} for each in range(many)]}))
        for many, said in ((3, "paid"), (4, "paid"), (4, "open"))
    )

    assert compare(first, modern, policy(settings), secondary=(again,)).verdict == "different"


def test_a_hundred_rows_behind_a_new_one_are_known_by_their_key():
    prices = [{"id": each, "price": f"{each}.50"} for each in range(101)]
    modern = [{"id": each, "price": each + 0.5} for each in range(101)]

    assert listed(prices[1:], prices, modern).verdict == "noise"
    assert listed(prices[1:], prices, [*modern[:70], {"id": 70, "price": 71.5}, *modern[71:]]).verdict == "different"


def test_a_window_that_moves_hides_no_wrong_row_and_no_loss():
    window = [{"id": each, "text": f"Order {each}"} for each in range(1, 103)]
    wrong = [{**row, "text": "Order 6"} if row["id"] == 5 else row for row in window[1:12]]

    assert listed(window[:10], window[1:12], wrong).verdict == "different"
    assert listed(window[:100], window[1:], window[1:13]).verdict == "different"
    assert listed(window[:100], window[1:], window[1:]).verdict == "noise"


@pytest.mark.parametrize("number", ["1e999999", "1e99999999999999999999", "-0", "1e999999999999"])
def test_no_number_is_too_large_to_be_compared(number: str):
    bodies = [f'{{"o":[{{"n":4}},{{"n":5}}{more}]}}' for more in ("", ',{"n":3}', f',{{"n":{number}}}')]

    assert thrice(*bodies).verdict == "different"
    assert thrice('{"a":1}', f'{{"a":1,"n":{number}}}', '{"a":1,"n":7}').verdict in ("different", "noise")


@pytest.mark.parametrize(
    ("first", "again", "modern"),
    [
        ([{"name": "total", "value": 5}, {"name": "n", "value": 4}],
         [{"name": "total", "value": 5}, {"name": "items", "value": 2}, {"name": "n", "value": 3}],
         [{"name": "total", "value": 9}, {"name": "items", "value": 2}, {"name": "n", "value": 3}]),
        (["5.00 €", "at 1"], ["5.00 €", "at 2", "x"], ["9.00 €", "at 2", "x"]),
        ([{"id": 1, "status": "new"}], [{"id": 1, "status": "new"}, {"id": 2, "status": "paid"}],
         [{"id": 1, "status": "new"}, {"id": 2, "status": "None"}]),
    ],
    ids=["by-its-label", "by-its-sign", "unfilled"],
)  # fmt: skip
def test_a_row_is_not_made_up_where_it_says_a_sum_or_nothing(first: list[Any], again: list[Any], modern: list[Any]):
    assert listed(first, again, modern).verdict == "different"


@pytest.mark.parametrize(
    "block",
    ['<input type="hidden" name="cart_token" value="{}">', '<div data-user-id="{}">x</div>'],
)
def test_what_opens_or_names_somebodys_is_no_other_of_one_sample(block: str):
    values = ("a3f81c9e77b2a3f8", "0be4d1937ac50be4") if "token" in block else ("7", "8")

    again, modern = (PAGE.format(block.format(each)) for each in values)

    assert thrice(PAGE.format(""), again, modern, "text/html").verdict == "different"


@pytest.mark.parametrize(
    ("name", "again", "modern"),
    [("user_id", 7, 8), ("customerId", 7, 8), ("valid_until", "2026-11-30", "2026-12-30"),
     ("user", "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "7e9619ff-8b86-4011-b42d-00cf4fc964aa")],
)  # fmt: skip
def test_neither_is_an_id_or_a_date_that_something_is_due(name: str, again: Any, modern: Any):
    assert judged(as_json, {"a": 1}, {"a": 1, name: again}, {"a": 1, name: modern}) == "different"


def test_an_object_beside_thousands_of_varying_rows_is_looked_at_as_well():
    def body(second: int, **more: Any) -> dict[str, Any]:
        return {"rows": [{"t": f"2026-11-30T10:00:0{second}Z"} for _ in range(4000)], **more}

    first, again = body(1), body(2, o={"name": "ann", "password": "x"})

    assert judged(as_json, first, again, body(3, o={"name": "bob"})) == "different"


def test_an_answer_that_is_legacys_other_one_to_the_byte_is_noise_but_never_a_sum():
    assert thrice("<r><n>1</n></r>", *["<r><n>2</n><n>3</n></r>"] * 2, "application/xml").verdict == "noise"
    assert thrice('{"total": 5}', *['{"total": 6}'] * 2).verdict == "different"


def links(numbers: list[int], host: str, space: str = "") -> str:
    item = f"<item>{space}<title>Hammer {{0}}</title><link>http://{host}/p/{{0}}</link></item>"
    return f"<rss><channel>{''.join(map(item.format, numbers))}</channel></rss>"


@pytest.mark.parametrize("space", ["", "\n  "])
def test_entries_are_held_together_whatever_hosts_and_white_space_they_have(space: str):
    first, again = links(N[1:], "old.test"), links(N, "old.test")
    modern = links(N, "old.test", space)

    assert thrice(first, again, modern, "application/rss+xml").verdict == "noise"
    assert thrice(again, first, modern, "application/rss+xml").verdict == "equal"


def test_an_entry_of_the_second_answer_is_known_wherever_it_stands():
    first, again, modern = links(N, "a.test"), links([30, 25, *N], "a.test"), links([25, *N], "a.test")

    assert thrice(first, again, modern, "application/rss+xml").verdict == "noise"
    assert thrice(first, again, links([26, *N], "a.test"), "application/rss+xml").verdict == "different"
