"""`STRANGLER_SECTION__KEY` variables laid over a file's process settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.load.document import Document, Path, read
from rules.problems import Problem

PREFIX = "STRANGLER_"
SECTIONS = ("listen", "admin", "store", "backends", "diffs")


def lay_over(document: Document, environ: Mapping[str, str]) -> None:
    """Put every overriding variable into the document's data; a wrong one becomes a problem."""
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
    """Return the key as the file spells it: variables have neither small letters nor dashes."""
    for key in section:
        if isinstance(key, str) and key.lower().replace("-", "_") == level:
            return key
    return level


def _beside(path: list[str], key: str) -> Iterator[str]:
    """Yield the keys that a set one takes the place of."""
    if path[:1] == ["backends"]:
        yield from {"url": ["urls"], "urls": ["url"]}.get(key, [])
