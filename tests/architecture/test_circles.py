"""No two files import each other in a circle, type-only imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.architecture.source import ROOMS, Module, modules

DEBT: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "proxy.worker.client_connection",
            "proxy.worker.client_transport",
            "proxy.worker.fault_injection",
            "proxy.worker.forwarding",
            "proxy.worker.handshake",
            "proxy.worker.request_state",
            "proxy.worker.response_relay",
            "proxy.worker.route_decision",
            "proxy.worker.server",
            "proxy.worker.shadow.admission",
            "proxy.worker.shadow.conflicts",
            "proxy.worker.shadow.live_response",
            "proxy.worker.shadow.mirrored_request",
            "proxy.worker.shadow.observers",
            "proxy.worker.shadow.pair_sender",
            "proxy.worker.shadow.rechecks",
            "proxy.worker.shadow.sender",
        }
    ),
)
"""Circles that are still there, each a set of modules. A circle that is opened leaves the list."""


def test_no_files_import_each_other_in_a_circle():
    known = {module.name: module for module in modules(*ROOMS)}
    graph = {name: frozenset(_imported(module, known)) - {name} for name, module in known.items()}

    circles = {circle for circle in _components(graph) if len(circle) > 1}

    assert circles == set(DEBT)


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
    reached = {name: _reach(graph, name) for name in graph}
    done: set[str] = set()
    for name in graph:
        if name not in done:
            part = frozenset({name, *(other for other in reached[name] if name in reached[other])})
            done |= part
            yield part


def _reach(graph: Mapping[str, frozenset[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for name in graph[ahead.pop()] - seen:
            seen.add(name)
            ahead.append(name)
    return seen
