"""Checks that every request has one route, that every route has requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from rules import pattern
from rules.checks.overlap import can_meet, exact_values
from rules.checks.plan import Path, Plan
from rules.conditions import weight_of
from rules.model import Route
from rules.pattern import Pattern
from rules.problems import Finding
from rules.regexes import literal_start, matches_everything


@dataclass(frozen=True, slots=True)
class Entry:
    """A route with its path taken apart."""

    path: Path
    route: Route
    form: Pattern

    @property
    def literals(self) -> tuple[str | None, ...]:
        """What two routes on one path have in common: the segments, or the regex."""
        return self.form.segments or (self.form.text,)


def ties(plan: Plan) -> Iterator[Finding]:
    """No two routes can take one request with the same right to it."""
    on_one_path: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    by_rank: dict[tuple[str, int, int], dict[tuple[int, ...], list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in _entries(plan):
        form = entry.form
        on_one_path[(form.kind, entry.literals, weight_of(entry.route.match))].append(entry)
        if form.kind in {pattern.TEMPLATE, pattern.PREFIX}:
            by_rank[form.kind, len(form.segments), form.literals][form.shape].append(entry)
    for same in on_one_path.values():
        for one, two in _candidates(same):
            if can_meet(one.route.match, two.route.match):
                yield _tie(one, two, f"takes the same requests as `{one.route.name}`")
    for shapes in by_rank.values():
        for one, two in _crossing(shapes):
            if can_meet(one.route.match, two.route.match):
                yield _tie(one, two, f"can tie with `{one.route.name}`: both match {_common(one, two)}")


def unreachable(plan: Plan) -> Iterator[Finding]:
    """No route stands behind one that takes everything it could take."""
    entries = list(_entries(plan))
    open_prefixes = [
        entry
        for entry in entries
        if entry.form.kind == pattern.PREFIX and weight_of(entry.route.match) == 0 and not entry.form.names
    ]
    catch_all: Entry | None = None
    for entry in entries:
        if entry.form.kind != pattern.REGEX:
            continue
        start = literal_start(entry.form.text)
        first = next((one for one in open_prefixes if _covers(one, start)), catch_all)
        if first is not None:
            message = f"`{entry.route.name}` can never be reached: {first.route.match.path} takes its requests first"
            hint = f"that is `{first.route.name}` on line {first.route.line}; a regex is tried last, in file order"
            yield Finding((*entry.path, "match", "path"), message, hint)
        elif weight_of(entry.route.match) == 0 and matches_everything(entry.form.text):
            catch_all = entry


def _entries(plan: Plan) -> Iterator[Entry]:
    for path, route in plan.routes():
        yield Entry(path, route, pattern.parse(route.match.path))


def _covers(prefix: Entry, start: str | None) -> bool:
    """Whether a prefix takes every path that begins with this text."""
    if not prefix.form.segments:
        return True
    return start is not None and start.startswith("/" + "/".join(map(str, prefix.form.segments)) + "/")


def _candidates(same: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield pairs on one path that may tie; those that want different exact values are not even compared.

    One path may carry a thousand routes, told apart by a parameter (`index.php?r=…`), a host or a header.
    """
    wanted = [exact_values(entry.route.match) for entry in same]
    counts = Counter(name for values in wanted for name in values)
    if len(same) < 3 or not counts:  # noqa: PLR2004 - two can simply be compared
        yield from combinations(same, 2)
        return
    telling = counts.most_common(1)[0][0]
    by_value: dict[str, list[Entry]] = defaultdict(list)
    loose: list[Entry] = []
    for entry, values in zip(same, wanted, strict=True):
        (by_value[values[telling]] if telling in values else loose).append(entry)
    for entries in by_value.values():
        yield from combinations(entries, 2)
        yield from ((one, two) if _before(one, two) else (two, one) for one in entries for two in loose)
    yield from combinations(loose, 2)


def _crossing(shapes: dict[tuple[int, ...], list[Entry]]) -> Iterator[tuple[Entry, Entry]]:
    """Yield pairs of equal rank whose literals stand at different places yet fit one path."""
    for first, second in combinations(shapes, 2):
        common = sorted(set(first) & set(second))
        by_literals: dict[tuple[str | None, ...], list[Entry]] = defaultdict(list)
        for entry in shapes[first]:
            by_literals[tuple(entry.form.segments[at] for at in common)].append(entry)
        for two in shapes[second]:
            for one in by_literals.get(tuple(two.form.segments[at] for at in common), ()):
                yield (one, two) if _before(one, two) else (two, one)


def _before(one: Entry, two: Entry) -> bool:
    return one.route.line <= two.route.line


def _common(one: Entry, two: Entry) -> str:
    """Return a path that both match."""
    segments = [mine or theirs or "x" for mine, theirs in zip(one.form.segments, two.form.segments, strict=True)]
    return "/" + "/".join(segments)


def _tie(one: Entry, two: Entry, what: str) -> Finding:
    hint = f"line {one.route.line}; make one path more literal, or tell them apart by methods, host, headers or query"
    return Finding((*two.path, "match", "path"), f"`{two.route.name}` {what}", hint)
