"""Keys that stand in each other's place: one of them may be written, not both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.load.document import Path
from rules.problems import Finding


def beside(data: Any) -> Iterator[Finding]:
    """Find pairs of keys that exclude each other, lists of steps without a step, backends without a url."""
    backends, routes = _member(data, "backends"), _member(data, "routes")
    for name, backend in backends.items() if isinstance(backends, dict) else ():
        yield from _backend(("backends", name), backend)
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        yield from _route(("routes", index), route)


def _backend(path: Path, backend: Any) -> Iterator[Finding]:
    if not isinstance(backend, dict):
        return
    yield from _pair(path, backend, "url", "urls", "keep one of them")
    if "url" not in backend and not backend.get("urls"):
        yield Finding(path, "a backend needs a `url`", 'such as url: "http://127.0.0.1:8000"', at_key=True)


def _route(path: Path, route: Any) -> Iterator[Finding]:
    rollout = _member(route, "rollout")
    both = "keep one of them; the steps say the weights"
    yield from _pair((*path, "rollout"), rollout, "weight", "steps", both)
    both = "keep one of them; both say what is hashed with the user"
    yield from _pair((*path, "rollout"), rollout, "group", "salt", both)
    if _member(rollout, "steps") == []:
        steps = (*path, "rollout", "steps")
        yield Finding(steps, "`steps` without a step", "write a step or a `weight`", at_key=True)
    for side in ("legacy", "modern"):
        body = _member(_member(route, side), "body")
        if _member(body, "form_to_json") is True and _member(body, "json_to_form") is True:
            yield from _pair((*path, side, "body"), body, "form_to_json", "json_to_form", "keep one of them")


def _pair(path: Path, section: Any, first: str, second: str, hint: str) -> Iterator[Finding]:
    if isinstance(section, dict) and first in section and second in section:
        yield Finding((*path, second), f"`{second}` beside `{first}`", hint, at_key=True)


def _member(section: Any, key: str) -> Any:
    return section.get(key) if isinstance(section, dict) else None
