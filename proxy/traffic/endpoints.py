"""Finds endpoints behind recorded paths.

A segment that reads like an id is folded at once. Where a node of the tree has many different children, each of them
rare, they are data too (slugs, user names), folded when the tree has grown or at the end; what was folded by numbers
alone is reported, because numbers can mislead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote, unquote_plus

from proxy.traffic.reader import Recorded
from rules.guard.window import Tally
from rules.model import SAFE_METHODS
from rules.routing.mirroring import is_datum, singular

# Splits the path of a recorded request as a route would.


STATIC: Final = frozenset(
    {
        "avif", "bmp", "css", "eot", "gif", "ico", "jpeg", "jpg", "js", "map", "mjs", "mp4", "otf", "png", "svg", "ttf",
        "txt", "webm", "webmanifest", "webp", "woff", "woff2",
    }
)  # fmt: skip
_ODD: Final = re.compile(r"[\x00-\x20\x7f%?#;\\{}*]|//|/\.\.?(?:/|$)")


def is_static(path: str) -> bool:
    """Whether a path names a file that a web server serves as a static file."""
    return path.rpartition(".")[2].lower() in STATIC


def segments_of(path: str) -> tuple[str, ...] | None:
    """Split a path as a route would match it; None for a spelling that no route may name."""
    if "%" in path:
        path = unquote(path, errors="surrogateescape")
    if not path.startswith("/") or _ODD.search(path) or not path.isprintable():
        return None
    return tuple(path[1:].split("/"))


def name_for(segments: tuple[str | None, ...]) -> str:
    """Return the name of the variable after these segments: `users` → `user`; `id` when they name nothing."""
    before = next((segment for segment in reversed(segments) if segment is not None), "")
    word = re.sub(r"[^a-z0-9]+", "_", before.rpartition(".")[0].lower() or before.lower()).strip("_")
    return singular(word) if word and word[0].isalpha() else "id"


# Adds up what is known of one endpoint's recorded requests.


def _decoded(text: str) -> str:
    """Return a part of a query as routes compare it."""
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text


VISITORS_AT_MOST: Final = 10_000
EXAMPLES: Final = 3
QUERY_NAMES_AT_MOST: Final = 40
VALUES_AT_MOST: Final = 60
_SERVER_ERROR: Final = 500
_MISSING: Final = frozenset({404, 410})
_REDIRECTS: Final = range(300, 400)


class Endpoint:
    """Requests of one path pattern; grows with `add_request`, everything in it has a bound.

    `visitors` holds keyed marks of distinct visitors up to a limit, `values` the values of each query
    parameter that has few.
    """

    __slots__ = (
        "errors",
        "examples",
        "methods",
        "missing",
        "queries",
        "redirects",
        "requests",
        "times",
        "values",
        "visitors",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.redirects = 0
        self.missing = 0
        self.methods: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()
        self.values: dict[str, Counter[str] | None] = {}
        self.visitors: set[bytes] = set()
        self.examples: list[str] = []
        self.times = Tally()

    def add_request(self, recorded: Recorded) -> None:
        """Count one request."""
        self.requests += 1
        self.methods[recorded.method] += 1
        self.errors += recorded.status >= _SERVER_ERROR
        self.redirects += recorded.status in _REDIRECTS
        self.missing += recorded.status in _MISSING
        if recorded.seconds is not None and recorded.seconds >= 0:
            self.times.count_response(recorded.seconds)
        who = recorded.user or recorded.visitor
        if who and len(self.visitors) < VISITORS_AT_MOST:
            self.visitors.add(blake2b(who.encode(errors="surrogateescape"), digest_size=8).digest())
        path, _, query = recorded.target.partition("?")
        if query:
            self._query(query)
        if len(self.examples) < EXAMPLES and path not in self.examples:
            self.examples.append(path)

    def merge(self, other: Endpoint) -> None:
        """Add everything that `other` counted."""
        self.requests += other.requests
        self.errors += other.errors
        self.redirects += other.redirects
        self.missing += other.missing
        self.methods += other.methods
        self.queries += other.queries
        self.times.merge(other.times)
        self.visitors |= other.visitors
        self.examples = [*self.examples, *other.examples][:EXAMPLES]
        for name, counts in other.values.items():
            mine = self.values.setdefault(name, Counter())
            if mine is not None and counts is not None:
                mine.update(counts)
            self._bound(name)

    @property
    def people(self) -> str:
        """Return the number of distinct visitors, up to the limit."""
        return f"{len(self.visitors)}{'+' if len(self.visitors) >= VISITORS_AT_MOST else ''}"

    def _query(self, query: str) -> None:
        for part in query.split("&")[:QUERY_NAMES_AT_MOST]:
            name, _, value = map(_decoded, part.partition("="))
            if name not in self.queries and len(self.queries) >= QUERY_NAMES_AT_MOST:
                continue
            self.queries[name] += 1
            counts = self.values.setdefault(name, Counter())
            if counts is not None:
                counts[value] += 1
                self._bound(name)

    def _bound(self, name: str) -> None:
        counts = self.values[name]
        if counts is not None and len(counts) > VALUES_AT_MOST:
            self.values[name] = None


CHILDREN_AT_MOST: Final = 400
"""Different segments in one node before the rare half of them is folded."""
MANY: Final = 20
RARE: Final = 0.05
DEEPEST: Final = 16

Segments = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One endpoint: a path with names for its data; `guessed` when only numbers suggest one of them."""

    segments: Segments
    endpoint: Endpoint
    guessed: bool

    @property
    def path(self) -> str:
        """The path as a route spells it: `/users/{user}/orders/{order}`."""
        parts: list[str] = []
        names: set[str] = set()
        for index, segment in enumerate(self.segments):
            if segment is not None:
                parts.append(segment)
                continue
            name = base = name_for(self.segments[:index])
            number = 2
            while name in names:
                name, number = f"{base}{number}", number + 1
            names.add(name)
            parts.append(f"{{{name}}}")
        return "/" + "/".join(parts)


