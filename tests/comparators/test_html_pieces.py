"""A page that is split at its `<` comes to the pieces that are found in it one by one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from comparators import html_as_written, html_pieces

WHAT = (
    "<p>", "</p>", "<b id=a>", '<i t="a>b">', "<i t='<p>'>", '<a b="', '<a b=c"d>', "<p a<b>", "<td\n>", "<br/>", "a",
    " ", "&amp;", "&", "<", ">", "< ", "</", "</ >", "</5>", "<>", "<?php x ?>", "<!doctype html>", "<!", "<!-- c -->",
    "<!--", "-->", "<!-->", "<script>", "<SCRIPT a=b>", "</script>", "<style>p>a{}</style>", "<textarea>",
    "<plaintext>", "</textarea >", "<svg>", "<title>a<b</title>", "<x", "'", '"', "\x00", "=",
)  # fmt: skip
PAGES = st.lists(st.sampled_from(WHAT), max_size=30).map("".join)


@given(PAGES, PAGES)
@example("<svg><style><style>x</style>a > b", "<p>a<b>a > b")
@example("<p>a", "a<p>a")
def test_pages_as_they_are_written(one: str, other: str) -> None:
    known = html_pieces.Known()

    for page in (one, other):
        assert html_pieces.pieces(page, html_as_written.WAY, known) == _one_by_one(page, html_as_written.WAY)


@given(PAGES, PAGES)
@example("<svg><style><style>x</style>a > b", "<p a<b>c")
def test_pages_as_the_parser_writes_them(one: str, other: str) -> None:
    known = html_pieces.Known()

    for page in (one, other):
        written = LexborHTMLParser(page).html or ""

        assert html_pieces.pieces(written, html_pieces.PARSED, known) == html_pieces.PARSED.single.findall(written)


@given(PAGES)
def test_a_page_that_no_parser_wrote_is_cut_all_the_same(page: str) -> None:
    found = html_pieces.pieces(page, html_pieces.PARSED, html_pieces.Known())

    assert found == html_pieces.PARSED.single.findall(page)


@pytest.mark.parametrize("way", [html_pieces.PARSED, html_as_written.WAY])
def test_pieces_that_are_equal_are_one_object(way: html_pieces.Way) -> None:
    known = html_pieces.Known()

    found = [
        piece for page in ("<p>a b</p><b>a b</b>", "<p>c</p>a b") for piece in html_pieces.pieces(page, way, known)
    ]

    assert len(set(map(id, found))) == len(set(found)) == 6


def _one_by_one(page: str, way: html_pieces.Way) -> list[str]:
    known = html_pieces.Known()
    units = [each if each[0] == "<" else html_pieces.MARK + each for each in way.single.findall(page)]
    way.learn(units, known)
    return [piece for unit in units for piece in known.units[unit]]
