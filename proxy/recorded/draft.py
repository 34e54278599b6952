"""Drafts routes from what traffic looks like, from what the new API offers, or from both.

Nothing is moved by a draft: every weight is 0. What numbers or names could not settle is told in `undecided`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.recorded.endpoints import Endpoints, Found
from proxy.recorded.front import Hint, dispatcher, hinted, pages
from proxy.recorded.openapi import Operation, mapped
from proxy.recorded.tallying import Endpoint
from rules.routing.mirroring import has_effects, singular

ROUTES_AT_MOST: Final = 500
_SAFE: Final = frozenset({"GET", "HEAD"})
_KNOWN: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PAGES_SHOWN: Final = 8
_NEEDS_PERSON: Final = 0.3
"""Share of redirects above which a page is more than a page."""


@dataclass(frozen=True, slots=True)
class DraftRoute:
    """One route as `init` proposes it; `notes` are comments for the person who reads it."""

    name: str
    path: str
    methods: tuple[str, ...] = ()
    query: tuple[str, str] | None = None
    modern: str | None = None
    mirrored: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """Routes in the order of their traffic, with what a person has to settle."""

    routes: list[DraftRoute] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def draft(traffic: Endpoints | None, offered: Sequence[Operation] = ()) -> Draft:
    """Propose a route for every endpoint seen, or for every operation where no traffic is known."""
    made = _Drafting(offered)
    if traffic is None:
        made.from_operations()
    else:
        made.from_traffic(traffic)
    return made.draft


class _Drafting:
    """`draft` grows, `_names` keeps the routes apart, `_used` the operations that stand for something."""

    def __init__(self, offered: Sequence[Operation]) -> None:
        self.draft = Draft()
        self._offered = offered
        self._names: Counter[str] = Counter()
        self._used: set[str] = set()

    def from_operations(self) -> None:
        for operation in self._offered:
            reads = _SAFE.issuperset(operation.methods)
            self._add(operation.path, operation.methods, mirrored=reads, notes=("the path is the new API's own",))
        self.draft.undecided.append(
            "the old paths are not known: `match.path` has the new API's, `modern.path` is missing where they differ"
        )

    def from_traffic(self, traffic: Endpoints) -> None:
        found = traffic.found()
        for one in found[:ROUTES_AT_MOST]:
            self._endpoint(one, traffic.requests)
        rest = found[ROUTES_AT_MOST:]
        if rest:
            requests = sum(one.endpoint.requests for one in rest)
            self._say(f"{len(rest)} more endpoints with {requests} requests have no route: legacy answers them")
        if traffic.odd.requests:
            examples = " ".join(repr(path[:60]) for path in traffic.odd.examples)
            self._say(f"{traffic.odd.requests} requests spell their path in a way that no route matches: {examples}")
        for operation in self._offered:
            if operation.path not in self._used:
                self._say(f"{' '.join(operation.methods)} {operation.path}: in the new API, but nobody asks for it")

    def _endpoint(self, found: Found, total: int) -> None:
        endpoint, path = found.endpoint, found.path
        methods = tuple(method for method in _KNOWN if endpoint.methods[method])
        reads = any(method in _SAFE for method in methods)
        effects = any(has_effects(example, None) for example in endpoint.examples)
        notes = [_volume(endpoint, total)]
        if found.guessed:
            notes.append("a name in the path stands for many rare values")
            self._say(f"{path}: folded by numbers alone, from paths such as {' '.join(endpoint.examples)}")
        if effects:
            notes.append("looks like a read with effects: never mirrored")
        if reads and endpoint.redirects > _NEEDS_PERSON * endpoint.requests:
            self._say(f"{path}: {endpoint.redirects} of {endpoint.requests} answers are redirects: is it a page?")
        modern = self._modern(path, methods)
        mirrored = reads and not effects
        page = dispatcher(endpoint)
        if page is None:
            hint = hinted(endpoint, path, total)
            if hint is not None:
                notes += _hints(hint, path, _listed(methods))
                self._say(f"{path}: ?{hint.name}= probably tells its pages apart; one route has them all")
            self._add(path, methods, modern=modern, mirrored=mirrored, notes=notes)
            return
        self._say(f"{path}: its pages are told apart by ?{page}=; methods and visitors of each are not known")
        for value, times in pages(endpoint, page).most_common():
            if not has_effects(f"/{value}", None):
                note = f"{_several(times, 'request')}, {times / max(1, total):.1%} of all"
                self._add(path, (), query=(page, value), mirrored=mirrored, notes=(note,), called=value)

    def _modern(self, path: str, methods: Iterable[str]) -> str | None:
        if not self._offered:
            return None
        found = mapped(path, methods, self._offered)
        self._used.update(found.candidates[:1] if found.target else ())
        if found.target is None:
            near = f"; nearest: {', '.join(found.candidates)}" if found.candidates else ""
            self._say(f"{path}: no operation of the new API is surely the same{near}")
            return None
        return found.target

    def _add(
        self,
        path: str,
        methods: Iterable[str],
        *,
        query: tuple[str, str] | None = None,
        modern: str | None = None,
        mirrored: bool = False,
        notes: Iterable[str] = (),
        called: str = "",
    ) -> None:
        name = self._name(called or path)
        known = _listed(methods)
        other = modern if modern != path else None
        self.draft.routes.append(DraftRoute(name, path, known, query, other, mirrored, tuple(notes)))

    def _name(self, path: str) -> str:
        name = "-".join(_words(path))[:60].strip("-") or "home"
        self._names[name] += 1
        times = self._names[name]
        return name if times == 1 else self._name(f"{name}-{times}")

    def _say(self, sentence: str) -> None:
        self.draft.undecided.append(sentence)


def _words(path: str) -> list[str]:
    """What a route is called after: `users` for the list, `user` for one of them."""
    kept: list[str] = []
    for part in path.strip("/").split("/"):
        word = re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")
        if part.startswith("{") and kept:
            kept[-1] = singular(kept[-1])
        elif word and word != "api" and not re.fullmatch(r"v\d+", word):
            kept.append(word)
    return kept


def _listed(methods: Iterable[str]) -> tuple[str, ...]:
    """Methods as a route lists them: HEAD follows GET."""
    known = tuple(methods)
    return tuple(method for method in known if method != "HEAD" or "GET" not in known)


def _hints(hint: Hint, path: str, methods: Sequence[str]) -> Iterator[str]:
    """How to take one page out of a route that has them all: with its methods, or both would take the same."""
    shown = ", ".join(f"{value} {times}" for value, times in hint.values[:_PAGES_SHOWN])
    rest = len(hint.values) - _PAGES_SHOWN
    yield f"?{hint.name}= is in {hint.share:.0%} of them: {shown}{f', {rest} more' if rest > 0 else ''}"
    listed = [f"methods: [{', '.join(methods)}]"] if methods else []
    query = f"{json.dumps(hint.name)}: {json.dumps(hint.values[0][0])}"
    match = ", ".join([f"path: {path}", *listed, f"query: {{{query}}}"])
    yield f"to move one page alone, a route of its own: match: {{{match}}}"


def _several(count: int | str, word: str) -> str:
    return f"{count} {word}{'' if str(count) == '1' else 's'}"


def _volume(endpoint: Endpoint, total: int) -> str:
    parts = [f"{_several(endpoint.requests, 'request')}, {endpoint.requests / max(1, total):.1%} of all"]
    if endpoint.visitors:
        parts.append(_several(endpoint.people, "visitor"))
    if len(endpoint.methods) > 1:
        parts.append(", ".join(f"{method} {count}" for method, count in endpoint.methods.most_common(5)))
    if endpoint.errors:
        parts.append(f"{endpoint.errors} answered with 5xx")
    p95 = endpoint.times.percentile(0.95)
    if p95 is not None:
        parts.append(f"p95 {p95 * 1000:.0f} ms")
    return "; ".join(parts)
