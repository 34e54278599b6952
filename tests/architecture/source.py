"""Reads the source of the tree as syntax trees: imports, docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = "rules.secret_names"
"""The one list of secret names: what is a secret's for the rules is one for the comparators, which import it."""
ROOMS = ("rules", "comparators", "dashboards", "proxy")
PURE = ("rules", "comparators", "dashboards")


@dataclass(frozen=True)
class Module:
    """One source file; `name` is dotted, `imports` are the modules it names anywhere, also inside functions."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    imports: frozenset[str]

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


@cache
def modules(*rooms: str) -> tuple[Module, ...]:
    """Every module of these rooms."""
    return tuple(_module(path) for room in rooms for path in sorted((ROOT / room).rglob("*.py")))


@cache
def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text()
    tree = ast.parse(text)
    return Module(name, path.relative_to(ROOT), text, tree, frozenset(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[str]:
    typing_only = {id(inner) for node in ast.walk(tree) if _is_typing_guard(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_typing_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def touches(module: Module, *prefixes: str) -> list[str]:
    """What `module` imports of these packages."""
    return sorted(
        name for name in module.imports if any(name == each or name.startswith(f"{each}.") for each in prefixes)
    )
