from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.invariants import HELD, INDETERMINATE, VIOLATED, Outcome, check_all, compile_invariant
from rules.model import Invariant

INVOICE = (
    b'{"items":[{"price":"10.50","qty":2,"amount":21.00},{"price":3.1,"qty":1,"amount":3.10}],'
    b'"subtotal":24.1,"tax":5.061,"total":"29.16","paid":null,"note":"ten","open":true}'
)


def check(expr: str, modern: bytes | None = INVOICE, legacy: bytes | None = None, unit: str | None = None) -> Outcome:
    return compile_invariant(Invariant("x", expr, unit=unit)).check(legacy, modern)


@pytest.mark.parametrize(
    "expr",
    [
        "sum(modern:/items/*/amount) == modern:/subtotal",
        "sum(/items/*/price * /items/*/qty) == /subtotal",
        "sum(/items/*/price * 2) == 27.2",
        "count(/items) == 2",
        "count(/items/*) == count(/items/*/qty)",
        "count(/items/*/missing) == 0",
        "count(/items/0) == 3",
        "/items/1/qty == 1",
        "abs(/tax - 6) == 0.939",
        "max(0, /tax, /items/*/qty) == 5.061",
        "min(/items/*/amount) >= 3.1",
        "-(/tax) < 0",
        "2 + 3 * 4 == 14",
        "(2 + 3) * 4 == 20",
        "10 - 3 - 2 == 5",
        "- 2 - 3 == 0 - 5",
        "/total > 29.15",
    ],
)
def test_what_is_true_of_an_answer_is_held(expr: str) -> None:
    assert check(expr).state == HELD


def test_a_violation_shows_both_values() -> None:
    outcome = check("legacy:/balance - modern:/balance <= 0", b'{"balance":"11.00"}', b'{"balance":12.50}')

    assert outcome == Outcome(VIOLATED, "1.50 <= 0 does not hold", "1.50", "0")


@pytest.mark.parametrize(
    ("expr", "detail"),
    [
        ("/nothing <= 0", "/nothing is missing"),
        ("/paid <= 0", "/paid is no number"),
        ("/note <= 0", "/note is no number"),
        ("/open <= 1", "/open is no number"),
        ("/items <= 1", "/items is no number"),
        ("/items/2/qty == 1", "/items/2/qty is missing"),
        ("sum(/items/*/missing) == 0", "/items/*/missing is missing"),
        ("sum(/nothing/*) == 0", "/nothing/* runs over what is no list"),
        ("sum(/paid/*) == 0", "/paid/* runs over what is no list"),
        ("count(/note) == 3", "/note is no list"),
        ("count(/nothing) == 0", "/nothing is no list"),
        ("legacy:/total == modern:/total", "there is no legacy answer"),
    ],
)
def test_what_is_missing_or_no_number_is_indeterminate_never_zero(expr: str, detail: str) -> None:
    assert check(expr) == Outcome(INDETERMINATE, detail)


@pytest.mark.parametrize("literal", ['"000123"', '"1e3"', '"+31"', '" 1"', '""', '".5"', '"1."', '"\u0661"', "NaN"])
def test_a_string_that_is_no_plain_decimal_is_no_number(literal: str) -> None:
    assert check("/a >= 0", f'{{"a":{literal}}}'.encode()).state == INDETERMINATE


