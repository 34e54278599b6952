"""The page of both databases shows what was found, as text."""

from __future__ import annotations

from typing import Any

from dashboards.html import Html
from dashboards.pages.data import data, data_blocks
from dashboards.pages.layout import Visitor

TABLE: dict[str, Any] = {
    "table": "invoices",
    "state": "different",
    "reason": "",
    "routes": ["bills"],
    "rows": {"compared": 1003, "equal": 1000, "different": 2, "missing_legacy": 0, "missing_modern": 1},
    "examples": [
        {"key": "7", "state": "different", "columns": [{"name": "note", "legacy": "<b>", "modern": "null"}]},
        {"key": "9", "state": "missing_modern", "columns": []},
    ],
    "totals": [{"what": "sum of total by currency", "group": "EUR", "legacy": "1.00", "modern": "1.01"}],
    "notes": ["doc: fetched"],
    "look": {"legacy": "SELECT 1;", "modern": "SELECT 2;"},
}
CHECK = {"name": "credits", "state": "violated", "legacy": "5", "modern": "4", "reason": "", "routes": []}


def shown(**document: Any) -> str:
    whole = {"configured": True, "tables": [], "checks": [], "warnings": [], **document}
    return str(data(whole, Visitor("ann"), Html("")))


def test_rows_columns_totals_and_sql_are_on_the_page():
    page = shown(tables=[TABLE], checks=[CHECK], warnings=["legacy: may write"])

    for text in ("invoices", "1,000", "bills", "&lt;b&gt;", "missing in modern", "EUR: 1.00 → 1.01", "SELECT 2;",
                 "doc: fetched", "credits", "violated", "legacy: may write"):  # fmt: skip
        assert text in page, text
    assert "<b>" not in page


def test_a_table_that_was_not_read_yet_and_a_file_without_the_section_have_their_words():
    unknown = {**TABLE, "state": "unknown", "rows": None, "examples": [], "totals": [], "notes": [], "look": None}

    assert "unknown" in shown(tables=[unknown])
    assert "no database is verified" in shown(configured=False)


def test_only_what_is_verified_changes_and_the_page_says_what_it_shows():
    document = {"configured": True, "tables": [TABLE], "checks": [CHECK], "warnings": []}
    mended = {**document, "tables": [{**TABLE, "state": "same", "examples": []}]}
    before, after = data_blocks(document, Html("")), data_blocks(mended, Html(""))

    assert before.keys() == {"state", "verified"}
    assert before["verified"] != after["verified"]
    page = data(document, Visitor("ann"), Html(""), "/live?page=%2Fdata")
    assert before["verified"] in page
    assert "shows=" in page
