"""JSON pointers and the patterns over them: `*` is one step, `**` any number of steps.

`**` at the end stands for one step or more (`/meta/**` is what is inside `/meta`), elsewhere for none or more
(`/**/id` is every `id`, also the outermost).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ONE = "*"
ANY = "**"
Trail = tuple[Any, Any] | None
"""A path while walking, innermost step outside: `(outer trail, key)`; None is the root. Made a pointer when needed."""


def pointer(trail: Trail) -> str:
    """Return the RFC 6901 text of a trail."""
    text = ""
    while trail is not None:
        trail, key = trail
        text = f"/{key if type(key) is int else escaped(key)}{text}"
    return text


def escaped(name: str) -> str:
    """Return a member's name as it stands in a pointer."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


def steps(text: str) -> tuple[str, ...]:
    """Return the unescaped steps of a pointer or pattern; ValueError where it is none."""
    if text == "":
        return ()
    if not text.startswith("/"):
        raise ValueError(f"`{text}` is not a JSON pointer: it begins with `/`")
    found = tuple(text[1:].split("/"))
    for step in found:
        if "~" in step.replace("~0", "").replace("~1", ""):
            raise ValueError(f"`{text}` has a lone `~`: in a pointer `~` is written ~0, `/` inside a name ~1")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in found)


def closure(patterns: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Add to the rests of patterns what they are when a leading `**` stands for nothing."""
    found: set[tuple[str, ...]] = set()
    for pattern in patterns:
        rest = pattern
        found.add(rest)
        while len(rest) > 1 and rest[0] == ANY:
            rest = rest[1:]
            found.add(rest)
    return frozenset(found)


def after(rests: Iterable[tuple[str, ...]], key: str | None) -> frozenset[tuple[str, ...]]:
    """Return what is left of patterns after one step; `key` None stands for a name that none of them says."""
    left: set[tuple[str, ...]] = set()
    for rest in rests:
        if not rest:
            continue
        if rest[0] == ANY:
            left.add(rest)
            if len(rest) == 1:
                left.add(())
        elif rest[0] == ONE or (key is not None and rest[0] == key):
            left.add(rest[1:])
    return closure(left)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern covers a pointer."""
    rests = closure([steps(pattern)])
    for step in steps(text):
        rests = after(rests, step)
    return () in rests
