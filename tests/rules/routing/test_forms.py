"""Forms become JSON values, JSON values become forms, as PHP reads and writes them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.routing.rewrite import DEPTH_AT_MOST, FIELDS_AT_MOST, TranslationError, form_to_value, value_to_form


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=1&a=2", {"a": "2"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[b]=1&a[c][]=2", {"a": {"b": "1", "c": ["2"]}}),
        ("a[1]=x", {"a": {"1": "x"}}),
        ("n=J%C3%BCrgen+K", {"n": "Jürgen K"}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("[a]=1", {"[a]": "1"}),
    ],
)
def test_a_form_is_read_as_php_reads_it(form: str, value: dict[str, Any]) -> None:
    assert form_to_value(form.encode()) == value


def test_names_are_changed_at_the_top_only() -> None:
    value = form_to_value(b"username=a&user[username]=b", [("username", "email")])

    assert value == {"email": "a", "user": {"username": "b"}}


@pytest.mark.parametrize(
    "body",
    [
        b"a=\xff",
        b"a=%FF",
        "a=ü".encode(),
        b"&".join(b"a%d=1" % n for n in range(FIELDS_AT_MOST + 1)),
        b"a" + b"[x]" * (DEPTH_AT_MOST + 1) + b"=1",
    ],
    ids=["raw byte", "no UTF-8", "not encoded", "too many", "too deep"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(TranslationError):
        form_to_value(body)


def test_a_value_is_written_as_http_build_query_writes_it() -> None:
    form = value_to_form({"email": "a@b", "yes": True, "no": False, "gone": None, "list": [1, "x"], "map": {"k": 1.5}})

    assert parse_qsl(form.decode()) == [
        ("email", "a@b"),
        ("yes", "1"),
        ("no", "0"),
        ("list[0]", "1"),
        ("list[1]", "x"),
        ("map[k]", "1.5"),
    ]


@pytest.mark.parametrize("value", [[], "text", None, 7])
def test_only_an_object_becomes_a_form(value: object) -> None:
    with pytest.raises(TranslationError):
        value_to_form(value)


_names = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1)


@given(st.dictionaries(_names, st.text(st.characters(codec="utf-8")), max_size=8))
def test_flat_text_survives_both_ways(value: dict[str, str]) -> None:
    assert form_to_value(value_to_form(value)) == value