DEEP = b'{"a":1,"b":' + b"[" * 1500 + b"]" * 1500 + b"}"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":1', b"[" * 100_000, b"\xff\xfe\xfa", DEEP])
def test_a_body_that_is_no_json_is_indeterminate(body: bytes) -> None:
    assert check("/a == 1", body) == Outcome(INDETERMINATE, "the modern body is no JSON")


def test_numbers_are_exact_whatever_their_length() -> None:
    assert check("/a < /b", b'{"a":9007199254740993,"b":9007199254740993.0000000000000001}').state == HELD
    assert check("/a + /b == 0.3", b'{"a":0.1,"b":0.2}').state == HELD
    assert (
        check("abs(/a) == /b", b'{"a":-123456789012345678901234567890.12,"b":123456789012345678901234567890.12}').state
        == HELD
    )


@pytest.mark.parametrize("literal", ["1" * 200, "1e5000", "1e99999999999999999999", "1e-99999999"])
def test_a_number_too_long_to_reckon_with_is_indeterminate(literal: str) -> None:
    assert check("/a + 0.001 > 0", f'{{"a":{literal}}}'.encode()).state == INDETERMINATE


def test_cents_round_both_sides_half_up() -> None:
    legacy, modern = b'{"total":1.005,"float":268540.4799999999}', b'{"total":1.01,"float":268540.48}'

    assert check("legacy:/total == modern:/total", modern, legacy).state == VIOLATED
    assert check("legacy:/total == modern:/total", modern, legacy, "cents").state == HELD
    assert check("legacy:/float == modern:/float", modern, legacy, "cents").state == HELD
    assert check("0 - legacy:/total == 0 - modern:/total", modern, legacy, "cents").state == HELD


def test_a_pointer_without_a_side_reads_modern_or_else_legacy() -> None:
    assert check("/a == 1", b'{"a":1}', b'{"a":2}').state == HELD
    assert check("/a == 2", None, b'{"a":2}').state == HELD
    assert check("/a == 2", None, None).state == INDETERMINATE


def test_an_invariant_tells_which_sides_it_needs() -> None:
    def needs(expr: str) -> frozenset[str]:
        return compile_invariant(Invariant("x", expr)).needs

    assert needs("legacy:/a == modern:/a") == {"legacy", "modern"}
    assert needs("max(0, sum(modern:/a/* * 2)) == /b") == {"modern"}
    assert needs("/a == 1") == frozenset()


def test_elements_are_put_together_by_their_place_or_name() -> None:
    maps = b'{"prices":{"x":2,"y":3}}', b'{"prices":{"y":5,"x":1}}'
    lists = b'{"rows":[{"v":1},{"v":2}]}', b'{"rows":[{"v":1}]}'

    assert check("sum(legacy:/prices/* * modern:/prices/*) == 17", maps[1], maps[0]).state == HELD
    assert check("sum(legacy:/rows/*/v - modern:/rows/*/v) == 0", lists[1], lists[0]) == Outcome(
        INDETERMINATE, "two lists do not have the same elements"
    )


def test_an_empty_list_sums_to_nothing_but_has_no_smallest() -> None:
    assert check("sum(/a/*/b) == 0", b'{"a":[]}').state == HELD
    assert check("sum(/a/*/b) == 0", b'{"a":{}}').state == HELD
    assert check("min(/a/*/b) == 0", b'{"a":[]}') == Outcome(INDETERMINATE, "min of nothing")


def test_escapes_in_a_pointer_are_read() -> None:
    assert check("/a~1b/c~0d == 1", b'{"a/b":{"c~d":1}}').state == HELD


def test_of_repeated_members_the_last_counts() -> None:
    assert check("/a == 2", b'\xef\xbb\xbf\n{"a":1,"a":2}').state == HELD


def test_several_invariants_are_answered_in_their_order() -> None:
    compiled = [compile_invariant(Invariant(name, f"/a == {name[1:]}")) for name in ("n1", "n2")]

    assert [outcome.state for outcome in check_all(compiled, None, b'{"a":1}')] == [HELD, VIOLATED]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=12,
)


@given(VALUES, VALUES, st.sampled_from(["cents", None]))
def test_a_check_answers_whatever_the_bodies_hold(legacy: Any, modern: Any, unit: str | None) -> None:
    exprs = ("sum(/a/*/b * /a/*/b) <= legacy:/a", "max(legacy:/*, modern:/*) == abs(/b)", "count(/a) > count(/*/b)")
    invariants = [compile_invariant(Invariant("x", expr, unit=unit)) for expr in exprs]

    outcomes = check_all(invariants, json.dumps(legacy).encode(), json.dumps(modern).encode())

    assert {outcome.state for outcome in outcomes} <= {HELD, VIOLATED, INDETERMINATE}


@given(st.lists(st.decimals(-10_000, 10_000, places=2), max_size=8))
def test_a_sum_is_the_sum(amounts: list[Decimal]) -> None:
    body = json.dumps({"items": [{"amount": str(amount)} for amount in amounts]}).encode()

    assert check(f"sum(/items/*/amount) - ({sum(amounts)}) == 0", body).state == HELD
