"""Puts the differences between two frozen words into sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from rules.secrets import MASK, looks_secret, masked

_LONGEST = 120
_NOT_MEANT = ("line", "digest", "source", "version")
"""What says where or which, not what."""


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield `key: old → new` for each setting that differs, secrets masked."""
    if before == after:
        return
    if is_dataclass(before) and type(before) is type(after):
        for one in fields(before):
            if one.name not in _NOT_MEANT:
                yield from changes(getattr(before, one.name), getattr(after, one.name), _under(path, one.name))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from changes(before.get(name), after.get(name), _under(path, str(name)))
    else:
        yield f"{path}: {_shown(before, path)} → {_shown(after, path)}"


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any, path: str) -> str:
    """Show a value as the file would spell it, roughly."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, str) and looks_secret(path.rpartition(".")[2]):
        return MASK
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    text = value if isinstance(value, str) else _plain(masked(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_plain(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(member) for member in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
