"""Drafts a configuration from traffic and OpenAPI, writes it as YAML.

A draft moves no users: every weight is 0. What numbers or names could not decide is listed in `undecided`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from proxy.traffic.endpoints import Endpoint, Endpoints, Found, Hint, dispatcher, hinted, pages
from proxy.traffic.reader import UnreadableError
from rules.model import SAFE_METHODS
from rules.routing.mirroring import has_effects, singular

# Reads which operations an OpenAPI document offers, finds the one that replaces an old endpoint.


LARGEST: Final = 32 * 1024 * 1024
SURE: Final = 0.8
MARGIN: Final = 0.08
"""By how much the best candidate must lead."""
WORTH_TELLING: Final = 0.5
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_NAME: Final = re.compile(r"\{([^}]*)\}")
_PREFIXES: Final = frozenset({"api", "index", "rest", "ajax", "public"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the new API with its methods."""

    path: str
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The operation for an old path: `target` is its path with the old path's names, None while undecided.

    `candidates` are similar operations, best first.
    """

    target: str | None
    candidates: tuple[str, ...] = ()


def operations(path: Path) -> tuple[Operation, ...]:
    """Read an OpenAPI document, JSON or YAML; UnreadableError says what is wrong with it, OSError as opening does."""
    if path.stat().st_size > LARGEST:
        raise UnreadableError(f"{path}: larger than {LARGEST} bytes")
    try:
        document: Any = yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - a safe loader, chosen below
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise UnreadableError(f"{path}: neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        raise UnreadableError(f"{path}: no OpenAPI document: it has no `paths`")
    base = _base(document)
    found = []
    for spelled, item in paths.items():
        if isinstance(item, dict) and isinstance(spelled, str) and spelled.startswith("/"):
            methods = tuple(sorted(name.upper() for name in item if str(name).lower() in _METHODS))
            if methods:
                found.append(Operation(base + spelled, methods))
    return tuple(found)


def mapped(path: str, methods: Iterable[str], offered: Sequence[Operation]) -> Mapped:
    """Find the operation that corresponds to `path`: the same words, the same number of names, a method in common."""
    wanted, asked = _operation_words(path), {"GET" if method == "HEAD" else method for method in methods}
    scored = sorted(
        (
            (_likeness(wanted, _operation_words(operation.path)), operation)
            for operation in offered
            if asked & set(operation.methods) and path.count("{") == operation.path.count("{")
        ),
        key=lambda pair: (-pair[0], pair[1].path),
    )
    near = [(score, operation) for score, operation in scored if score >= WORTH_TELLING]
    candidates = tuple(operation.path for _, operation in near[:3])
    if not near or near[0][0] < SURE or (len(near) > 1 and near[0][0] - near[1][0] < MARGIN):
        return Mapped(None, candidates)
    return Mapped(_renamed(near[0][1].path, path), candidates)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _base(document: dict[str, Any]) -> str:
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        path = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        return path if "{" not in path else ""
    return str(document.get("basePath") or "").rstrip("/")


def _operation_words(path: str) -> list[str]:
    """A path as words that mean the same on both sides: no `/api/v2`, no `.php`, one `user` for `users`."""
    words = []
    for segment in path.strip("/").split("/"):
        if _NAME.fullmatch(segment):
            words.append("{}")
            continue
        plain = re.sub(r"\.(php|json|html?|aspx?)$", "", segment.lower())
        if plain in _PREFIXES or re.fullmatch(r"v\d+", plain):
            continue
        words += [singular(word) for word in re.split(r"[-_.]", plain) if word]
    return words


def _likeness(one: list[str], other: list[str]) -> float:
    if not set(one) & set(other) - {"{}"}:
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _renamed(target: str, path: str) -> str:
    """Spell `target` with the names that `path` captures, in their order."""
    names = iter(_NAME.findall(path))
    return _NAME.sub(lambda found: f"{{{next(names, found[1])}}}", target)


ROUTES_AT_MOST: Final = 500
_KNOWN: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PAGES_SHOWN: Final = 8
_RARE: Final = 0.001
_FEW: Final = 2
_MANY_RARE: Final = 4
"""Paths of one folder, each with a request or less than a thousandth of all, that are one route."""
_FORMS: Final = frozenset({"new", "create", "add", "edit", "form"})
_FORM_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_MEANINGLESS: Final = frozenset({"r", "route", "p", "q", "page"})
"""Parameters whose name adds nothing to the value."""
_NEEDS_PERSON: Final = 0.3
"""Share of redirects above which a page is assumed to act."""


@dataclass(frozen=True, slots=True)
class DraftRoute:
    """One route as `init` proposes it; `notes` are comments for the reader."""

    name: str
    path: str
    methods: tuple[str, ...] = ()
    query: tuple[str, str] | None = None
    modern: str | None = None
    mirrored: bool = False
    notes: tuple[str, ...] = ()
    group: str = ""


@dataclass(slots=True)
class Draft:
    """Routes in the order of their traffic, with what the operator has to decide."""

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
    """`draft` grows, `_names` are the route names in use, `_used` the operations that were assigned."""

    def __init__(self, offered: Sequence[Operation]) -> None:
        self.draft = Draft()
        self._offered = offered
        self._names: Counter[str] = Counter()
        self._used: set[str] = set()

    def from_operations(self) -> None:
        for operation in self._offered:
            reads = SAFE_METHODS.issuperset(operation.methods)
            self._add(operation.path, operation.methods, mirrored=reads, notes=("the path is the new API's own",))
        self.draft.undecided.append(
            "the old paths are not known: `match.path` has the new API's, `modern.path` is missing where they differ"
        )

    def from_traffic(self, traffic: Endpoints) -> None:
        seen = traffic.found()
        # what scanners try, what old links lead to
        there = [one for one in seen if one.endpoint.missing < one.endpoint.requests]
        gone = len(seen) - len(there)
        if gone:
            self._say(f"{_several(gone, 'path')} answered with 404 alone: no route")
        found, folded = _without_rare(there, traffic.requests)
        for one in found[:ROUTES_AT_MOST]:
            self._endpoint(one, traffic.requests)
        rest = found[ROUTES_AT_MOST:]
        if rest:
            requests = sum(one.endpoint.requests for one in rest)
            self._say(f"{len(rest)} more endpoints with {requests} requests have no route: legacy answers them")
        for folder, ones in folded.items():
            self._folder(folder, ones, traffic.requests)
        if traffic.odd.requests:
            examples = " ".join(repr(path[:60]) for path in traffic.odd.examples)
            self._say(f"{traffic.odd.requests} requests spell their path in a way that no route matches: {examples}")
        for operation in self._offered:
            if operation.path not in self._used:
                self._say(f"{' '.join(operation.methods)} {operation.path}: in the new API, but without traffic")
        self._group_forms()

    def _folder(self, folder: str, ones: Sequence[Found], total: int) -> None:
        """Add one route for rarely used paths."""
        together = Endpoint()
        for one in ones:
            together.merge(one.endpoint)
        methods = tuple(method for method in _KNOWN if together.methods[method])
        effects = any(has_effects(path, None) for one in ones for path in one.endpoint.examples)
        shown = ", ".join(sorted(one.path for one in ones)[:3])
        notes = (_volume(together, total), f"{len(ones)} paths of few requests each: {shown} …")
        mirrored = not effects and any(method in SAFE_METHODS for method in methods)
        self._add(f"/{folder}/**", methods, mirrored=mirrored, notes=notes, called=f"{folder}-rest")

    def _group_forms(self) -> None:
        """Put a form and its target into one group: else a user gets the page of one side and posts to the other."""
        routes = self.draft.routes
        targets = {route.path: route.name for route in routes if set(route.methods) & _FORM_METHODS}
        grouped = {
            name
            for route in routes
            if (path := _form_of(route.path)) is not None and (name := targets.get(path)) is not None
        }
        for place, route in enumerate(routes):
            sent_to = targets.get(_form_of(route.path) or "") or (route.name if route.name in grouped else "")
            if sent_to and not route.group:
                routes[place] = replace(route, group=sent_to)

    def _endpoint(self, found: Found, total: int) -> None:
        endpoint, path = found.endpoint, found.path
        methods = tuple(method for method in _KNOWN if endpoint.methods[method])
        reads = any(method in SAFE_METHODS for method in methods)
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
        self._say(f"{path}: ?{page}= selects its pages; methods and visitors of each are not known")
        for value, times in pages(endpoint, page).most_common():
            if not has_effects(f"/{value}", None):
                note = f"{_several(times, 'request')}, {times / max(1, total):.1%} of all"
                called = value if page in _MEANINGLESS else f"{page}-{value}"
                self._add(
                    path, (), query=(page, value), mirrored=mirrored, notes=(note,), called=called,
                    group=self._group_of(path),
                )  # fmt: skip

        if endpoint.requests > endpoint.queries[page]:
            # a form may say in its body what it wants: it belongs to the pages that it is on
            without = endpoint.requests - endpoint.queries[page]
            note = f"{_several(without, 'request')} without ?{page}="
            # no methods: a route with any would be as particular as the pages' own
            self._add(path, (), mirrored=mirrored, notes=(note,), group=self._group_of(path))

    def _group_of(self, path: str) -> str:
        """Return one group for the pages of a script: which of them is a form, and what its target is, is unknown."""
        return "-".join(_name_words(path)) or "home"

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
        group: str = "",
    ) -> None:
        name = self._name(called or path)
        known = _listed(methods)
        other = modern if modern != path else None
        self.draft.routes.append(DraftRoute(name, path, known, query, other, mirrored, tuple(notes), group))

    def _name(self, path: str) -> str:
        name = "-".join(_name_words(path))[:60].strip("-") or "home"
        self._names[name] += 1
        times = self._names[name]
        return name if times == 1 else self._name(f"{name}-{times}")

    def _say(self, sentence: str) -> None:
        self.draft.undecided.append(sentence)


def _without_rare(found: Sequence[Found], total: int) -> tuple[list[Found], dict[str, list[Found]]]:
    """Return the endpoints worth a route; and by folder those that are hardly asked for, where there are many."""
    few = max(_FEW, _RARE * total)
    folders: dict[str, list[Found]] = {}
    for one in found:
        first = one.segments[0]
        if first is not None and len(one.segments) > 1 and one.endpoint.requests < few:
            folders.setdefault(first, []).append(one)
    folded = {folder: ones for folder, ones in folders.items() if len(ones) >= _MANY_RARE}
    gone = {id(one) for ones in folded.values() for one in ones}
    return [one for one in found if id(one) not in gone], folded


def _form_of(path: str) -> str | None:
    """Return the target of the form at this path, by the convention of most frameworks: `/users/new` to `/users`."""
    before, _, last = path.rpartition("/")
    return before if before and last in _FORMS else None


def _name_words(path: str) -> list[str]:
    """Return the base of a route's name: `users` for the list, `user` for one of them."""
    kept: list[str] = []
    for part in path.strip("/").split("/"):
        word = re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")
        if part.startswith("{") and kept:
            kept[-1] = singular(kept[-1])
        elif word and word != "api" and not re.fullmatch(r"v\d+", word):
            kept.append(word)
    return kept


def _listed(methods: Iterable[str]) -> tuple[str, ...]:
    """Return methods as a route lists them: HEAD follows GET."""
    known = tuple(methods)
    return tuple(method for method in known if method != "HEAD" or "GET" not in known)


def _hints(hint: Hint, path: str, methods: Sequence[str]) -> Iterator[str]:
    """Return how to split one page from a route that has them all: with its methods, or both would match the same."""
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
