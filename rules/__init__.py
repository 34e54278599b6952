"""Where should this request go, and is the new side behaving? Values in, values out.

Reading a file needs PyYAML and pydantic; both are imported when `load` is first used, so that a process
that only decides stays small.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Backend, Decision, Facts, Override, Route, SidePolicy, Snapshot
from rules.problems import ConfigError, Problem
from rules.routing.bucketing import admits, bucket
from rules.routing.compiled_route import CompiledRoute, effective_weight
from rules.routing.decide import Generation, decide, generation
from rules.routing.explain import Explanation, explain
from rules.routing.route_table import Table, compile_table

if TYPE_CHECKING:
    from rules.config import effective, json_schema, load, load_with_warnings

_ON_DEMAND = {
    "effective": "effective_settings",
    "json_schema": "effective_settings",
    "load": "loader",
    "load_with_warnings": "loader",
}

__all__ = [
    "DEFAULT_ROUTE",
    "LEGACY",
    "MODERN",
    "Backend",
    "CompiledRoute",
    "ConfigError",
    "Decision",
    "Explanation",
    "Facts",
    "Generation",
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
        globals()[one] = getattr(import_module(f"rules.config.{module}"), one)
    return globals()[name]
