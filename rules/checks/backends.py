"""Checks on which backend is named where."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from rules.checks.plan import Path, Plan
from rules.model import LEGACY
from rules.problems import WARNING, Finding


def unknown_backends(plan: Plan) -> Iterator[Finding]:
    """Every backend that a route names exists."""
    if "backends" in plan.lost:
        return
    default = plan.snapshot.default_backend
    if default not in plan.backends:
        hint = _meant(default, plan) or f"requests that no route matches go to `{default}`"
        place: Path = ("backends",) if default == LEGACY else ("defaults", "legacy", "backend")
        yield Finding(place, f"there is no backend `{default}`", hint, at_key=default == LEGACY)
    for path, route in plan.routes():
        yield from _known(plan, (*path, "legacy", "backend"), route.legacy.backend)
        yield from _known(plan, (*path, "modern", "backend"), route.modern.backend)
        if route.shadow.backend is not None:
            yield from _known(plan, (*path, "shadow", "backend"), route.shadow.backend)


def tls_without_https(plan: Plan) -> Iterator[Finding]:
    """TLS settings do nothing on an http url; without verification they do little."""
    for backend in plan.snapshot.backends:
        path: Path = ("backends", backend.name, "tls")
        if backend.tls is None:
            continue
        plain = [url for url in backend.urls if not url.startswith("https://")]
        if plain:
            message = f"`tls` does nothing for {plain[0]}"
            yield Finding(path, message, "did you mean https?", at_key=True, level=WARNING)
        elif not backend.tls.verify:
            message = "`verify: false` lets anybody answer as this backend"
            yield Finding((*path, "verify"), message, "name the issuer with `ca:`", level=WARNING)


def _known(plan: Plan, path: Path, name: str) -> Iterator[Finding]:
    # The default one has its own message, once.
    if name not in plan.backends and name != plan.snapshot.default_backend:
        hint = _meant(name, plan) or f"there are {', '.join(sorted(plan.backends)) or 'none'}"
        yield Finding(path, f"there is no backend `{name}`", hint)


def _meant(name: str, plan: Plan) -> str:
    near = difflib.get_close_matches(name, sorted(plan.backends), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""
