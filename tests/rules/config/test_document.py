from __future__ import annotations

import pytest

from rules.config.yaml_document import read


def _said(text: str) -> list[str]:
    return [f"{one.line}:{one.column} {one.message}" for one in read(text, "f", {}).problems]


def test_values_are_what_yaml_says() -> None:
    found = read('a: 1\nb: 1.5\nc: [true, text, "2"]\nd: 2027-01-31\ne: {201: x}\nf: 1.0e-6\ng: -3\n', "f", {})

    assert found.problems == []
    assert found.data == {
        "a": 1, "b": 1.5, "c": [True, "text", "2"], "d": "2027-01-31", "e": {201: "x"}, "f": 1e-6, "g": -3,
    }  # fmt: skip


def test_a_byte_order_mark_moves_no_line_and_no_column() -> None:
    found = read("\ufeffa: on\n", "f", {})

    assert (found.problems[0].line, found.problems[0].column) == (1, 4)


def test_every_place_is_known_by_value_and_by_key() -> None:
    found = read("a:\n  b: [x, {c: y}]\n", "f", {})

    assert found.place(("a", "b", 1, "c")) == ("f", 2, 14)
    assert found.place(("a", "b", 1, "c"), key=True) == ("f", 2, 11)
    assert found.place(("a", "missing", "deep")) == ("f", 2, 3)
    assert found.place(()) == ("f", 1, 1)


def test_a_merged_key_stands_where_it_is_written() -> None:
    found = read("x: &x {b: 1, c: 2}\ny: {<<: *x, c: 3}\n", "f", {})

    assert found.data["y"] == {"b": 1, "c": 3}
    assert found.place(("y", "b")) == ("f", 1, 11)
    assert found.place(("y", "c")) == ("f", 2, 16)


def test_of_several_merged_mappings_the_first_wins() -> None:
    found = read("x: &x {b: 1}\ny: &y {b: 2, c: 3}\nz: {<<: [*x, *y]}\n", "f", {})

    assert found.data["z"] == {"b": 1, "c": 3}
    assert found.place(("z", "c")) == ("f", 2, 17)


def test_only_mappings_are_merged() -> None:
    assert _said("x: {<<: 7}\n") == ["1:9 `<<` takes over a mapping, or a list of mappings"]


def test_an_alias_inside_its_own_anchor_is_reported_once() -> None:
    assert _said("a: &x {b: {c: *x}}\n") == ["1:4 an anchor contains itself"]
    assert _said("a: &x [*x]\n") == ["1:4 an anchor contains itself"]
    assert _said("&x {<<: *x}\n") == [
        "1:1 an anchor contains itself",
        "1:1 `<<` takes over a mapping, or a list of mappings",
    ]


def test_aliases_that_grow_without_end_are_reported_before_they_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]

    said = _said("\n".join(lines))

    assert len(said) == 1
    assert said[0].endswith("aliases make this value grow beyond every use")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 200 + "]" * 200, "{a: " * 100_000, "- " * 100_000, "? " * 100_000]
)
def test_text_nested_beyond_reason_is_refused_without_harm(text: str) -> None:
    said = _said(text)

    assert len(said) == 1


def test_a_hundred_levels_are_not_beyond_reason() -> None:
    assert _said("[" * 90 + "]" * 90) == []


@pytest.mark.parametrize("text", ["a: \x00", "a: \x07", "\ud800", "%YAML 9.9\n---\na", "a: *nowhere", "@", "`"])
def test_what_is_no_yaml_is_one_problem(text: str) -> None:
    assert len(_said(text)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{[a]: b}", "1:2 a key must be plain text"),
        ("~: b", "1:1 the key `~` is not text"),
        ("1.5: b", "1:1 the key `1.5` is not text"),
        ("0x1: b", "1:1 the key `0x1` is not text"),
        ("[a, ~]", "1:5 an entry without a value"),
        ("!x {a: b}", "1:1 the tag `!x` is not supported"),
        ("!!set {a}", "1:1 the tag `tag:yaml.org,2002:set` is not supported"),
        ("!x [a]", "1:1 the tag `!x` is not supported"),
        ("a: " + "9" * 5000, "1:4 YAML reads `" + "9" * 30 + "` as a number of another base or form"),
    ],
)
def test_what_yaml_would_take_silently_is_said(text: str, said: str) -> None:
    assert said in _said(text)
