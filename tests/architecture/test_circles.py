"""No two files import each other in a circle, type-only imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from tests.architecture.source import ROOMS, Module, modules


def test_no_files_import_each_other_in_a_circle():
    known = {module.name: module for module in modules(*ROOMS)}
    graph = {name: frozenset(_imported(module, known)) - {name} for name, module in known.items()}

    circles = {circle for circle in _components(graph) if len(circle) > 1}

    assert circles == set()


def test_a_circle_is_found():
    graph = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"}), "d": frozenset({"a"})}

    assert {circle for circle in _components(graph) if len(circle) > 1} == {frozenset({"b", "c"})}


def _imported(module: Module, known: Mapping[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner
                elif node.module in known:
                    yield node.module


def _components(graph: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    """Yield the strongly connected parts: nodes that reach each other."""
    into: dict[str, set[str]] = {name: set() for name in graph}
    for name, nexts in graph.items():
        for other in nexts:
            into[other].add(name)
    done: set[str] = set()
    for name in graph:
        if name not in done:
            part = _reach(graph, name) & _reach(into, name) | {name}
            done |= part
            yield frozenset(part)


def _reach(graph: Mapping[str, AbstractSet[str]], start: str) -> set[str]:
    """Return what can be reached from `start` by one step or more."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        fresh = graph[ahead.pop()] - seen
        seen |= fresh
        ahead += fresh
    return seen
