from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import compare
from comparators.explain import Detail, Explanation, explain, explain_pair
from tests.comparators.answers import answer, policy


def details(legacy: str, modern: str) -> list[tuple[str, str, str, str]]:
    found = explain(legacy.encode(), modern.encode())
    assert found.note == ""
    return [(each.path, each.change, each.legacy, each.modern) for each in found.details]


def test_each_change_is_told_with_both_values() -> None:
    legacy = '{"a":1.50,"b":"x","c":[1,2],"d":{},"e":null,"gone":{"k":1},"it\'s \\"q\\"/~":1}'
    modern = '{"a":1.51,"b":2,"c":[1,2,3],"d":[],"e":null,"new":true,"it\'s \\"q\\"/~":2}'

    assert details(legacy, modern) == [
        ("/a", "value", "1.50", "1.51"),
        ("/b", "type", '"x"', "2"),
        ("/c/2", "extra", "", "3"),
        ("/d", "type", "{}", "[]"),
        ("/gone", "missing", '{"k": 1}', ""),
        ('/it\'s "q"~1~0', "value", "1", "2"),
        ("/new", "extra", "", "true"),
    ]


def test_one_row_more_is_one_change() -> None:
    rows = [{"id": number, "name": f"n{number}"} for number in range(20)]

    found = explain(json.dumps(rows).encode(), json.dumps([{"id": 99, "name": "new"}, *rows]).encode())

    assert [each for each in found.details if each.change != "order"] == [
        Detail("/0", "extra", "", '{"id": 99, "name": "new"}')
    ]


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ("[1,2,2]", "[1,1,2]"),
        ("9007199254740993", "9007199254740992"),
        ("true", "1"),
        ('{"a":1}', '{"b":1}'),
        ("[[1],[2]]", "[[2],[1]]"),
    ],
)
def test_what_deepdiff_may_overlook_is_told(legacy: str, modern: str) -> None:
    assert details(legacy, modern)


@pytest.mark.parametrize(
    ("legacy", "modern"), [("1.0", "1"), ('{"a":1,"b":2}', '{"b":2.0,"a":1e0}'), ("\ufeff[]", "[]")]
)
def test_spelling_is_no_change(legacy: str, modern: str) -> None:
    assert explain(legacy.encode(), modern.encode()) == Explanation()


def test_what_is_no_json_is_told_line_by_line() -> None:
    page = explain(b"<ul><li>a</li><li>b</li></ul>", b"<ul><li>a</li><li>c</li></ul>")

    assert page.lines[-4:] == (" <li>a</li>", "-<li>b</li>", "+<li>c</li>", " </ul>")
    assert explain(b'{"a":1', b'{"a":1}').lines[-2:] == ('-{"a":1', '+{"a":1}')


@pytest.mark.parametrize("levels", [62, 300, 1500, 4000])
def test_what_is_nested_deeply_is_told_line_by_line(levels: int) -> None:
    legacy, modern = (b"[" * levels + inner + b"]" * levels for inner in (b"1", b"2"))

    found = explain(legacy, modern)

    assert (found.note, found.details) == ("", ())
    assert {line[0] for line in found.lines} == {"-", "+", "@"}


def test_what_is_left_out_is_said() -> None:
    many = explain(json.dumps(list(range(500))).encode(), json.dumps(list(range(1, 501))).encode())
    large = explain(json.dumps(list(range(9000))).encode(), json.dumps(list(range(1, 9001))).encode())
    huge = explain(b"a" * (1 << 20), b"b")

    assert (len(many.details), many.note) == (100, "400 more are left out")
    assert large.lines
    assert large.note == "only the first 2000 lines are looked at"
    assert huge.note.startswith("only bodies up to")
    assert explain(b"a\n" * 500, b"b\n" * 500).note == "more lines are left out"


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "id", "'\"", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES, TREES)
def test_any_two_documents_are_explained(one: Any, two: Any) -> None:
    legacy, modern = json.dumps(one).encode(), json.dumps(two).encode()

    found = explain(legacy, modern)

    assert explain(legacy, legacy) == Explanation()
    assert "could not say" not in found.note


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_two_bodies_are_explained(legacy: bytes, modern: bytes) -> None:
    assert isinstance(explain(legacy, modern), Explanation)


