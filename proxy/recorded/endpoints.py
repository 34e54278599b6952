"""Finds the endpoints behind recorded paths: a tree of segments whose data fold into names.

A segment that reads like an id folds at once. Where a place in the tree has many different children, each of them
rare, they are data too (slugs, user names), folded when the tree has grown or in the end; what was folded by numbers
alone is told, because numbers can mislead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.recorded.request import Recorded
from proxy.recorded.shapes import is_datum, is_static, name_for, segments_of
from proxy.recorded.tallying import Endpoint

CHILDREN_AT_MOST: Final = 400
"""Different segments in one place before the rare half of them is folded."""
MANY: Final = 20
RARE: Final = 0.05
DEEPEST: Final = 16

Segments = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One endpoint: a path with names for its data; `guessed` when only numbers spoke for one of them."""

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
    """One place in the tree; grows with every request that passes."""

    __slots__ = ("children", "data", "endpoint", "folded", "passed")

    def __init__(self) -> None:
        self.passed = 0
        self.children: dict[str, Node] = {}
        self.data: Node | None = None
        self.endpoint: Endpoint | None = None
        self.folded = False

    def fold(self, names: list[str]) -> None:
        """Make data of these children."""
        data = self.data = self.data or Node()
        for name in names:
            data.merge(self.children.pop(name))
        self.folded = True

    def merge(self, other: Node) -> None:
        """Take over everything below `other`."""
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
    """What traffic looks like. `static` are files, `odd` paths no route could name; both stay with legacy."""

    def __init__(self) -> None:
        self.requests = 0
        self.static = Endpoint()
        self.odd = Endpoint()
        self._root = Node()

    def add(self, recorded: Recorded) -> None:
        """Count one request."""
        self.requests += 1
        path = recorded.target.partition("?")[0]
        if is_static(path):
            self.static.add(recorded)
            return
        segments = segments_of(path)
        if segments is None or len(segments) > DEEPEST:
            self.odd.add(recorded)
            return
        node = self._root
        node.passed += 1
        for segment in segments:
            node = self._below(node, segment)
            node.passed += 1
        node.endpoint = node.endpoint or Endpoint()
        node.endpoint.add(recorded)

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


def _fold_rare(node: Node) -> None:
    """Fold what is many, rare, alike: children that all lead on in the same way."""
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
