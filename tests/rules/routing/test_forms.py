"""Forms become JSON values, JSON values become forms, as PHP reads and writes them."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.routing.rewrite import DEPTH_AT_MOST, FIELDS_AT_MOST, TranslationError, form_to_value, value_to_form

AS_PHP: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("a=1&b=", {"a": "1", "b": ""}),
    ("a=1&a=2", {"a": "2"}),
    ("a[]=1&a[]=2", {"a": ["1", "2"]}),
    ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
    ("a[b]=1&a[c][]=2", {"a": {"b": "1", "c": ["2"]}}),
    ("a[1]=x", {"a": {"1": "x"}}),
    ("n=J%C3%BCrgen+K", {"n": "Jürgen K"}),
    ("a=1&a[b]=2", {"a": {"b": "2"}}),
    ("a[1]=x&a[]=y", {"a": {"1": "x", "2": "y"}}),
    ("a[]=1&a[0]=2", {"a": ["2"]}),
    ("a[01]=x&a[]=y", {"a": {"01": "x", "0": "y"}}),
    ("a[-5]=x&a[-7]=y&a[]=z", {"a": {"-5": "x", "-7": "y", "-4": "z"}}),
    ("a[x][]=1&a[x][]=2&a[]=3", {"a": {"x": ["1", "2"], "0": "3"}}),
    ("a[1][]=x&a[1][5]=y&a[1][]=z", {"a": {"1": {"0": "x", "5": "y", "6": "z"}}}),
    ("a[9223372036854775807]=x&a[]=y", {"a": {"9223372036854775807": "x"}}),
    ("a[ ]=1&a[%09]=2&a[]=3", {"a": ["1", "2", "3"]}),
    ("a[b]=1&a=2", {"a": "2"}),
    ("a=1&a[]=2", {"a": ["2"]}),
    ("a.b=1&a c=2&%20d=3", {"a_b": "1", "a_c": "2", "d": "3"}),
    ("a[b.c d]=1", {"a": {"b.c d": "1"}}),
    ("a.[b]=1", {"a_": {"b": "1"}}),
    ("a[b=1", {"a_b": "1"}),
    ("a[b.c[d=1", {"a_b_c_d": "1"}),
    ("a[b]c=1", {"a": {"b": "1"}}),
    ("a[b][c=1", {"a": {"b": "1"}}),
    ("a[[b]=1&a]=2", {"a": {"[b": "1"}, "a]": "2"}),
    ("a%00b=1", {"a": "1"}),
    ("[a]=1&=2", {}),
    ("0=x&1=y", {"0": "x", "1": "y"}),
]


@pytest.mark.parametrize(("form", "value"), AS_PHP)
def test_a_form_is_read_as_php_reads_it(form: str, value: dict[str, Any]) -> None:
    assert form_to_value(form.encode()) == value


def test_php_reads_all_of_them_so() -> None:
    forms = [form for form, _ in AS_PHP]
    read = "foreach (json_decode(stream_get_contents(STDIN)) as $f) { parse_str($f, $o); $r[] = $o; }"
    script = f"{read} echo json_encode($r);"

    said = subprocess.run(["php", "-r", script], input=json.dumps(forms), capture_output=True, text=True, check=True)

    assert json.loads(said.stdout) == [_as_php_says(form_to_value(form.encode())) for form in forms]


def _as_php_says(value: dict[str, Any]) -> Any:
    """A whole form that is numbered from 0, or is empty, is a list for PHP's json_encode; for us a form has names."""
    return list(value.values()) if list(value) == [str(number) for number in range(len(value))] else value


def test_numbering_a_thousand_fields_takes_no_time() -> None:
    value = form_to_value(b"&".join([b"a[]=1"] * FIELDS_AT_MOST))

    assert value == {"a": ["1"] * FIELDS_AT_MOST}


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


def test_half_a_character_is_in_no_form() -> None:
    with pytest.raises(TranslationError):
        value_to_form({"a": "\ud800"})


_names = st.text(st.characters(codec="utf-8", exclude_characters="[]. \0"), min_size=1)


@given(st.dictionaries(_names, st.text(st.characters(codec="utf-8")), max_size=8))
def test_flat_text_survives_both_ways(value: dict[str, str]) -> None:
    assert form_to_value(value_to_form(value)) == value
