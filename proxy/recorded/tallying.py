"""Adds up what is known of one endpoint's recorded requests."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import Final

from proxy.recorded.request import Recorded
from rules.guard.window import Tally

VISITORS_AT_MOST: Final = 10_000
EXAMPLES: Final = 3
QUERY_NAMES_AT_MOST: Final = 40
VALUES_AT_MOST: Final = 60
_SERVER_ERROR: Final = 500
_REDIRECTS: Final = range(300, 400)


class Endpoint:
    """Requests of one path pattern; grows with `add`, everything in it has a bound.

    `visitors` holds keyed marks of distinct people until there are too many, `values` the values of each query
    parameter that has few.
    """

    __slots__ = ("errors", "examples", "methods", "queries", "redirects", "requests", "times", "values", "visitors")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.redirects = 0
        self.methods: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()
        self.values: dict[str, Counter[str] | None] = {}
        self.visitors: set[bytes] = set()
        self.examples: list[str] = []
        self.times = Tally()

    def add(self, recorded: Recorded) -> None:
        """Count one request."""
        self.requests += 1
        self.methods[recorded.method] += 1
        self.errors += recorded.status >= _SERVER_ERROR
        self.redirects += recorded.status in _REDIRECTS
        if recorded.seconds is not None and recorded.seconds >= 0:
            self.times.add(recorded.seconds)
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
        """How many distinct visitors there were, as far as was counted."""
        return f"{len(self.visitors)}{'+' if len(self.visitors) >= VISITORS_AT_MOST else ''}"

    def _query(self, query: str) -> None:
        for part in query.split("&")[:QUERY_NAMES_AT_MOST]:
            name, _, value = part.partition("=")
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
