"""Text to a checked Snapshot, or to every problem with its line and column.

1. `document` reads YAML under a guard, puts `${NAME}` in; `overlay` lays `STRANGLER_…` variables over it.
2. `merge` lays the defaults beneath every route.
3. `written` checks each value; `messages` says what it found in an operator's words.
4. `rules.config` looks across fields and routes.
5. `build` makes the frozen words.

The one place for PyYAML and pydantic; a worker process imports `rules` without it.
"""

from __future__ import annotations

from rules.config.effective_settings import Setting, effective, json_schema
from rules.config.loader import load, load_with_warnings

__all__ = ["Setting", "effective", "json_schema", "load", "load_with_warnings"]