def test_what_counts_is_told_and_what_is_forgiven_folded() -> None:
    legacy = json.dumps({"a": "1.50", "b": {"c": 1, "d": "2"}, "e": [{"f": "1"}, {"f": "2"}]}).encode()
    modern = json.dumps({"a": 1.5, "b": {"c": 2, "d": 2}, "e": [{"f": 1}, {"f": 2}]}).encode()
    both = (answer(legacy), answer(modern))

    told = explain(legacy, modern, compare(*both, policy({"preset": "php"})))
    strict = explain(legacy, modern, compare(*both, policy()))

    assert [each.path for each in told.details] == ["/b/c"]
    assert told.note == "4 more places differ only in what is forgiven: numeric_string 4"
    assert [each.path for each in strict.details] == ["/a", "/b/c", "/b/d", "/e/0/f", "/e/1/f"]
    assert strict.note == ""


HTML, XML, CSV = "text/html", "application/xml", "text/csv"
FOLDED = [
    (HTML, '<input checked="checked">\n<p>a</p>\n<form method="POST">\n<b>1</b>',
     '<input checked>\n<p>b</p>\n<form method="post">\n<b>1</b>', ["-<p>a</p>", "+<p>b</p>"], "2 more places"),
    (HTML, '<p><input checked="checked" value="a"></p>', '<p><input checked value="b"></p>',
     ['-<input checked value="a">', '+<input checked value="b">'], "1 more place differs"),
    (XML, "<r><d>2026-11-21 10:00:00</d><v>1</v></r>", "<r><d>2026-11-21T10:00:00Z</d><v>2</v></r>",
     ["-<v>1</v>", "+<v>2</v>"], "1 more place differs only in what is forgiven: datetime 1"),
    (XML, '<r><d at="2026-11-21 10:00:00">1</d></r>', '<r><d at="2026-11-21T10:00:00Z">2</d></r>',
     ['-<d at="2026-11-21T10:00:00Z">1</d>', '+<d at="2026-11-21T10:00:00Z">2</d>'], "1 more place differs"),
    (CSV, "a,b\n2026-11-21 10:00:00,1\n2026-11-21 11:00:00,1\n",
     "a,b\n2026-11-21T10:00:00Z,2\n2026-11-21T11:00:00Z,1\n",
     ["-2026-11-21T10:00:00Z,1", "+2026-11-21T10:00:00Z,2"], "2 more places differ only in what is forgiven"),
    ("text/plain", "http://old.test:9001/a\nb\n", "http://new.test:8000/a\nc\n", ["-b", "+c"], "own_host 1"),
]  # fmt: skip


@pytest.mark.parametrize(("media", "legacy", "modern", "told", "note"), FOLDED)
def test_lines_that_are_forgiven_are_folded(media: str, legacy: str, modern: str, told: list[str], note: str) -> None:
    found = explain_pair(answer(legacy, media=media), answer(modern, media=media), policy({"preset": "php"}))
    strict = explain_pair(answer(legacy, media=media), answer(modern, media=media), policy())

    assert [line for line in found.lines[2:] if line[0] in "+-"] == told
    assert note in found.note
    assert strict.note == ""
    assert len(strict.lines) > len(told)


@pytest.mark.parametrize(
    ("media", "legacy", "modern", "path", "note"),
    [
        ("application/x-ndjson", '{"a":"1","z":1}\n', '{"a":1,"z":2}\n', "/0/z", "numeric_string 1"),
        ("application/x-ndjson", '{"a":"1"}\n{"z":1}\n', '{"a":1}\n{"z":2}\n', "/1/z", "numeric_string 1"),
        ("text/javascript", 'cb({"a":"1","z":1})', 'cb({"a":1,"z":2})', "/z", "numeric_string 1"),
        ("text/javascript", 'cb({"a":"1"})', 'bc({"a":1})', "@body", "numeric_string 1"),
        ("application/x-www-form-urlencoded", "a=1+2&z=1", "a=1%202&z=2", "/z", ""),
        ("text/html", '{"a":"1","z":1}', '{"a":1,"z":2}', "/z", "numeric_string 1"),
    ],
)
def test_members_that_are_forgiven_are_folded_in_whatever_wraps_them(
    media: str, legacy: str, modern: str, path: str, note: str
) -> None:
    both = answer(legacy, media=media), answer(modern, media=media)

    found = explain_pair(*both, policy({"preset": "php"}))

    assert [each.path for each in found.details] == [path]
    assert found.note.startswith("1 more place differs only in what is forgiven")
    assert note in found.note
    assert {each.path for each in compare(*both, policy({"preset": "php"})).findings} == {path}


