"""Text to a checked Snapshot, or to every problem with its line and column.

1. `yaml_document` reads YAML under a guard, puts `${NAME}` in.
2. `loader` lays `STRANGLER_…` variables over it and the defaults beneath every route.
3. `schema` checks each value and says what it found in an operator's words.
4. `file_checks` and `route_checks` look across fields and routes.
5. `build` makes the frozen values.

The one place for PyYAML and pydantic; a worker process imports `rules` without it.
"""

from __future__ import annotations

from rules.config.effective_settings import Setting, effective, json_schema
from rules.config.loader import load, load_with_warnings

__all__ = ["Setting", "effective", "json_schema", "load", "load_with_warnings"]
