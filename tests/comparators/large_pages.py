"""Pages, tables, documents and texts of a given size: each kind has two, which differ in as many places as they can.

`size` is in bytes, roughly; kinds are named for what they are full of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from comparators import Capture
from tests.comparators.answers import answer

HTML, XML, CSV, TEXT = "text/html; charset=UTF-8", "application/xml", "text/csv", "text/plain"
NDJSON, SCRIPT, FORM = "application/x-ndjson", "text/javascript", "application/x-www-form-urlencoded"
Make = Callable[[int, int], str]


def _times(piece: Callable[[int], str], size: int) -> str:
    """Return pieces, numbered, until they are so long."""
    count = max(1, size // len(piece(1000)))
    return "".join(map(piece, range(count)))


def _page(body: str) -> str:
    return f"<!DOCTYPE html><html><head><title>t</title></head><body>{body}</body></html>"


def _hex(number: int) -> str:
    return f"{number * 2654435761 % 4294967296:08x}a1"


def _table(size: int, by: int) -> str:
    rows = _times(lambda at: f"<tr><td>{at}</td><td>Name {at}</td><td>{at % 97}.{50 + by}</td></tr>", size)
    return _page(f"<table>{rows}</table>")


def _one_price(size: int, by: int) -> str:
    def row(at: int) -> str:
        return f'<div id="r{at}"><b>{at}.{50 + by if at == 900 else 50}</b><a href="/i/{at}">go</a></div>\n'

    return _page(_times(row, size))


def _deep(size: int, by: int) -> str:
    block = "<div>" * 150 + "x" + "</div>" * 150
    return _page(block * (size // len(block)) + f"<p>{by}</p>")


KINDS: Final[dict[str, tuple[str, Make]]] = {
    "one price of many rows": (HTML, _one_price),
    "tables": (HTML, _table),
    "blocks in blocks": (HTML, _deep),
    "bold in bold": (HTML, lambda size, by: "<b>" * (size // 3) + "<i>" * by),
    "bold in bold, from the first on": (HTML, lambda size, by: f"<p>{by}</p>" + "<b>" * (size // 3) + f"{by}"),
    "paragraphs that are not closed": (HTML, lambda size, by: f"<p>{by}{'<p>x' * (size // 4)}<p>{by}"),
    "items that are not closed": (
        HTML, lambda size, by: _page(f"<ul>{_times(lambda at: f'<li class=a>item {at} {by}', size)}</ul>"),
    ),
    "one script": (
        HTML, lambda size, by: _page(f"<script>{_times(lambda at: f'var v{at}=f({at});', size)}x={by}</script>"),
    ),
    "a script of values": (
        HTML,
        lambda size, by: _page(
            "<script>var x = {" + _times(lambda at: f'"m{at}":[{at},"v{by}"],', size) + '"z":0};</script>'
        ),
    ),
    "one text": (HTML, lambda size, by: _page(f"<p>{_times(lambda at: f'word{at} ', size)}{by}</p>")),
    "scripts with tokens": (
        HTML,
        lambda size, by: _page(
            _times(lambda at: f'<script>var csrf_token="{_hex(at + by)}"; f({at})</script>\n', size) + f"<p>{by}"
        ),
    ),
    "hidden fields with tokens": (
        HTML,
        lambda size, by: _page(
            _times(lambda at: f'<input type="hidden" name="_token" value="{_hex(at + by)}">\n', size) + f"<p>{by}"
        ),
    ),
    "comments": (HTML, lambda size, by: _page(_times(lambda at: f"<!-- {at} {by} --><p>x</p>", size) + f"<p>{by}")),
    "entities": (HTML, lambda size, by: _page(f"<p>{by}</p><p>{'&amp;&eacute;&#8364;&nbsp;' * (size // 27)}</p>")),
    "paragraphs of entities": (
        HTML, lambda size, by: _page(_times(lambda at: f"<p>&lt;{at}&gt; &copy; {by}</p>", size)),
    ),
    "drawings": (
        HTML,
        lambda size, by: _page(
            _times(lambda at: f'<svg viewBox="0 0 9 9"><path d="M{at} {by}L9 9z"/><circle r="{at}"/></svg>', size)
        ),
    ),
    "attributes": (
        HTML,
        lambda size, by: _page(
            _times(lambda at: f'<a href="/i/{at}" class="a b" title="t {by}" data-x="{at}">x</a>\n', size)
        ),
    ),
    "scripts in attributes": (
        HTML,
        lambda size, by: _page(
            _times(lambda at: f"<p x-data=\"f(JSON.parse('[{at},{{}},{by}]'), '\\/a{at}')\">x</p>\n", size)
        ),
    ),
    "one long script in an attribute": (
        HTML, lambda size, by: _page(f"<p @click=\"{_times(lambda at: f'[{at}, [{{ a', size)}{by}\">x</p>"),
    ),
    "quotes in an attribute": (
        HTML, lambda size, by: _page(f"<p x-data=\"f(JSON.parse('{_times(lambda _: chr(39) + '[', size)}{by}\">x</p>"),
    ),
    "one crowded element": (
        HTML, lambda size, by: _page(f"<a {_times(lambda at: f'data-{at}=v{by} ', size)}>x</a><p>{by}</p>"),
    ),
    "long attributes": (
        HTML, lambda size, by: _page(_times(lambda at: f'<p title="{"word " * 2000}{at} {by}">x</p>', size)),
    ),
    "words in lines": (
        HTML, lambda size, by: _page(f"<p>{_times(lambda at: f'a <b>b{at}</b> c<i>{by}</i> ', size)}</p>"),
    ),
    "paragraphs that open again what was left open": (
        HTML, lambda size, by: "<p>" + _times(lambda at: f"<b id={at}><p>", size) + f"{by}",
    ),
    "forms of letters that are left open": (
        HTML, lambda size, by: "<p>" + "".join(f"<i id={at}>" for at in range(20)) + "<p>x" * (size // 4) + f"<p>{by}",
    ),
    "ends of what is not open": (HTML, lambda size, by: f"<p>{by}" + "<i></b>" * (size // 7) + f"{by}"),
    "blocks without an end": (HTML, lambda size, by: "<div>" * (size // 5) + f"{by}"),
    "spaces alone": (HTML, lambda size, by: _page("<div>\n" + " " * by + "</div>   \n" * (size // 10))),
    "nothing but brackets": (HTML, lambda size, by: "<" * size + "x" * by),
    "marks of comments": (HTML, lambda size, by: "<!--" * (size // 4) + "x" * by),
    "a table wide": (CSV, lambda size, by: "\n".join([",".join([f"cell{by}"] * (size // 20))] * 4)),
    "a table long": (CSV, lambda size, by: _times(lambda at: f"{at},n{at % 9},{at}.{by}\n", size)),
    "a table of empty cells": (CSV, lambda size, by: "," * size + "x" * by),
    "cells with line ends": (CSV, lambda size, by: _times(lambda at: f'{at},"a\nb{by}",c\n', size)),
    "cells with quotes": (CSV, lambda size, by: _times(lambda at: f'"{at}","say ""x"" {by}"\n', size)),
    "quotes that are not closed": (CSV, lambda size, by: _times(lambda at: f'{at},"a{by}\n', size)),
    "elements in elements": (
        XML, lambda size, by: "<a>" * 200 + f"<b>{'<c><d/></c>' * (size // 12)}{by}</b>" + "</a>" * 200,
    ),
    "elements side by side": (
        XML, lambda size, by: f"<r>{_times(lambda at: f'<i><n>{at}</n><v>{at}.{by}</v></i>', size)}</r>",
    ),
    "leaves": (XML, lambda size, by: "<r>" + "<a/>" * (size // 4) + "<b/>" * by + "</r>"),
    "namespaces": (
        XML,
        lambda size, by: (
            "<r>" + _times(lambda at: f"<p{by}:a xmlns:p{by}='urn:n{at % 7}' p{by}:x='1'>{at}</p{by}:a>", size) + "</r>"
        ),
    ),
    "texts between elements": (XML, lambda size, by: f"<r>{_times(lambda at: f'text {at}<b/>', size)}{by}</r>"),
    "a crowded document": (XML, lambda size, by: "<r " + _times(lambda at: f'a{at}="{by}" ', size) + "/>"),
    "lines that all differ": (TEXT, lambda size, by: _times(lambda at: f"line {at * (7 + by)} of text\n", size)),
    "lines of one letter": (TEXT, lambda size, by: "a\n" * (size // 2 - by) + "b\n" * by),
    "one line": (TEXT, lambda size, by: _times(lambda at: f"word{at} ", size) + f"{by}"),
    "addresses": (
        TEXT, lambda size, by: _times(lambda at: f"http://{'old' if by else 'new'}.test/i/{at}?a=b+c\n", size),
    ),
    "times": (TEXT, lambda size, by: _times(lambda at: f"2026-01-{at % 28 + 1:02} 10:00:{at % 60:02} {by}\n", size)),
    "lines of values": (NDJSON, lambda size, by: _times(lambda at: f'{{"id":{at},"v":"x{by}"}}\n', size)),
    "empty lines of values": (NDJSON, lambda size, by: "{}\n" * (size // 3 - by) + '{"a":1}\n' * by),
    "a call": (SCRIPT, lambda size, by: "cb([" + _times(lambda at: f'{{"id":{at},"v":{by}}},', size) + "0]);"),
    "fields of a form": (FORM, lambda size, by: _times(lambda at: f"f{at}=a+b{by}&", size) + "z=0"),
}  # fmt: skip


def pair(kind: str, size: int, *, by: tuple[int, int] = (0, 1)) -> tuple[Capture, Capture]:
    """Return two answers of a kind."""
    media, make = KINDS[kind]
    left, right = (make(size, each) for each in by)
    return answer(left, 200, media=media), answer(right, 200, media=media)
