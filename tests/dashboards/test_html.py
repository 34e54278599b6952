"""HTML is built from values, none of which can become markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.html import Html, el, join


class Reader(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


PRINTABLE = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=("Cs",)))


@given(text=PRINTABLE, value=PRINTABLE)
def test_a_text_stays_a_text_wherever_it_stands(text: str, value: str):
    reader = Reader()
    reader.feed(el("p", text, title=value))
    reader.close()

    assert reader.tags == ["p"]
    assert (reader.text, reader.attributes["title"]) == (text, value)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (el("p", "a", None, 1, ["b", [el("i", "c")]]), "<p>a1b<i>c</i></p>"),
        (el("input", name="n", required=True, checked=False, value=None), '<input name="n" required/>'),
        (el("label", for_="x", aria_label="y"), '<label for="x" aria-label="y"></label>'),
        (join("<", Html("<b>")), "&lt;<b>"),
    ],
)
def test_elements_are_written_as_browsers_read_them(built: Html, expected: str):
    assert built == expected
