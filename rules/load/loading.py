"""The story of loading: read, overlay, merge, check, build; every problem at once."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rules import checks
from rules.load import build, written
from rules.load.beside import beside
from rules.load.document import Document, read
from rules.load.merge import merged, spelled_out
from rules.load.messages import findings
from rules.load.overlay import lay_over
from rules.load.places import placed
from rules.load.salvage import salvaged
from rules.model import Snapshot
from rules.problems import ERROR, ConfigError, Finding, Problem


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
    """A file on its way: the document, its data over the defaults, what was found, what could be built.

    `snapshot` lacks the parts that are wrong; it is whole only when nothing wrong was found.
    """

    document: Document
    data: Any
    file: written.File | None
    snapshot: Snapshot | None
    findings: tuple[Finding, ...]


def drafted(text: str, source: str, environ: Mapping[str, str]) -> Draft:
    """Read and check as far as possible."""
    with _collector_at_rest():
        return _drafted(text, source, environ)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from walking a large file's values again and again: they all stay.

    Two thousand routes load three times as fast.
    """
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if at_work:
            gc.enable()


def _drafted(text: str, source: str, environ: Mapping[str, str]) -> Draft:
    document = read(text, source, environ)
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
    snapshot = build.snapshot(file, source, _lines(document, indexes), _compares(data))
    plan = checks.Plan(
        snapshot, tuple(indexes), _backend_names(document.data), lost, document.from_environment, document.is_written
    )
    return Draft(document, data, file, snapshot, (*found, *checks.check(plan)))


def _over_defaults(data: Any) -> Any:
    """Lay the defaults beneath every route; whatever is no mapping or list is left for the type checks."""
    if not isinstance(data, dict):
        return data
    defaults = spelled_out(data.get("defaults"))
    routes = data.get("routes")
    over = {**data, "defaults": defaults} if "defaults" in data else dict(data)
    if isinstance(routes, list):
        beneath = defaults if isinstance(defaults, dict) else {}
        over["routes"] = [merged(beneath, spelled_out(route)) for route in routes]
    return over


def _validated(data: Any) -> tuple[written.File | None, list[Finding]]:
    try:
        return written.File.model_validate(data), []
    except ValidationError as error:
        return None, list(findings(error, written.File))


def _lines(document: Document, indexes: list[int]) -> list[int]:
    routes = document.node(("routes",))
    return [routes.value[index].start_mark.line + 1 for index in indexes] if routes is not None else []


def _compares(data: Mapping[Any, Any]) -> list[Mapping[str, Any]]:
    return [route.get("compare") or {} for route in data.get("routes", ())]


def _backend_names(data: Any) -> frozenset[str]:
    """Return every name the file gives a backend, sound or not."""
    backends = data.get("backends") if isinstance(data, dict) else None
    return frozenset(str(name) for name in backends) if isinstance(backends, dict) else frozenset()
