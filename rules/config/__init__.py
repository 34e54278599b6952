"""Text to a checked Snapshot, or to every problem with its line and column.

1. `yaml_document` reads YAML strictly and substitutes `${NAME}`.
2. `loader` applies `STRANGLER_…` variables on top and the defaults below every route.
3. `schema` checks each value and reports mistakes in an operator's words.
4. `file_checks` and `route_checks` check across fields and routes.
5. `build` builds the frozen values.

The only package that imports PyYAML and pydantic; a worker process imports `rules` without it.
"""

from __future__ import annotations

from rules.config.effective_settings import Setting, effective, json_schema
from rules.config.loader import load, load_with_warnings

__all__ = ["Setting", "effective", "json_schema", "load", "load_with_warnings"]