class Node:
    """One node of the tree; grows with every request below it."""

    __slots__ = ("children", "data", "endpoint", "folded", "passed")

    def __init__(self) -> None:
        self.passed = 0
        self.children: dict[str, Node] = {}
        self.data: Node | None = None
        self.endpoint: Endpoint | None = None
        self.folded = False

    def fold(self, names: list[str]) -> None:
        """Fold these children into a variable."""
        data = self.data = self.data or Node()
        for name in names:
            data.merge(self.children.pop(name))
        self.folded = True

    def merge(self, other: Node) -> None:
        """Merge everything below `other`."""
        self.passed += other.passed
        self.folded = self.folded or other.folded
        if other.endpoint is not None:
            self.endpoint = self.endpoint or Endpoint()
            self.endpoint.merge(other.endpoint)
        if other.data is not None:
            self.data = self.data or Node()
            self.data.merge(other.data)
        for name, child in other.children.items():
            self.children.setdefault(name, Node()).merge(child)
        if len(self.children) > CHILDREN_AT_MOST:
            self.fold(sorted(self.children, key=lambda name: self.children[name].passed)[: CHILDREN_AT_MOST // 2])


class Endpoints:
    """The endpoints found in traffic. `static` are files, `odd` paths no route could name; both stay with legacy."""

    def __init__(self) -> None:
        self.requests = 0
        self.static = Endpoint()
        self.odd = Endpoint()
        self._root = Node()

    def add_request(self, recorded: Recorded) -> None:
        """Count one request."""
        self.requests += 1
        path = recorded.target.partition("?")[0]
        if is_static(path):
            self.static.add_request(recorded)
            return
        segments = segments_of(path)
        if segments is None or len(segments) > DEEPEST:
            self.odd.add_request(recorded)
            return
        node = self._root
        node.passed += 1
        for segment in segments:
            node = self._below(node, segment)
            node.passed += 1
        node.endpoint = node.endpoint or Endpoint()
        node.endpoint.add_request(recorded)

    def found(self) -> list[Found]:
        """Every endpoint, the busiest first."""
        _fold_rare(self._root)
        return sorted(_walk(self._root, (), guessed=False), key=lambda one: (-one.endpoint.requests, one.path))

    def _below(self, node: Node, segment: str) -> Node:
        if segment and is_datum(segment):
            node.data = node.data or Node()
            return node.data
        child = node.children.get(segment)
        if child is None:
            if len(node.children) >= CHILDREN_AT_MOST:
                names = sorted(node.children, key=lambda name: node.children[name].passed)
                node.fold(names[: CHILDREN_AT_MOST // 2])
            child = node.children[segment] = Node()
        return child


TITLES: Final = 5
"""So many titles in one place are data, however busy each is."""
_TITLE: Final = re.compile(r"[A-Z\u0080-\U0010ffff][^/]*|[A-Za-z]+:[^/]+")
_NO_TITLE: Final = re.compile(r"Special:|[A-Z0-9_-]+$")
"""A page of a wiki that does something; a constant."""


def _is_title(name: str, child: Node) -> bool:
    """Whether a segment reads like the title of a page that is only read, and leads on to nothing."""
    if child.children or child.data is not None or child.endpoint is None:
        return False
    reads = SAFE_METHODS.issuperset(child.endpoint.methods)
    return reads and _TITLE.fullmatch(name) is not None and _NO_TITLE.match(name) is None


def _fold_titles(node: Node) -> None:
    """Fold the pages of a wiki: a word in small letters may be a function of the application, a title is not."""
    titles = [name for name, child in node.children.items() if _is_title(name, child)]
    if len(titles) >= TITLES:
        was_folded = node.folded
        node.fold(titles)
        node.folded = was_folded


def _fold_rare(node: Node) -> None:
    """Fold what is many, rare, alike: children that all lead on in the same way; and titles."""
    _fold_titles(node)
    rare = [name for name, child in node.children.items() if name and child.passed < max(2.0, RARE * node.passed)]
    shapes = {frozenset(node.children[name].children) for name in rare}
    if len(rare) >= MANY and len(shapes) <= max(1, len(rare) // MANY):
        node.fold(rare)
    for child in (*node.children.values(), *((node.data,) if node.data is not None else ())):
        _fold_rare(child)


def _walk(node: Node, segments: Segments, *, guessed: bool) -> Iterator[Found]:
    if node.endpoint is not None:
        yield Found(segments, node.endpoint, guessed)
    for name, child in node.children.items():
        yield from _walk(child, (*segments, name), guessed=guessed)
    if node.data is not None:
        yield from _walk(node.data, (*segments, None), guessed=guessed or node.folded)


# Finds the pages of an application that has one script for all: `index.php?r=catalog/view`.


_NAMES: Final = ("r", "route", "page", "action", "act", "do", "module", "controller", "option", "p", "q", "view")
_SEARCHES: Final = frozenset({"q"})
"""What most call the words that are searched for; a page's name there is a path: `?q=node/add`."""
_PRESENTATION: Final = frozenset(
    {
        "asc", "by", "currency", "dir", "direction", "format", "hl", "lang", "language", "limit", "locale", "only",
        "order", "orderby", "per_page", "ref", "size", "sort", "style", "tab", "theme", "type",
        "utm_campaign", "utm_medium", "utm_source",
    }
)  # fmt: skip
"""Parameters that choose how something is shown, not what, though their values are few words."""
_DEEDS: Final = frozenset(
    {
        "account", "add", "admin", "backlink", "cart", "checkout", "create", "delete", "diff", "download", "edit",
        "export", "history", "index", "info", "list", "login", "logout", "media", "new", "preview", "print", "profile",
        "purge", "raw", "recent", "register", "render", "revisions", "save", "search", "show", "source", "submit",
        "unwatch", "update", "upload", "view", "watch",
    }
)  # fmt: skip
_VALUE: Final = re.compile(r"[A-Za-z][\w./%-]{0,80}")
_SCRIPT: Final = re.compile(r"(?:.*/)?(?:[\w-]+\.(?:php\d?|phtml|cgi|pl|aspx?|jsp|do))?")
_NEARLY_ALWAYS: Final = 0.8
_WORDS: Final = 0.95
"""Share of a parameter's values that must read like names: scanners send anything."""
_ALONE: Final = 0.5
_SELDOM: Final = 0.03
_FEW: Final = 40
_TWO: Final = 2
_AGAIN: Final = 5
"""How often a value is repeated on average, where the values are pages."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A parameter that probably chooses the page: its values, busiest first; the share of requests that have it."""

    name: str
    values: tuple[tuple[str, int], ...]
    share: float


def dispatcher(endpoint: Endpoint) -> str | None:
    """The query parameter that chooses the page, None where there is no such.

    It has a usual name, is nearly always present, has several but few values, and they read
    like names.
    """
    for name in _NAMES:
        words = pages(endpoint, name)
        if name in _SEARCHES and not all("/" in value for value in words):
            continue
        if len(words) >= _TWO and words.total() >= _NEARLY_ALWAYS * _WORDS * endpoint.requests:
            return name
    return None


def pages(endpoint: Endpoint, name: str) -> Counter[str]:
    """Return a parameter's values where they read like names; empty where they do not."""
    counts = endpoint.values.get(name) or Counter()
    words = Counter({value: count for value, count in counts.items() if _VALUE.fullmatch(value)})
    return words if words.total() >= _WORDS * counts.total() else Counter()


def hinted(endpoint: Endpoint, path: str, total: int) -> Hint | None:
    """Return the score by numbers alone of a parameter with an unusual name, or one that is not always present.

    Only a script, or a path that takes most of the traffic, is considered: elsewhere `?view=list` chooses nothing that
    could move by itself.
    """
    if not _SCRIPT.fullmatch(path) and endpoint.requests < _ALONE * total:
        return None
    likely = {name: found for name in endpoint.values if (found := _likeliness(endpoint, name))}
    if not likely:
        return None
    name = max(likely, key=lambda name: (likely[name], pages(endpoint, name).total()))
    words = pages(endpoint, name)
    return Hint(name, tuple(words.most_common()), words.total() / endpoint.requests)


def _likeliness(endpoint: Endpoint, name: str) -> int:
    """0 for no; more where the values are verbs, then where the name is a usual one."""
    words = pages(endpoint, name)
    share = words.total() / max(1, endpoint.requests)
    if name.lower() in _PRESENTATION or not _TWO <= len(words) <= _FEW or share < _SELDOM:
        return 0
    deeds = sum(value.lower() in _DEEDS for value in words)
    if deeds >= _TWO and deeds * 3 >= len(words):
        return 3
    if words.total() < _AGAIN * len(words):
        return 0
    return 2 if name.lower() in _NAMES else int(share >= _NEARLY_ALWAYS)
