"""One difference more never makes a body of whatever kind have fewer findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparators import compare
from comparators.model import LONGEST_LITERAL, Comparison
from comparators.text_compare import bytes_differences
from tests.comparators import bodies
from tests.comparators.answers import answer, policy

Parts = Sequence[str]


def each(form: str, parts: Parts, sep: str = "") -> str:
    """Every part in the same form, `{at}` its number, `{part}` itself."""
    return sep.join(form.format(at=at, part=part) for at, part in enumerate(parts))


KINDS: dict[str, tuple[str, Callable[[Parts], str]]] = {
    "bytes": ("image/png", lambda parts: "\0" + "\1".join(parts)),
    "bytes of lines": ("application/pdf", lambda parts: "%PDF\0\n" + "\n".join(parts)),
    "text": ("text/plain", "\n".join),
    "csv": ("text/csv", lambda parts: "n,v\n" + each("{at},{part}\n", parts)),
    "wide csv": ("text/csv", lambda parts: each("c{at}", parts, ";") + "\n" + ";".join(parts)),
    "xml": ("application/xml", lambda parts: f"<r>{each('<v>{part}</v>', parts)}</r>"),
    "xml attributes": ("application/xml", lambda parts: "<r>" + each('<v a="{part}"/>', parts) + "</r>"),
    "html": ("text/html", lambda parts: f"<main>{each('<p>{part}</p>', parts)}</main>"),
    "html attributes": ("text/html", lambda parts: each('<a title="{part}">a</a>', parts)),
    "html script": ("text/html", lambda parts: f"<script>var a = {json.dumps(list(parts))};</script>"),
    "form": ("application/x-www-form-urlencoded", lambda parts: each("f{at}={part}", parts, "&")),
    "ndjson": ("application/x-ndjson", lambda parts: "\n".join(json.dumps({"v": part}) for part in parts)),
    "jsonp": ("text/javascript", lambda parts: f"cb({json.dumps(list(parts))})"),
}


def between(kind: str, legacy: Parts, modern: Parts, mapping: dict[str, Any]) -> Comparison:
    media, written = KINDS[kind]
    return compare(answer(written(legacy), media=media), answer(written(modern), media=media), policy(mapping))


@st.composite
def growing(draw: st.DrawFn) -> list[list[str]]:
    """Parts that are all unlike, and what they are after one change, two, three: of any length, in any order."""
    many = draw(st.integers(1, 25))
    parts = [f"w{at} {at * 7}.50" for at in range(many)]
    steps = [parts]
    for at in draw(st.permutations(range(many)))[: draw(st.integers(1, 8))]:
        change = draw(st.sampled_from(["changed {}", "w{} x", "v{} 7.50", "{}", "a much longer text, of the part {}"]))
        steps.append([change.format(at) if place == at else each for place, each in enumerate(steps[-1])])
    return steps


@pytest.mark.parametrize("preset", ["none", "php"])
@pytest.mark.parametrize("kind", KINDS)
@given(steps=growing())
def test_findings_only_grow_with_more_differences(kind: str, preset: str, steps: list[list[str]]):
    found = [between(kind, steps[0], each, {"preset": preset}) for each in steps]

    counts = [len(each.findings) for each in found]
    assert counts == sorted(counts)
    assert [each.verdict for each in found[1:]] == ["different"] * len(steps[1:])


FEW = st.lists(st.sampled_from([b"a", b"b", b"\x00", b"abcabcab" * 4, b"\n", b"0123456789abcdefg"]), max_size=12)


@given(FEW.map(b"".join), FEW.map(b"".join))
@example(b"a" * 40, b"a" * 60 + b"b")
def test_two_bodies_of_bytes_are_shown_where_they_are_unlike(legacy: bytes, modern: bytes):
    found = bodies.held(bytes_differences, legacy, modern).findings

    assert bool(found) == (legacy != modern)
    assert all(each.legacy != each.modern for each in found)
    assert all(len(each.legacy) < LONGEST_LITERAL for each in found)


@given(st.binary(min_size=1, max_size=300), st.sets(st.integers(0, 299), max_size=8))
def test_of_bodies_of_one_length_each_byte_that_differs_grows_what_is_found(body: bytes, places: set[int]):
    modern = bytearray(body)
    counts = [0]
    for at in places:
        if at < len(body):
            modern[at] ^= 0x55
            counts.append(len(bodies.held(bytes_differences, body, bytes(modern)).findings))

    assert counts == sorted(counts)
