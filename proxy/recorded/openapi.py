"""Reads which operations an OpenAPI document offers, finds the one that stands for an old endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from proxy.recorded.request import UnreadableError
from proxy.recorded.shapes import singular

LARGEST: Final = 32 * 1024 * 1024
SURE: Final = 0.8
MARGIN: Final = 0.08
"""How far ahead of the next best the best must be."""
WORTH_TELLING: Final = 0.5
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_NAME: Final = re.compile(r"\{([^}]*)\}")
_PREFIXES: Final = frozenset({"api", "index", "rest", "ajax", "public"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the new API with its methods."""

    path: str
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The operation for an old path: `target` spells it with the old path's names, None while undecided.

    `candidates` are what came near, best first.
    """

    target: str | None
    candidates: tuple[str, ...] = ()


def operations(path: Path) -> tuple[Operation, ...]:
    """Read an OpenAPI document, JSON or YAML; UnreadableError says what is wrong with it, OSError as opening does."""
    if path.stat().st_size > LARGEST:
        raise UnreadableError(f"{path}: larger than {LARGEST} bytes")
    try:
        document: Any = yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - a safe loader, chosen below
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise UnreadableError(f"{path}: neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        raise UnreadableError(f"{path}: no OpenAPI document: it has no `paths`")
    base = _base(document)
    found = []
    for spelled, item in paths.items():
        if isinstance(item, dict) and isinstance(spelled, str) and spelled.startswith("/"):
            methods = tuple(sorted(name.upper() for name in item if str(name).lower() in _METHODS))
            if methods:
                found.append(Operation(base + spelled, methods))
    return tuple(found)


def mapped(path: str, methods: Iterable[str], offered: Sequence[Operation]) -> Mapped:
    """Find the operation that does what `path` did: the same words, the same number of names, a method in common."""
    wanted, asked = _words(path), {"GET" if method == "HEAD" else method for method in methods}
    scored = sorted(
        (
            (_likeness(wanted, _words(operation.path)), operation)
            for operation in offered
            if asked & set(operation.methods) and path.count("{") == operation.path.count("{")
        ),
        key=lambda pair: (-pair[0], pair[1].path),
    )
    near = [(score, operation) for score, operation in scored if score >= WORTH_TELLING]
    candidates = tuple(operation.path for _, operation in near[:3])
    if not near or near[0][0] < SURE or (len(near) > 1 and near[0][0] - near[1][0] < MARGIN):
        return Mapped(None, candidates)
    return Mapped(_renamed(near[0][1].path, path), candidates)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _base(document: dict[str, Any]) -> str:
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        path = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        return path if "{" not in path else ""
    return str(document.get("basePath") or "").rstrip("/")


def _words(path: str) -> list[str]:
    """A path as words that mean the same on both sides: no `/api/v2`, no `.php`, one `user` for `users`."""
    words = []
    for segment in path.strip("/").split("/"):
        if _NAME.fullmatch(segment):
            words.append("{}")
            continue
        plain = re.sub(r"\.(php|json|html?|aspx?)$", "", segment.lower())
        if plain in _PREFIXES or re.fullmatch(r"v\d+", plain):
            continue
        words += [singular(word) for word in re.split(r"[-_.]", plain) if word]
    return words


def _likeness(one: list[str], other: list[str]) -> float:
    if not set(one) & set(other) - {"{}"}:
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _renamed(target: str, path: str) -> str:
    """Spell `target` with the names that `path` captures, in their order."""
    names = iter(_NAME.findall(path))
    return _NAME.sub(lambda found: f"{{{next(names, found[1])}}}", target)
