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

    rows = [*ROWS, ("5", "evie"), ("6", "finn")]
    answers = tuple(document([rows[int(each) - 1] for each in numbers]) for numbers in ("456123", "645231"))
    stranger = document([("9", "gaby"), *rows[1:]])

    assert compare(document(rows), stranger, policy(), secondary=answers).verdict == "different"


def hosted(host: str, numbers: str) -> Capture:
    return page("list", [(row[0], f'<a href="http://{host}/p/{row[0]}">{row[1]}</a>') for row in order(numbers)])


def test_own_hosts_move_with_their_rows():
    again = hosted("old.test:9001", "2143"), hosted("old.test:9001", "4312")
    legacy = hosted("old.test:9001", "1234")

    assert (
        compare(legacy, hosted("new.test:8000", "3421"), policy({"preset": "php"}), secondary=again).verdict == "noise"
    )
    assert (
        compare(legacy, hosted("new.test:8000", "3425"[:3] + "3"), policy({"preset": "php"}), secondary=again).verdict
        == "different"
    )


def test_rows_that_change_while_they_move_are_not_counted():
    def said(numbers: str, later: int) -> Capture:
        return page(
            "list", [("1", f"{ROWS[int(each) - 1][1]} {10 * int(each) + later} seconds ago") for each in numbers]
        )

    again = said("2143", 1), said("4312", 3)
    assert compare(said("1234", 0), said("3421", 2), policy({"preset": "php"}), secondary=again).verdict == "noise"


def test_elements_that_are_held_together_may_have_own_hosts_and_counts():
    def said(host: str, numbers: str, later: int) -> Capture:
        inner = "".join(
            f"<t><z>at http://{host}/{ROWS[int(each) - 1][1]} since {10 * int(each) + later} s</z></t>"
            for each in numbers
        )
        return answer(f"<r>{inner}</r>", media="application/xml")

    again = tuple(said("old.test:9001", numbers, 0) for numbers in ("2143", "4312", "3421"))
    legacy, modern = said("old.test:9001", "1234", 0), said("new.test:8000", "4321", 1)
    assert compare(legacy, modern, policy({"preset": "php"}), secondary=again).verdict == "noise"


def test_three_of_a_few_in_one_answer_are_no_evidence():
    legacy, again, modern = (page("list", order(each)) for each in ("123", "312", "234"))

    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "noise"


@pytest.mark.parametrize("name", ["a1\u00b23b", "9" * 5000])
def test_any_name_is_sorted(name: str):
    def page_of(value: str) -> Capture:
        inner = f'<script type="application/json">{{"{name}": "{value}"}}</script>'
        return answer(f"<p>a</p>{inner}", media="text/html")

    answers = [page_of(value) for value in ("8f7a6b5c4d3e", "9a7a6b5c4d11", "1f2a6b5c4d3e")]
    assert compare(answers[0], answers[1], policy({"preset": "php"}), secondary=(answers[2],)).verdict == "noise"
