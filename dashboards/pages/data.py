"""Draws the page of both databases: what verifying them found, table by table, check by check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.html import NOTHING, Html, el, join, number
from dashboards.pages.layout import Blocks, Visitor, block, facts, following, page, table

_NO_SECTION = "The file has no `data` section: no database is verified."
_TABLES = ("Table", "State", "#Equal", "#Different", "#Missing in legacy", "#Missing in modern", "Routes")
_CHECKS = ("Check", "State", "#Legacy", "#Modern", "Reason", "Routes")
_STATES = {"same": "ok", "different": "bad", "unknown": "", "held": "ok", "violated": "bad"}
_MISSING = {"missing_legacy": "missing in legacy", "missing_modern": "missing in modern"}


def data_blocks(document: Mapping[str, Any], state: Html) -> Blocks:
    """Return what changes on the page; `document` is that of `GET /api/v1/data`."""
    body = _body(document) if document["configured"] else [el("p", _NO_SECTION)]
    return {"state": state, "verified": join(*body)}


def data(document: Mapping[str, Any], visitor: Visitor, state: Html, live: str = "") -> Html:
    """Return the page; `live` is where its stream comes from."""
    parts = data_blocks(document, state)
    return page(
        "Data",
        "/data",
        visitor,
        el("h1", "Data of both sides"),
        block("verified", parts),
        live=following(live, parts),
        state=state,
    )


def _body(document: Mapping[str, Any]) -> list[Html]:
    tables, checks = document["tables"], document["checks"]
    warnings = el("ul", [el("li", warning) for warning in document["warnings"]])
    return [
        warnings if document["warnings"] else join([]),
        table("Tables", _TABLES, [_row(one) for one in tables]),
        table("Checks", _CHECKS, [_check(one) for one in checks]) if checks else join([]),
        *(_apart(one) for one in tables if one["examples"] or one["totals"] or one["notes"]),
    ]


def _badge(word: str) -> Html:
    return el("span", word.replace("_", " "), class_=f"badge {_STATES.get(word, '')}".strip())


def _row(one: Mapping[str, Any]) -> Html:
    rows = one["rows"] or {}
    counts = [number(rows[name]) if name in rows else NOTHING for name in
              ("equal", "different", "missing_legacy", "missing_modern")]  # fmt: skip
    reason = one["reason"] or one.get("paused", "")
    state = el("td", _badge(one["state"]), f" {reason}" if reason else None)
    figures = [el("td", text, class_="number") for text in counts]
    return el("tr", el("th", one["table"], scope="row"), state, figures, el("td", ", ".join(one["routes"]) or NOTHING))


def _check(one: Mapping[str, Any]) -> Html:
    figures = [el("td", one[side] or NOTHING, class_="number") for side in ("legacy", "modern")]
    return el(
        "tr",
        el("th", one["name"], scope="row"),
        el("td", _badge(one["state"])),
        figures,
        el("td", one["reason"] or NOTHING),
        el("td", ", ".join(one["routes"]) or NOTHING),
    )


def _apart(one: Mapping[str, Any]) -> Html:
    rows = [row for example in one["examples"] for row in _example(example)]
    totals = [
        el("li", f"{each['what']} {each['group']}: {each['legacy']} → {each['modern']}".replace("  ", " "))
        for each in one["totals"]
    ]
    look = one["look"]
    return el(
        "section",
        el("h2", one["table"]),
        table(f"Rows of {one['table']} that differ", ("Key", "Column", "Legacy", "Modern"), rows) if rows else None,
        el("ul", totals) if totals else None,
        facts([(f"Look at it in {side}", el("code", look[side])) for side in ("legacy", "modern")]) if look else None,
        [el("p", note) for note in one["notes"]],
    )


def _example(example: Mapping[str, Any]) -> Iterator[Html]:
    if not example["columns"]:
        yield _cells(example["key"], _MISSING.get(example["state"], example["state"]), NOTHING, NOTHING)
    for column in example["columns"]:
        yield _cells(example["key"], column["name"], column["legacy"], column["modern"])


def _cells(*texts: str) -> Html:
    return el("tr", [el("td", text) for text in texts])
