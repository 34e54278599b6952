"""How deep a page nests is told by counts first: never less than it is from above, never more from below."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import html_as_written

PIECES = [
    "<div>", "</div>", "<div id=1>", "</div >", "<DIV>", "<divider>", "</divider>", "<div/>", "<b>", "</b>", "text ",
    "<b>x</b>", "</ div>", "<!-- <div> -->", "<", "</div",
]  # fmt: skip
PAGES = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@pytest.mark.skipif(not str(html_as_written.__file__).endswith(".py"), reason="a compiled window cannot be changed")
@given(PAGES, st.integers(16, 64))
def test_how_much_is_open_lies_between_what_counts_tell(page: str, window: int) -> None:
    small = page.lower()
    deepest = html_as_written._depth(html_as_written._BLOCKS, page)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_as_written, "_WINDOW", window)
        most = html_as_written._most_open(small, ["div"])

    assert html_as_written._least_open(small, "div") <= deepest <= most


@given(st.lists(st.sampled_from(["<b>", "</b>", "<b id=1>x</b>", "<b>x</b>", "x", "<i>"]), max_size=40).map("".join))
def test_elements_with_nothing_but_text_in_them_are_open_one_at_a_time(page: str) -> None:
    closed = len(html_as_written._CLOSED["b"].findall(page))
    deepest = html_as_written._depth(html_as_written._FORMS["b"], page)

    assert deepest <= page.count("<b") - closed + 1
