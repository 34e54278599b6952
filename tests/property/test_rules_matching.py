"""Laws of matching: the table finds what a plain walk over all routes finds; no spelling slips past a route."""

from __future__ import annotations

import re
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.routing.pattern import EXACT, PREFIX, REGEX, TEMPLATE, parse
from rules.routing.route_table import Table
from tests.rules.asking import facts, generation

WORDS = ["a", "b", "c"]
segment = st.sampled_from([*WORDS, "{x}"])


@st.composite
def paths(draw: st.DrawFn) -> str:
    parts = draw(st.lists(segment, max_size=3))
    named = [part if part != "{x}" else f"{{x{at}}}" for at, part in enumerate(parts)]
    ending = draw(st.sampled_from([[], [], ["**"]]))
    return "/" + "/".join(named + ending)


def _takes(pattern: str, path: str) -> bool:
    form = parse(pattern)
    if form.kind == REGEX:
        return re.search(form.text, path) is not None
    bare = pattern.removesuffix("/**") if form.kind == PREFIX else pattern
    regex = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(bare))
    return re.fullmatch(regex + ("(?:/.*)?" if form.kind == PREFIX else ""), path, re.DOTALL) is not None


def _rank(pattern: str) -> tuple[int, ...]:
    form = parse(pattern)
    order = {EXACT: 0, TEMPLATE: 1, PREFIX: 2, REGEX: 3}[form.kind]
    return (order, 0 if form.kind != PREFIX else -len(form.segments), -form.literals)


def _walk(patterns: list[str], path: str) -> str:
    """The route a plain walk over all of them would choose."""
    taking = [pattern for pattern in patterns if _takes(pattern, path)]
    return min(taking, key=_rank, default="_default")


def _unlike(patterns: list[str]) -> list[str]:
    """Leave out what would tie: here, all but one of each rank that fits the same paths."""
    kept: dict[object, str] = {}
    for pattern in patterns:
        form = parse(pattern)
        kept.setdefault((form.kind, len(form.segments), form.literals), pattern)
    return list(kept.values())


def _found(table: Table, path: str) -> str:
    route = table.find(facts(target=path))[0].route
    return route.match.path if route.name != "_default" else "_default"


def _table(patterns: list[str]) -> Table:
    return generation(*({"name": f"r{at}", "match": {"path": path}} for at, path in enumerate(patterns))).table


plain = st.lists(st.sampled_from([*WORDS, "d"]), max_size=4).map(lambda parts: "/" + "/".join(parts))


@settings(max_examples=80)
@given(patterns=st.lists(paths(), max_size=12).map(_unlike), asked=st.lists(plain, min_size=1, max_size=8))
def test_the_table_finds_what_a_walk_over_all_routes_finds(patterns: list[str], asked: list[str]) -> None:
    table = _table(patterns)

    assert [_found(table, path) for path in asked] == [_walk(patterns, path) for path in asked]


def _as_nginx_reads_it(path: str) -> str:
    kept: list[str] = []
    parts = re.sub("/+", "/", unquote(path)).split("/")[1:]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    return "/" + "/".join(kept) + ("/" if kept and parts[-1] in {"", ".", ".."} else "")


def _as_tomcat_reads_it(path: str) -> str:
    return _as_nginx_reads_it("/".join(part.partition(";")[0] for part in path.split("/")))


odd = st.lists(
    st.sampled_from(
        ["a", "b", "c", "%61", "%2561", "a;x=1", ".", "..", "%2e%2e", "%2e.", "..;", "", "a%2Fb", "..%2Fb", "%2E", ";a"]
    ),
    min_size=1,
    max_size=5,
).map(lambda parts: "/" + "/".join(parts))

GUARDED = ["/a/**", "/b", "/c/{x0}", "/a/b/**", "/**"]
GUARDED_TABLE = _table(GUARDED)
DEEP_TABLE = _table(["/{x0}", "/{x0}/{x1}", "/{x0}/{x1}/{x2}", "/{x0}/{x1}/{x2}/{x3}"])


@settings(max_examples=400)
@given(path=odd)
def test_no_spelling_slips_past_a_route_some_server_would_see(path: str) -> None:
    found = _found(GUARDED_TABLE, path)

    for read in (_as_nginx_reads_it, unquote, _as_tomcat_reads_it):
        assert found in {"_default", _walk(GUARDED, read(path))}, read.__name__


@settings(max_examples=150)
@given(path=odd)
def test_captured_names_hold_one_segment_that_does_not_climb(path: str) -> None:
    names = DEEP_TABLE.find(facts(target=path))[1]

    assert not {".", "..", ""} & set(names.values())
    assert not any("/" in value for value in names.values())
