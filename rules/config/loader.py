"""Read, overlay, merge, check, build; every problem at once."""

from __future__ import annotations

import copy
import gc
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import yaml
from pydantic import ValidationError

from rules.config import build, file_checks, route_checks, schema
from rules.config.schema import findings
from rules.config.yaml_document import Document, Path, read
from rules.masking import Masking
from rules.model import Snapshot
from rules.problems import ERROR, ConfigError, Finding, Problem

# What is written under `defaults`, merged into every route before anything is checked.


SHORT = {"legacy": "backend", "modern": "backend", "fallback": "mode"}
BESIDE = (("weight", "steps"), ("group", "salt"), ("form_to_json", "json_to_form"))


def spelled_out(section: Any) -> Any:
    """Return a route (or the defaults) with `legacy: NAME` and `fallback: MODE` as the mappings they are short for."""
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
    """Whether a default is dropped because the route sets the key that excludes it."""
    return any(
        (key == first and second in own and first not in own) or (key == second and first in own and second not in own)
        for first, second in BESIDE
    )


# Findings at paths to problems at lines, in the order of the file.


MOST_PROBLEMS = 1000
"""Problems that are reported with their place, errors first; of the others only how many there are."""


def placed(document: Document, found: Iterable[Finding]) -> tuple[Problem, ...]:
    """Return all problems of a document, sorted; what the YAML reader has reported at a place is not reported again."""
    problems = list(document.problems)
    taken = {(one.file, one.line, one.column) for one in problems}
    shown = sorted(found, key=lambda one: one.level != ERROR)
    for one in shown[:MOST_PROBLEMS]:
        place = place_of(document, one.path, at_key=one.at_key)
        if place not in taken:
            problems.append(Problem(*place, one.message, one.hint, one.level))
    if len(shown) > MOST_PROBLEMS:
        level = shown[MOST_PROBLEMS].level
        problems.append(Problem(document.source, 1, 1, f"{len(shown) - MOST_PROBLEMS} more problems", level=level))
    masking = Masking(document.secrets())
    unique = dict.fromkeys(
        replace(one, message=masking.text(one.message), hint=masking.text(one.hint)) for one in problems
    )
    return tuple(
        sorted(unique, key=lambda one: (one.file != document.source, one.line, one.column, one.level != ERROR))
    )


def place_of(document: Document, path: Path, *, at_key: bool = False) -> tuple[str, int, int]:
    """Return the position of a path: in its route, else under the defaults it was taken from."""
    default = _beneath(path)
    if default is not None and _stops_short(document, path):
        own, beneath = len(list(document.nodes(path))), len(list(document.nodes(default)))
        if beneath > own - 1:
            return document.place(default, key=at_key)
    return document.place(path, key=at_key)


def source_of(document: Document, path: Path) -> Path | None:
    """Return the path under which a value is written (of its route, of the defaults), None if nowhere."""
    default = _beneath(path)
    for place in (path, default) if default is not None else (path,):
        nodes = list(document.nodes(place))
        short = bool(nodes) and len(nodes) == len(place) and isinstance(nodes[-1], yaml.ScalarNode)
        overlaid = any(place[:length] in document.overlaid for length in range(1, len(place) + 1))
        if len(nodes) == len(place) + 1 or overlaid or (short and place[-1] in SHORT.values()):
            return place
    return None


def _beneath(path: Path) -> Path | None:
    """Return the position of a route's value under the defaults."""
    return ("defaults", *path[2:]) if path[:1] == ("routes",) and len(path) > 2 else None  # noqa: PLR2004


def _stops_short(document: Document, path: Path) -> bool:
    """Whether the file has only the first part of the path, and no value there."""
    nodes = list(document.nodes(path))
    return len(nodes) <= len(path) and not isinstance(nodes[-1], yaml.ScalarNode)


# Removes the wrong parts of a file, so that the rest is still checked.


_UNKNOWN_KEY = "extra_forbidden"


