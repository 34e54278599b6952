"""Rows of a page that legacy has in another order each time: held against the like of them, prices and all."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import Capture, Comparison, compare
from tests.comparators.answers import answer, policy


class Row(NamedTuple):
    """What a shop shows of an article."""

    number: int
    name: str
    price: str
    views: int = 7


PHP = {"preset": "php"}
ROWS = [
    Row(11, "Theepot", "€ 24,95"), Row(12, "Kruidenrek", "€ 31,50"), Row(13, "Kaasschaaf", "€ 8,75"),
    Row(14, "Fluitketel", "€ 24,95"), Row(15, "Broodtrommel", "€ 39,00"),
]  # fmt: skip
FORMS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "list": (
        "<ul>{}</ul>",
        lambda row: (
            f'<li data-id="{row.number}"><a href="/p/{row.number}">{row.name}</a> <b>{row.price}</b>'
            f"<i>{row.views} views</i></li>"
        ),
    ),
    "table": (
        "<table><tr><th>Name</th><th>Price</th><th>Views</th></tr>{}</table>",
        lambda row: f"<tr><td>{row.name}</td><td>{row.price}</td><td>{row.views} views</td></tr>",
    ),
    "cards": (
        "<main>{}</main><footer>End</footer>",
        lambda row: f'<div class="card"><h2>{row.name}</h2><p>{row.views} views</p><p>Price: {row.price}</p></div>',
    ),
    "in a line": ("<p>Also: {}.</p>", lambda row: f'<a title="{row.price}">{row.name}</a>, '),
}
FORMS_WITH_NUMBERS = ["list", "table", "cards"]


def page(form: str, rows: Sequence[Row]) -> Capture:
    around, row = FORMS[form]
    return answer(around.format("".join(map(row, rows))), media="text/html")


def order(numbers: str) -> list[Row]:
    return [ROWS[int(each) - 1] for each in numbers]


def against(form: str, rows: Sequence[Row], *again: str) -> Comparison:
    answers = tuple(page(form, order(each)) for each in again or ("21435",))
    return compare(page(form, ROWS), page(form, rows), policy({"preset": "php"}), secondary=answers)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("numbers", ["21435", "54321", "23451", "12354"])
def test_any_order_of_the_same_rows_is_noise(form: str, numbers: str):
    assert against(form, order(numbers)).verdict == "noise"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("number", "change", "literals"),
    [
        (1, {"price": "€ 3,15"}, ("€ 31,50", "€ 3,15")),
        (4, {"price": "€ 93,00"}, ("€ 39,00", "€ 93,00")),
        (2, {"name": "Kaasschaal"}, ("Kaasschaaf", "Kaasschaal")),
    ],
)
def test_what_is_wrong_in_a_row_that_moved_is_found_there(
    form: str, number: int, change: dict[str, str], literals: tuple[str, str]
):
    rows = list(ROWS)
    rows[number] = rows[number]._replace(**change)  # type: ignore[arg-type] # of one row's texts
    rows = [rows[at] for at in (3, 1, 4, 0, 2)]

    [found] = against(form, rows).findings
    assert (found.kind, found.legacy[-len(literals[0]) :], found.modern[-len(literals[1]) :]) == ("value", *literals)


@pytest.mark.parametrize("form", FORMS)
def test_prices_that_changed_their_rows_are_differences(form: str):
    mixed = [*ROWS[:1], ROWS[1]._replace(price="€ 8,75"), ROWS[2]._replace(price="€ 31,50"), *ROWS[3:]]

    assert len(against(form, mixed).findings) == 2
    assert len(against(form, mixed[::-1]).findings) == 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "rows",
    [ROWS[:0:-1], [*ROWS[::-1], ROWS[0]], [*ROWS[1:], ROWS[1]], [*ROWS[:0:-1], Row(19, "Trechter", "€ 4,20")]],
    ids=["lost", "one more", "twice", "a stranger"],
)
def test_rows_that_are_not_legacys_are_differences(form: str, rows: list[Row]):
    assert against(form, rows).verdict == "different"


@pytest.mark.parametrize("form", FORMS)
def test_an_order_that_legacy_keeps_has_to_be_kept(form: str):
    assert against(form, order("21345"), "12345").verdict == "different"


def test_the_head_of_a_table_does_not_move_with_its_rows():
    swapped = page("table", order("21345")).body.replace(b"</th></tr>", b"</th></tr>", 1)
    head, rows = swapped[: swapped.index(b"</tr>") + 5], swapped[swapped.index(b"</tr>") + 5 :]
    moved = rows.replace(b"</table>", head.removeprefix(b"<table>") + b"</table>")
    modern = answer(b"<table>" + moved, media="text/html")

    legacy, again = page("table", ROWS), page("table", order("21435"))
    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "different"


@pytest.mark.parametrize("form", FORMS_WITH_NUMBERS)
def test_rows_may_have_changed_in_what_legacy_counts_while_they_moved(form: str):
    again = [row._replace(views=row.views + at + 1) for at, row in enumerate(order("35142"))]
    modern = [row._replace(views=row.views + 3) for row in order("54213")]
    wrong = [modern[0]._replace(price="€ 1,00"), *modern[1:]]
    answers = (page(form, again),)

    found = [
        compare(page(form, ROWS), page(form, rows), policy({"preset": "php"}), secondary=answers).verdict
        for rows in (modern, wrong)
    ]
    assert found == ["noise", "different"]


@pytest.mark.parametrize("form", FORMS)
def test_three_rows_may_be_in_any_order_or_three_others(form: str):
    legacy, again = page(form, ROWS[:3]), page(form, order("312"))
    rows = [ROWS[2], ROWS[1], ROWS[0]]
    others = [each._replace(price="€ 8,75") for each in order("452")]
    wrong = [rows[0], rows[1]._replace(price="€ 3,15"), rows[2]]

    found = [compare(legacy, page(form, each), policy({"preset": "php"}), secondary=(again,)) for each in (rows, wrong)]
    assert [each.verdict for each in found] == ["noise", "different"]
    assert len(found[1].findings) == 1
    if form != "in a line":
        bare = [page(form, [each._replace(price="-") for each in some]) for some in (ROWS[:3], order("312"), others)]
        assert compare(bare[0], bare[2], policy({"preset": "php"}), secondary=(bare[1],)).verdict == "noise"


def test_a_page_without_moved_rows_is_compared_in_its_own_order():
    legacy, again = page("list", ROWS), page("list", [row._replace(views=8) for row in ROWS])
    modern = page("list", [row._replace(views=9) for row in order("21345")])

    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "different"


@given(st.lists(st.integers(0, 40), min_size=4, max_size=12, unique=True), st.randoms(use_true_random=False), st.data())
def test_a_row_that_is_otherwise_is_never_lost_in_the_order(
    numbers: list[int], chance: random.Random, data: st.DataObject
):
    rows = [Row(each, f"Name {each}", f"€ {each},{each:02d}") for each in numbers]
    again = [*rows[1:], rows[0]]
    modern = chance.sample(rows, len(rows))
    answers = (page("list", again),)
    assert compare(page("list", rows), page("list", modern), policy({"preset": "php"}), secondary=answers).verdict in {
        "noise", "equal",
    }  # fmt: skip

    at = data.draw(st.integers(0, len(rows) - 1))
    modern[at] = modern[at]._replace(price="€ 99,99")
    comparison = compare(page("list", rows), page("list", modern), policy({"preset": "php"}), secondary=answers)
    assert [each.modern[-7:] for each in comparison.findings] == ["€ 99,99"]


LOOSE = "<b>{0}</b> lives in {1}<br>"
NAMES, PRICES = ("Ant", "Bee", "Cat", "Dog"), ("$3", "$4", "$5", "$6")
RECORDS: dict[str, tuple[str, str]] = {
    "terms": ("<dl>{}</dl>", "<dt>{0}</dt><dd>{1}</dd>"),
    "heads": ("<main>{}</main>", "<h3>{0}</h3><p>{1}</p>"),
    "two rows": ("<table>{}</table>", "<tr><td>{0}</td></tr><tr><td>{1}</td></tr>"),
    "spanned rows": ("<table>{}</table>", '<tr><td rowspan="2">{0}</td></tr><tr><td>{1}</td></tr>'),
    "three rows": ("<ul>{}</ul>", "<li>{0}</li><li>of {0}</li><li>{1}</li>"),
    "labels": ("<form>{}</form>", '<input type="radio" value="{0}"><label>{1}</label>'),
}


def records(form: str, names: Sequence[str], prices: Sequence[str]) -> Capture:
    around, record = RECORDS[form]
    return answer(around.format("".join(map(record.format, names, prices))), media="text/html")


@pytest.mark.parametrize("form", RECORDS)
def test_what_is_one_record_is_never_torn(form: str):
    legacy, again = records(form, NAMES, PRICES), records(form, NAMES[::-1], PRICES[::-1])
    torn = [
        records(form, NAMES, PRICES[::-1]),
        records(form, NAMES[::-1], PRICES),
        records(form, NAMES, ("$4", "$3", "$5", "$6")),
    ]

    for modern in torn:
        assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "different"


@pytest.mark.parametrize("form", RECORDS)
def test_records_of_several_elements_may_be_in_any_order(form: str):
    mixed = [2, 0, 3, 1]
    legacy, again = records(form, NAMES, PRICES), records(form, NAMES[::-1], PRICES[::-1])
    modern = records(form, [NAMES[at] for at in mixed], [PRICES[at] for at in mixed])

    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "noise"


def test_texts_between_elements_do_not_move_with_them():
    towns = ["Rome", "Oslo", "Bern", "Riga", "Lyon", "Graz", "Cork", "Gent", "Kyiv", "Bari"]
    names = [f"Name{at}" for at in range(10)]
    order = [4, 7, 1, 9, 0, 3, 8, 2, 6, 5]

    def said(at: Sequence[int], there: Sequence[int]) -> Capture:
        inner = "".join(LOOSE.format(names[one], towns[two]) for one, two in zip(at, there, strict=True))
        return answer(f"<p>{inner}</p>", media="text/html")

    legacy, again = said(range(10), range(10)), said(order, order)
    torn = said(order[::-1], [*order[:1:-1], order[0], order[1]])
    assert compare(legacy, torn, policy(PHP), secondary=(again,)).verdict == "different"


def columns(rows: Sequence[Sequence[str]]) -> Capture:
    cells = [
        "".join(f"<{tag}>{cell}</{tag}>" for cell in row) for tag, row in zip(("th", "td", "td"), rows, strict=True)
    ]
    return answer(f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>", media="text/html")


def test_columns_move_with_their_heads():
    rows = [NAMES, PRICES, ("$13", "$14", "$15", "$16")]
    turned = [row[::-1] for row in rows]
    mixed = [[row[at] for at in (2, 0, 3, 1)] for row in rows]
    found = [
        compare(columns(rows), columns(modern), policy({"preset": "php"}), secondary=(columns(turned),)).verdict
        for modern in (mixed, [rows[0], *mixed[1:]], [*rows[:2], mixed[2]])
    ]
    assert found == ["noise", "different", "different"]


@pytest.mark.parametrize("modern", ["fay eve dan cid bob ann", "ann bob cid dan fay eve", "cid bob ann dan eve fay"])
def test_only_rows_that_legacy_moved_may_stand_elsewhere(modern: str):
    def ranked(names: str) -> Capture:
        return answer(f"<ol>{''.join(f'<li>{name}</li>' for name in names.split())}</ol>", media="text/html")

    legacy, again = ranked("ann bob cid dan eve fay"), ranked("bob ann cid dan eve fay")
    assert compare(legacy, ranked(modern), policy({"preset": "php"}), secondary=(again,)).verdict == "different"


@pytest.mark.parametrize("first", [0, 1])
def test_what_a_smaller_move_showed_allows_nothing_in_rows_that_all_move(first: int):
    towns = ["Rome", "Oslo", "Bern", "Riga", "Lyon", "Graz", "Cork", "Gent", "Kyiv", "Bari"]
    rows = [Row(at, f"Name {at}", town) for at, town in enumerate(towns)]
    small, large = [rows[1], rows[0], *rows[2:]], [rows[at] for at in (4, 7, 1, 9, 0, 3, 8, 2, 6, 5)]
    answers = tuple(page("table", each) for each in (small, large)[:: -1 if first else 1])
    wrong = [rows[0], rows[1]._replace(price="Bonn"), *rows[2:]]
    torn = [rows[0]._replace(price="Oslo"), rows[1]._replace(price="Rome"), *rows[2:]]
    mixed = [[some[at] for at in (9, 3, 0, 5, 1, 8, 2, 7, 4, 6)] for some in (rows, wrong, torn)]

    found = [
        compare(page("table", rows), page("table", each), policy(PHP), secondary=answers).verdict for each in mixed
    ]
    assert found == ["noise", "different", "different"]
