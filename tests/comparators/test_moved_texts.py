"""A page whose rows legacy shuffles: modern's may stand in any order, but they have to be legacy's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from comparators import Capture, Comparison, compare
from tests.comparators.answers import answer, policy

Row = tuple[str, str]
ROWS: list[Row] = [("1", "anna"), ("2", "bobo"), ("3", "ceel"), ("4", "dana")]
FORMS: dict[str, tuple[str, Callable[[Row], str], str]] = {
    "list": ("<ul>{}</ul>", lambda row: f'<li data-id="{row[0]}">{row[1]}</li>', "text/html"),
    "table": ("<table>{}</table>", lambda row: f"<tr><td>{row[0]}</td><td>{row[1]}</td></tr>", "text/html"),
    "links": ("<p>{}</p>", lambda row: f'<a href="/t/{row[0]}"><b>{row[1]}</b></a>', "text/html"),
}


def page(form: str, rows: Sequence[Row]) -> Capture:
    around, row, media = FORMS[form]
    return answer(around.format("".join(map(row, rows))), media=media)


def order(numbers: str) -> list[Row]:
    return [ROWS[int(each) - 1] for each in numbers]


def against(form: str, rows: Sequence[Row], *again: str) -> Comparison:
    answers = tuple(page(form, order(each)) for each in again or ("2143", "4312"))
    return compare(page(form, ROWS), page(form, rows), policy({"preset": "php"}), secondary=answers)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("numbers", ["2143", "4321", "3412", "1243", "2341"])
def test_any_order_of_legacys_rows_is_noise(form: str, numbers: str):
    assert against(form, order(numbers)).verdict == "noise"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "rows",
    [
        [("9", "evie"), *ROWS[1:]],
        [*ROWS[2:], ("9", "evie"), ROWS[0]],
        [ROWS[1], ROWS[1], *ROWS[2:]],
        [ROWS[1], ROWS[0], ROWS[3], ("3", "cool")],
        [("1", "bobo"), ("2", "anna"), *ROWS[2:]],
    ],
    ids=["a stranger", "a stranger among moved rows", "a row twice", "misspelled", "names mixed up"],
)
def test_a_row_that_legacy_never_has_is_a_difference(form: str, rows: list[Row]):
    comparison = against(form, rows)

    assert comparison.verdict == "different"
    assert all(each.path == "@body" and each.legacy != each.modern for each in comparison.findings)


@pytest.mark.parametrize("form", FORMS)
def test_words_that_are_others_each_time_may_be_others(form: str):
    drawn = [[("5", "evie"), ("6", "finn"), ("7", "gaby"), ("8", "hans")], [("9", "ida?"), *ROWS[:3]]]
    answers = tuple(page(form, rows) for rows in drawn)
    rows = [("5", "jude"), ("6", "kurt"), ("7", "lena"), ("8", "mike")]

    assert compare(page(form, ROWS), page(form, rows), policy({"preset": "php"}), secondary=answers).verdict == "noise"


def test_two_places_by_turns_may_show_a_third():
    legacy, again, modern = (page("list", rows) for rows in (ROWS[:2], ROWS[1::-1], [ROWS[2], ROWS[1]]))

    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "noise"


def test_a_document_whose_rows_move_has_no_others():
    def document(rows: Sequence[Row]) -> Capture:
        inner = "".join(f'<t id="{row[0]}"><z>{row[1]}</z></t>' for row in rows)
        return answer(f"<r>{inner}</r>", media="application/xml")

    answers = document(order("2143")), document(order("4312"))
    stranger = document([("9", "evie"), *ROWS[1:]])

    assert compare(document(ROWS), stranger, policy(), secondary=answers).verdict == "different"


Priced = tuple[str, str, str]
PRICED: list[Priced] = [
    ("1", "anna", "\u20ac 31,21"), ("2", "bobo", "\u20ac 27,34"), ("3", "ceel", "\u20ac 59,92"),
    ("4", "dana", "\u20ac 8,29"),
    ("5", "evie", "\u20ac 1.846,08"),
]  # fmt: skip


def priced(rows: Sequence[Priced]) -> Capture:
    inner = "".join(f'<li data-id="{row[0]}"><a href="/p/{row[0]}">{row[1]}</a> <b>{row[2]}</b></li>' for row in rows)
    return answer(f"<ul>{inner}</ul>", media="text/html")


def priced_against(rows: Sequence[Priced]) -> Comparison:
    again = tuple(priced([PRICED[int(each) - 1] for each in numbers]) for numbers in ("21453", "45312"))
    return compare(priced(PRICED), priced(rows), policy({"preset": "php"}), secondary=again)


@pytest.mark.parametrize("numbers", ["54321", "13245", "21345", "34512"])
def test_prices_move_with_their_rows(numbers: str):
    assert priced_against([PRICED[int(each) - 1] for each in numbers]).verdict == "noise"


@pytest.mark.parametrize("numbers", ["12345", "54321", "34512"])
@pytest.mark.parametrize("wrong", ["another", "another row's", "both swapped"])
def test_a_price_in_another_row_or_of_nobody_counts(numbers: str, wrong: str):
    rows = [PRICED[int(each) - 1] for each in numbers]
    first, second = rows[1], rows[3]
    if wrong == "another":
        rows[1] = first[0], first[1], "\u20ac 0,01"
    else:
        rows[1] = first[0], first[1], second[2]
    if wrong == "both swapped":
        rows[3] = second[0], second[1], first[2]

    assert priced_against(rows).verdict == "different"