def salvaged(data: Mapping[Any, Any], found: Iterable[Finding]) -> tuple[dict[Any, Any], list[int], frozenset[str]]:
    """Return the sound parts, the indexes of the routes among them, the names of sections left out.

    An unknown key is removed from its route; a route, backend or section with any other mistake is removed whole.
    """
    left = dict(data)
    lost: set[str] = set()
    by_route: dict[int, list[Finding]] = defaultdict(list)
    for one in found:
        section, *rest = one.path or ("",)
        if section == "routes" and rest and isinstance(rest[0], int):
            by_route[rest[0]].append(one)
        elif section == "backends" and rest:
            left["backends"] = {name: value for name, value in left["backends"].items() if name != rest[0]}
        elif section == "defaults":
            left["defaults"] = _names_only(data.get("defaults"))
        elif isinstance(section, str):
            left.pop(section, None)
            lost.add(section)
    if "backends" not in left:
        left["backends"] = {}
        lost.add("backends")
    routes = data.get("routes")
    indexes: list[int] = []
    kept: list[Any] = []
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        wrong = by_route.get(index, [])
        if all(one.kind == _UNKNOWN_KEY for one in wrong):
            indexes.append(index)
            kept.append(_without(route, wrong))
    left["routes"] = kept
    return left, indexes, frozenset(lost)


def _names_only(defaults: Any) -> dict[str, Any]:
    """Keep which backends the sides have by default; any other mistake there is reported for the routes too."""
    if not isinstance(defaults, dict):
        return {}
    sides = {side: defaults.get(side) for side in ("legacy", "modern")}
    return {
        side: {"backend": value["backend"]}
        for side, value in sides.items()
        if isinstance(value, dict) and isinstance(value.get("backend"), str)
    }


def _without(route: Any, unknown: Iterable[Finding]) -> Any:
    unknown = list(unknown)
    if not unknown:
        return route
    route = copy.deepcopy(route)
    for one in unknown:
        owner = route
        for part in one.path[2:-1]:
            owner = owner[part]
        owner.pop(one.path[-1], None)
    return route


# Keys that exclude each other: one of them may be written, not both.


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


# `STRANGLER_SECTION__KEY` variables override a file's process settings.


PREFIX = "STRANGLER_"
SECTIONS = ("listen", "admin", "store", "backends", "diffs")


def lay_over(document: Document, environ: Mapping[str, str]) -> None:
    """Apply every overriding variable to the document's data; a wrong one becomes a problem."""
    if not isinstance(document.data, dict):
        return
    for name in sorted(environ):
        levels = _levels(name)
        if not levels:
            continue
        if levels[0] not in SECTIONS:
            hint = f"only {', '.join(SECTIONS)} can be set by variables"
            document.problems.append(Problem(name, 1, 1, f"`{levels[0]}` is not a process setting", hint))
            continue
        _put(document, name, levels, environ[name])


def overrides(name: str) -> bool:
    """Whether a variable of this name is a process setting."""
    levels = _levels(name)
    return bool(levels) and levels[0] in SECTIONS


def _levels(name: str) -> list[str]:
    """Return the keys a variable names, none when it overrides nothing."""
    if not name.startswith(PREFIX):
        return []
    rest = name.removeprefix(PREFIX)
    if rest == "STORE":
        return ["store"]
    return [level.lower() for level in rest.split("__")] if "__" in rest else []


def _put(document: Document, name: str, levels: list[str], text: str) -> None:
    value = read(text, name, {})
    if value.problems:
        document.problems.extend(Problem(name, 1, 1, one.message, one.hint) for one in value.problems)
        return
    section: dict[Any, Any] = document.data
    path: list[str] = []
    for level in levels[:-1]:
        key = _existing(section, level)
        path.append(key)
        below = section.get(key)
        # Copied, because an alias may share the mapping with another place in the file.
        section[key] = dict(below) if isinstance(below, dict) else {}
        section = section[key]
    key = _existing(section, levels[-1])
    section[key] = value.data
    for replaced in _beside(path, key):
        section.pop(replaced, None)
    place: Path = (*path, key)
    document.overlaid[place] = name


def _existing(section: Mapping[Any, Any], level: str) -> str:
    """Return the key as the file spells it: variables have neither lower-case letters nor dashes."""
    for key in section:
        if isinstance(key, str) and key.lower().replace("-", "_") == level:
            return key
    return level


