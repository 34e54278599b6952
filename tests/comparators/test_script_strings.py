"""Strings of scripts are held together by what they stand for, the JSON that `JSON.parse` is given as JSON."""

from __future__ import annotations

import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import Policy, compare
from tests.comparators.bodies import answer

PHP = Policy.from_mapping({"preset": "php"})
SAME = [
    (r"'x\/y'", "'x/y'"),
    (r"'it\'s'", r"'it\u0027s'"),
    (r"'it\'s'", r"'it\x27s'"),
    (r"'a\"b'", "'a\"b'"),
    (r"'a\u0022b'", "'a\"b'"),
    (r"'a\x22b'", r"'a\"b'"),
    (r"'caf\u00e9'", "'café'"),
    (r"'\ud83d\ude00'", "'😀'"),
    (r"'<\/script>'", r"'\u003C/script\u003E'"),
    (r"'a\\b\/c'", r"'a\\b/c'"),
    (r'"it\'s"', '"it\'s"'),
    (r'"x\/y"', '"x/y"'),
    (r"f('a\/b', 'c')", "f('a/b', 'c')"),
    (r"a + 'x\/y'", "a + 'x/y'"),
    (r"/[/']/.test(b) ? 'x\/y' : 1", "/[/']/.test(b) ? 'x/y' : 1"),
    (r"a / 2 + 'x\/y'", "a / 2 + 'x/y'"),
    (r"`it's ${name}` + 'x\/y'", "`it's ${name}` + 'x/y'"),
    ("1; // don't\nb = 'x\\/y'", "1; // don't\nb = 'x/y'"),
    ("1; /* don't */ b = 'x\\/y'", "1; /* don't */ b = 'x/y'"),
    ("(a + b) / 2;\nb = 'x\\/y'", "(a + b) / 2;\nb = 'x/y'"),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"a": 1}')"""),
    ("""JSON.parse('{"a":1,"b":[2]}')""", """JSON.parse('{"b": [2], "a": 1}')"""),
    (r"""JSON.parse('{\u0022a\u0022:1}')""", """JSON.parse('{"a": 1}')"""),
    (r"""JSON.parse('{\u0022u\u0022:\u0022x\\\/y\u0022}')""", """JSON.parse('{"u":"x/y"}')"""),
    (r"""JSON.parse("{\"a\":1}")""", r"""JSON.parse("{\"a\": 1}")"""),
    (r"""JSON.parse("{\u0022a\u0022:1}")""", r"""JSON.parse("{\"a\":1}")"""),
    ("""f(JSON.parse('[1,2]'), {"a":1})""", """f(JSON.parse('[1, 2]'), {"a": 1})"""),
    ("""JSON.parse('[1]', revive)""", """JSON.parse('[ 1 ]', revive)"""),
    ("""JSON.parse( '{"n":1.10}' )""", """JSON.parse( '{"n": 1.1}' )"""),
]
NEVER = [
    (r"'x\/y'", "'x/z'"),
    (r"'x\/y'", r"'x\\/y'"),
    (r"'it\'s'", "'its'"),
    (r"'it\'s'", '"it\'s"'),
    ("'x'", '"x"'),
    ("'x'", "x"),
    (r"'a\nb'", "'anb'"),
    (r"'a\x41'", r"'a\x42'"),
    (r"'a\u0041'", "'a'"),
    (r"'\d'", "'d'"),
    (r"'\101'", "'A'"),
    (r"`x\/y`", "`x/y`"),
    (r"`${'x\/y'}`", "`${'x/z'}`"),
    (r"/'\/'/", "/'/'/"),
    (r"a = b) /'\/'/", "a = b) /'/'/"),
    (r"/'/; '\/'", "/'/; 'x'"),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"a":2}')"""),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"a":"1"}')"""),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"b":1}')"""),
    ("""JSON.parse('[1,2]')""", """JSON.parse('[2,1]')"""),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"a":1}""" + "'"),
    ("""JSON.parse('{"a":1}')""", """JSON.parse('{"a":1')"""),
    ("""JSON.parse('{"a":1}')""", """JSON.parse({"a":1})"""),
    ("""JSON.parse('{"a":1}')""", """{"a":1}"""),
    ("""JSON.parse('{"a":1}')""", r"""JSON.parse("{\"a\":1}")"""),
    ("""JSON.parse('[1]' + x)""", """JSON.parse('[ 1]' + x)"""),
    ("""other.JSON.parse('[1]')""", """other.JSON.parse('[ 1]')"""),
    ("""MyJSON.parse('[1]')""", """MyJSON.parse('[ 1]')"""),
    ("""'{"a":1}'""", """'{"a": 1}'"""),
    ('''"JSON.parse('[1]')"''', '''"JSON.parse('[ 1]')"'''),
    ("`JSON.parse('[1]')`", "`JSON.parse('[ 1]')`"),
    ("""JSON.parse('{"a":1}'); g(1)""", """JSON.parse('{"a":1}'); g(2)"""),
]
HOLDERS = {
    "page": ("text/html", "<html><head><script>window.S = {};</script></head></html>"),
    "script": ("text/javascript", "window.S = {};"),
}


def verdict(one: str, two: str, holder: str, policy: Policy = PHP) -> str:
    media, text = HOLDERS[holder]
    return compare(*(answer(text.replace("{}", each), media) for each in (one, two)), policy).verdict


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(("legacy", "modern"), SAME)
def test_one_string_in_two_spellings_is_equal(legacy: str, modern: str, holder: str):
    assert verdict(legacy, modern, holder) == verdict(modern, legacy, holder) == "equal"


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(("legacy", "modern"), [pair for pair in SAME if "\\" in "".join(pair) or "JSON" in pair[0]])
def test_without_the_rule_spellings_differ(legacy: str, modern: str, holder: str):
    off = Policy.from_mapping({"preset": {"name": "php", "except": ["embedded_json"]}})

    assert verdict(legacy, modern, holder, off) == "different"


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(("legacy", "modern"), NEVER)
def test_another_string_is_a_difference(legacy: str, modern: str, holder: str):
    assert verdict(legacy, modern, holder) == "different"


def test_a_string_in_an_event_of_an_element():
    page = """<button onclick="go({})">x</button>"""
    one, two = (answer(page.replace("{}", each), "text/html") for each in (r"'a\/b'", "'a/b'"))

    assert compare(one, two, PHP).verdict == "equal"


def test_a_finding_names_the_place_inside_of_what_is_parsed():
    media, text = HOLDERS["page"]
    bodies = ("""JSON.parse('{"a":{"b":1}}')""", """JSON.parse('{"a": {"b": 2}}')""")
    (found,) = compare(*(answer(text.replace("{}", each), media) for each in bodies), PHP).findings

    assert found.legacy.endswith("/a/b: 1")


@pytest.mark.parametrize(("broken", "whole"), [(r'"it\'s"', '"it\'s"'), (r'"\x41"', '"A"')])
def test_a_document_that_no_reader_takes_is_a_difference(broken: str, whole: str):
    """JSON has no such escapes: the script that reads the element fails."""
    page = '<html><body><script type="application/json">{"a": {}}</script></body></html>'
    one, two = (answer(page.replace("{}", each), "text/html") for each in (broken, whole))

    assert compare(one, two, PHP).verdict == "different"


def test_a_script_that_a_string_ends_is_cut_there():
    """A browser ends the script at `</script>` whatever quotes are open."""
    assert verdict(r"'<\/script>'", "'</script>'", "page") == "different"


TEXTS = st.text(st.sampled_from("a/'\"\\é\u2028<>😀\t\n0"), max_size=8)


@given(TEXTS, TEXTS)
def test_texts_are_equal_where_their_strings_are(one: str, two: str):
    def short(text: str) -> str:
        return "'" + json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"

    def long(text: str) -> str:
        return "'" + "".join(f"\\u{ord(each):04x}" if ord(each) < 1 << 16 else each for each in text) + "'"

    assert verdict(short(one), long(two), "script") == ("equal" if one == two else "different")


@pytest.mark.parametrize(
    "piece",
    ["'", '"', "`", "/", "'\\", "/*", "(/'", "= '\\/'", "JSON.parse('[1]');", "JSON.parse('[", "${", "\\'", ")/x'\n"],
)
def test_a_long_script_takes_no_long(piece: str):
    one, two = (f"a = 1;\\ {piece * (200_000 // len(piece))}{end}" for end in "xy")

    start = perf_counter()
    verdict(one, two, "script")

    assert perf_counter() - start < 3