@pytest.mark.parametrize(
    ("media", "legacy", "modern"),
    [
        ("application/json", '{"a":"1","b":"2"}', '{"a":1,"b":2}'),
        (HTML, '<p>1</p><input checked="checked"><form method="POST">', "<p>1</p><input checked><form method=post>"),
    ],
)
def test_where_nothing_of_a_body_counts_that_is_said(media: str, legacy: str, modern: str) -> None:
    headers = ("Location", "/a"), ("Location", "/b")
    both = (answer(body, 200, header, media=media) for body, header in zip((legacy, modern), headers, strict=True))

    found = explain_pair(*both, policy({"preset": "php"}))

    assert found.details or found.lines
    assert "places differ only in what is forgiven: " in found.note
    assert found.note.startswith("all ")


def test_of_more_differences_than_are_found_none_is_said_to_be_forgiven() -> None:
    rows = [{"a": f"{at}", "v": at} for at in range(300)]
    legacy, modern = json.dumps(rows), json.dumps([{"a": row["v"], "v": -1 - int(row["a"])} for row in rows])

    found = explain_pair(answer(legacy), answer(modern), policy({"preset": "php"}))

    assert "forgiven" not in found.note


def test_of_a_long_page_the_lines_from_the_first_difference_on_are_looked_at() -> None:
    head, rows = "<p>same</p>" * 3000, "<br>" * 2500
    pages = [
        f"{head}{form}<b>{word}</b>{rows}" for form, word in (('<input checked="checked">', 1), ("<input checked>", 2))
    ]

    found = explain_pair(*(answer(page, media=HTML) for page in pages), policy({"preset": "php"}))

    assert found.lines[2] == "@@ -3000,5 +3000,5 @@"
    assert [line for line in found.lines[2:] if line[0] in "+-"] == ["-<b>1</b>", "+<b>2</b>"]
    assert found.note.startswith("only 2000 lines from line 2999 on are looked at; 1 more place differs only in")


def test_a_long_line_is_cut_around_its_difference() -> None:
    text = "x" * 400
    page = explain(f"<p>{text}a</p>".encode(), f"<p>{text}b</p>".encode())
    told = explain(json.dumps({"a": f"{text}a"}).encode(), json.dumps({"a": f"{text}b"}).encode())

    assert ("a</p>" in page.lines[-2], "b</p>" in page.lines[-1]) == (True, True)
    assert told.details[0].legacy != told.details[0].modern


def test_a_coded_body_is_explained_as_what_it_holds() -> None:
    legacy = gzip.compress(b'<p>1</p><input checked="checked">')
    both = (
        answer(legacy, 200, ("Content-Encoding", "gzip"), media=HTML),
        answer("<p>2</p><input checked>", media=HTML),
    )

    found = explain_pair(*both, policy({"preset": "php"}))

    assert [line for line in found.lines[2:] if line[0] in "+-"] == ["-<p>1</p>", "+<p>2</p>"]


LINES = st.lists(st.sampled_from(["<p>a</p>", "<p>b</p>", "<br>", '<input checked="checked">', "<input checked>", "x"]))


@given(LINES, LINES, st.sampled_from([HTML, XML, CSV, "text/plain", "image/png"]), st.sampled_from(["php", "none"]))
def test_what_counts_is_never_folded(one: list[str], two: list[str], media: str, preset: str) -> None:
    legacy, modern = (answer("\n".join(each) or "-", media=media) for each in (one, two))
    rules = policy({"preset": preset})

    found = explain_pair(legacy, modern, rules)

    if compare(legacy, modern, rules).verdict == "different":
        assert found.lines
        assert not found.note.startswith(("all ", "the one "))