def _beside(path: list[str], key: str) -> Iterator[str]:
    """Yield the keys that a set one replaces."""
    if path[:1] == ["backends"]:
        yield from {"url": ["urls"], "urls": ["url"]}.get(key, [])


def load(text: str, source: str = "proxy.yaml", *, environ: Mapping[str, str] | None = None) -> Snapshot:
    """Return what a file intends; ConfigError carries every problem. `environ` None is the process's own."""
    return load_with_warnings(text, source, environ=environ)[0]


def load_with_warnings(
    text: str, source: str = "proxy.yaml", *, environ: Mapping[str, str] | None = None
) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Return what a file intends with the warnings about it; ConfigError carries every error and warning."""
    draft = drafted(text, source, os.environ if environ is None else environ)
    problems = placed(draft.document, draft.findings)
    if draft.snapshot is None or any(problem.level == ERROR for problem in problems):
        raise ConfigError(problems)
    return draft.snapshot, problems


@dataclass(frozen=True, slots=True)
class Draft:
    """A file while it is loaded: the document, its data merged with the defaults, problems, what could be built.

    `snapshot` lacks the wrong parts; it is complete only when there is no problem.
    """

    document: Document
    data: Any
    file: schema.File | None
    snapshot: Snapshot | None
    findings: tuple[Finding, ...]


def drafted(text: str, source: str, environ: Mapping[str, str], most_routes: int = 0) -> Draft:
    """Read and check as far as possible; a file of more than `most_routes` (0: any number) is not read."""
    with _collector_at_rest():
        return _drafted(text, source, environ, most_routes)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from walking a large file's values repeatedly: none of them is garbage.

    Two thousand routes load three times as fast.
    """
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if at_work:
            gc.enable()


def _drafted(text: str, source: str, environ: Mapping[str, str], most_routes: int) -> Draft:
    document = read(text, source, environ)
    routes = document.data.get("routes") if isinstance(document.data, dict) else None
    if most_routes and isinstance(routes, list) and len(routes) > most_routes:
        message = f"{len(routes)} routes are more than the {most_routes} that are looked at here"
        return Draft(document, None, None, None, (Finding(("routes",), message, "use `strangler check`", at_key=True),))
    lay_over(document, environ)
    data = _over_defaults(document.data)
    if document.root is None:
        return Draft(document, None, None, None, ())
    found = list(beside(data))
    file, wrong = _validated(data)
    found += wrong
    indexes, lost = list(range(len(file.routes) if file else 0)), frozenset[str]()
    if file is None and isinstance(data, dict):
        data, indexes, lost = salvaged(data, wrong)
        file, _ = _validated(data)
    if file is None:
        return Draft(document, data, None, None, tuple(found))
    snapshot = build.snapshot(file, source, _lines(document, indexes), _compares(data), document.secrets())
    plan = route_checks.Plan(
        snapshot, tuple(indexes), _backend_names(document.data), lost, document.from_environment, document.is_written
    )
    return Draft(document, data, file, snapshot, (*found, *file_checks.check(plan)))


def _over_defaults(data: Any) -> Any:
    """Merge the defaults into every route; what is neither a mapping nor a list is left to the type checks."""
    if not isinstance(data, dict):
        return data
    defaults = spelled_out(data.get("defaults"))
    routes = data.get("routes")
    over = {**data, "defaults": defaults} if "defaults" in data else dict(data)
    if isinstance(routes, list):
        beneath = defaults if isinstance(defaults, dict) else {}
        over["routes"] = [merged(beneath, spelled_out(route)) for route in routes]
    return over


def _validated(data: Any) -> tuple[schema.File | None, list[Finding]]:
    try:
        return schema.File.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error, schema.File))


def _lines(document: Document, indexes: list[int]) -> list[int]:
    routes = document.node(("routes",))
    return [routes.value[index].start_mark.line + 1 for index in indexes] if routes is not None else []


def _compares(data: Mapping[Any, Any]) -> list[Mapping[str, Any]]:
    return [route.get("compare") or {} for route in data.get("routes", ())]


def _backend_names(data: Any) -> frozenset[str]:
    """Return every name the file gives a backend, sound or not."""
    backends = data.get("backends") if isinstance(data, dict) else None
    return frozenset(str(name) for name in backends) if isinstance(backends, dict) else frozenset()
