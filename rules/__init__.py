"""Where should this request go, and is the new side behaving? Values in, values out.

Reading a file needs PyYAML and pydantic; it is imported when `load` is first asked for, so that a process
that only decides stays small.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rules.bucket import admits, bucket
from rules.decide import decide, generation
from rules.explain import Explanation, explain
from rules.match import Lane, Table, compile_table, effective_weight
from rules.model import (
    DEFAULT_ROUTE,
    LEGACY,
    MODERN,
    Backend,
    Decision,
    Facts,
    Generation,
    Override,
    Route,
    SidePolicy,
    Snapshot,
)
from rules.problems import ConfigError, Problem

if TYPE_CHECKING:
    from rules.load import effective, json_schema, load, load_with_warnings

_ON_DEMAND = {
    "effective": "settings",
    "json_schema": "schema",
    "load": "loading",
    "load_with_warnings": "loading",
}

__all__ = [
    "DEFAULT_ROUTE",
    "LEGACY",
    "MODERN",
    "Backend",
    "ConfigError",
    "Decision",
    "Explanation",
    "Facts",
    "Generation",
    "Lane",
    "Override",
    "Problem",
    "Route",
    "SidePolicy",
    "Snapshot",
    "Table",
    "admits",
    "bucket",
    "compile_table",
    "decide",
    "effective",
    "effective_weight",
    "explain",
    "generation",
    "json_schema",
    "load",
    "load_with_warnings",
]


def __getattr__(name: str) -> Any:
    """Import what reads files, once."""
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for one, module in _ON_DEMAND.items():
        globals()[one] = getattr(import_module(f"rules.load.{module}"), one)
    return globals()[name]
