from __future__ import annotations

import pytest

from comparators.model import Finding, fingerprint, path_pattern


@pytest.mark.parametrize(
    ("pointer", "pattern"),
    [
        ("/items/3/price", "/items/*/price"),
        ("", ""),
        ("/a/b", "/a/b"),
        ("/users/6f1c0d0e-93b1-4a53-9d0e-3b1f0a4d2c11/name", "/users/*/name"),
        ("/by_day/2026-11-21/total", "/by_day/*/total"),
        ("/prices/EUR", "/prices/EUR"),
        ("/v2/x1", "/v2/x1"),
        ("/rows/sku_4711/name", "/rows/*/name"),
        ("/user:7/name", "/*/name"),
        ("/e/Q4711", "/e/*"),
        ("/e/INV-88112", "/e/*"),
        ("/e/3f9a1c77", "/e/*"),
        ("/e/3F9A1C77", "/e/*"),
        *((each, each) for each in ("/address_2", "/sha_256", "/md5", "/q4", "/Q4", "/revenue_2024", "/iso8601")),
        *((each, each) for each in ("/ISO8601", "/rfc_2822", "/FY2024", "/decade90", "/facade2019", "/h264", "/a:b")),
        ("/files/d41d8cd98f00b204e9800998ecf8427e", "/files/*"),
        ("@body", "@body"),
        ("@header:x-total-count", "@header:x-total-count"),
    ],
)
def test_rows_of_one_list_have_one_pattern(pointer: str, pattern: str) -> None:
    assert path_pattern(pointer) == pattern


def test_one_fault_on_many_rows_is_one_group() -> None:
    first = fingerprint("orders", Finding("/items/3/price", "value", "10.50", "10.5"))
    other = fingerprint("orders", Finding("/items/17/price", "value", "3", "4e2"))

    assert first == other
    assert len(first) == 16
    assert int(first, 16) >= 0


@pytest.mark.parametrize(
    "finding",
    [
        Finding("/items/3/tax", "value", "1", "2"),
        Finding("/items/3/price", "type", "1", "2"),
        Finding("/items/3/price", "value", '"1"', "2"),
        Finding("/items/3/price", "value", "1", "null"),
        Finding("/items/3/price", "value", "1", ""),
        Finding("/items/3/price", "value", "1", "true"),
        Finding("/items/3/price", "value", "1", "[2]"),
    ],
)
def test_another_place_kind_or_type_is_another_group(finding: Finding) -> None:
    assert fingerprint("orders", finding) != fingerprint("orders", Finding("/items/3/price", "value", "1", "2"))


def test_another_route_is_another_group() -> None:
    finding = Finding("/a", "value", "1", "2")

    assert fingerprint("orders", finding) != fingerprint("invoices", finding)


def test_each_place_of_a_page_is_a_group_whatever_its_row() -> None:
    def group(legacy: str, modern: str) -> str:
        return fingerprint("page", Finding("@body", "value", legacy, modern))

    assert group("row 3, column 2: a", "row 3, column 2: b") == group("row 9, column 2: c", "row 9, column 2: d")
    assert group("row 3, column 2: a", "row 3, column 2: b") != group("row 3, column 4: a", "row 3, column 4: b")
    assert group("script /rows/3/id: 1", "script /rows/3/id: 2") == group(
        "script /rows/9/id: 1", "script /rows/9/id: 2"
    )
    assert group("script /rows/3/id: 1", "script /rows/3/id: 2") != group(
        "script /rows/3/no: 1", "script /rows/3/no: 2"
    )
    assert group("body > h1: a", "body > h1: b") != group("body > p: a", "body > p: b")


def of_form(name: str) -> str:
    """Return the group of a difference in a form of this id."""
    return fingerprint("r", Finding("@body", "value", f"html > body > form#{name} > p: a", "x"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("form-kyrtqnslvzpm", "form-osgnwbtazjlw"),
        ("x-k9d8f7g6h5j4", "x-q2w3e4r5t6y7"),
        ("form-xhravkmeqzit", "form-okevazujixow"),
        ("form-aqeroutilanm", "form-lvejwysoapqi"),
        ("form-qTbRWxaLpZdK", "form-hGdYtEsAwNml"),
        ("t6b0d3f4c-dacb8134x", "t6b0d3f4c-77cb81aax"),
        ("post-4711", "post-12"),
        ("p4711", "p12"),
        ("post4711", "post4812"),
        ("itemRow4711", "itemRow3"),
        ("x4711", "x90071"),
        ("el-ygdvpf57", "el-nje8c5mj"),
        ("el-rtgbvx12", "el-kqzhwt99"),
    ],
)
def test_a_random_id_in_the_name_of_a_place_is_no_place_of_its_own(one: str, other: str) -> None:
    assert of_form(one) == of_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order-summary", "order-totals"),
        ("nav-breakthroughs", "nav-announcements"),
        ("lightweight", "straightforward"),
        ("section-two", "section-ten"),
        ("col-md-h1", "col-md-h2x"),
        ("step1", "step2"),
        ("sha256", "sha512"),
        ("error404", "error500"),
        ("tab-overview12", "tab-category12"),
        ("p4711", "post4711"),
        ("map12", "map13"),
    ],
)
def test_words_in_the_name_of_a_place_are_that_place(one: str, other: str) -> None:
    assert of_form(one) != of_form(other)


@pytest.mark.parametrize("name", ["item{}", "qty[{}]", "orderRow{}", "f.item{}"])
def test_a_field_of_each_row_is_one_place(name: str) -> None:
    groups = {
        fingerprint("r", Finding("@body", "value", f"html > body > input[name={name.format(row)}]: value=a", "x"))
        for row in (1, 12, 4711, 90071)
    }

    assert len(groups) == 1
