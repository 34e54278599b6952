"""Text to a checked Snapshot, or to every problem with its line and column.

1. `document` reads YAML under a guard, puts `${NAME}` in; `overlay` lays `STRANGLER_…` variables over it.
2. `merge` lays the defaults beneath every route.
3. `written` checks each value; `messages` says what it found in an operator's words.
4. `rules.checks` looks across fields and routes.
5. `build` makes the frozen words.

The one place for PyYAML and pydantic; a worker process imports `rules` without it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from rules.load.loading import load, load_with_warnings
from rules.load.schema import json_schema
from rules.load.settings import Setting, effective

__all__ = ["Setting", "effective", "json_schema", "load", "load_with_warnings"]


class _CallableModule(ModuleType):
    """`rules.load` is a function and the folder it lives in: importing the folder must not hide the function."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Load, as `rules.load.load` does."""
        return load(*arguments, **named)


sys.modules[__name__].__class__ = _CallableModule
