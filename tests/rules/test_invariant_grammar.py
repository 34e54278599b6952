from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.invariant_parser import DEEPEST, LONGEST, InvariantError, Pointer, parse, pointers


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("", "the expression ends"),
        ("/a", "nothing stands where a comparison must"),
        ("/a / 2 == 1", "`/` stands where a comparison must"),
        ("/a = 1", "`=` cannot be read"),
        ("/a != 1", "`!=` cannot be read"),
        ("/a == 1 == 1", "`==` is too much"),
        ("0 <= /a <= 1", "`<=` is too much"),
        ("/a == ", "the expression ends"),
        ("/a == )", "`)` stands where a value must"),
        ("sum(/a/* == 1", "not closed"),
        ("sum /a/* == 1", "`sum` needs brackets"),
        ("avg(/a/*) == 1", "there is no `avg`"),
        ("total == 1", "there is no `total`"),
        ("sum(/a/*, /b/*) == 1", "`sum` takes one value"),
        ("count(1 + /a) == 1", "`count` takes a pointer"),
        ("candidate:/a == 1", "there is no side `candidate`"),
        ("/a/*/b == 1", "many values"),
        ("sum(/a/*/b * /c/*/d) == 1", "two different lists"),
        ("sum(/a/*/b * /a/*/c/*/d) == 1", "two different lists"),
        ("sum(legacy:/a/*/b * modern:/a/*/c/*/d) == 1", "different number"),
        ("sum(/a/**) == 1", "`**` in `/a/**`"),
        ("/a/b* == 1", "`b*`"),
        ("/a~2 == 1", "lone `~`"),
        ("legacy:/a-modern:/a == 0", "goes on too long"),
        ("/a<=1", "goes on too long"),
        ("1e3 == /a", "cannot be read"),
        ("1 == 1" + " + 1" * LONGEST, "characters"),
        ("(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1) + " == 1", "deep"),
    ],
)
def test_what_cannot_be_understood_is_said_with_a_hint(expr: str, message: str) -> None:
    with pytest.raises(InvariantError) as caught:
        parse(expr)

    assert message in str(caught.value)
    assert caught.value.hint


def test_a_pointer_ends_at_white_space_a_bracket_or_a_comma() -> None:
    claim = parse("max(legacy:/a-b,modern:/c.d/*/e)<=/f:g/0")

    assert list(pointers(claim.left)) == [
        Pointer("legacy", ("a-b",), "legacy:/a-b"),
        Pointer("modern", ("c.d", None, "e"), "modern:/c.d/*/e"),
    ]
    assert claim.right == Pointer("", ("f:g", "0"), "/f:g/0")


def test_lists_of_two_sides_may_have_two_shapes() -> None:
    parse("sum(legacy:/data/items/*/amount - modern:/items/*/total) == 0")


PIECES = st.sampled_from(["/a", "/a/*", "legacy:/b", "modern:/c", "1", "2.5", "+", "-", "*", "(", ")", ",", " ", "<=",
                          "==", "sum", "count", "abs", "max", "x", "/", "~", "\u0661", "\n"])  # fmt: skip


@given(st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    signs: list[str] = []
    hints: list[str] = []
    try:
        signs.append(parse(text).sign)
    except InvariantError as error:
        hints.append(error.hint)

    assert all(hints)
    assert set(signs) <= {"<", "<=", "==", ">=", ">"}
    assert len(signs) + len(hints) == 1
