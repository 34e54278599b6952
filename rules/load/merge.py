"""What is written under `defaults`, laid beneath every route, before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHORT = {"legacy": "backend", "modern": "backend", "fallback": "mode"}
BESIDE = (("weight", "steps"), ("group", "salt"), ("form_to_json", "json_to_form"))


def spelled_out(section: Any) -> Any:
    """Return a route (or the defaults) with `legacy: NAME` and `fallback: MODE` as the mappings they stand for."""
    if not isinstance(section, dict) or not any(isinstance(section.get(key), str) for key in SHORT):
        return section
    return {
        key: {SHORT[key]: value} if key in SHORT and isinstance(value, str) else value for key, value in section.items()
    }


def merged(defaults: Mapping[Any, Any], own: Any) -> Any:
    """Return a route over the defaults: mappings are merged key by key, everything else replaces."""
    if not isinstance(own, dict):
        return own
    result = {key: value for key, value in defaults.items() if not _ruled_out(key, own)}
    for key, value in own.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = merged(below, value) if both and below else value
    return result


def _ruled_out(key: Any, own: Mapping[Any, Any]) -> bool:
    """Whether a default gives way because the route writes the key that stands in its place."""
    return any(
        (key == first and second in own and first not in own) or (key == second and first in own and second not in own)
        for first, second in BESIDE
    )
