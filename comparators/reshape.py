"""Reads a legacy body in the modern shape: pagination, unwrap, rename, case, in that order."""

from __future__ import annotations

import re
from typing import Any, Final

from comparators.context import Context
from comparators.json_text import literal
from comparators.pointer import escaped, steps
from comparators.renaming import renamed

_SNAKE: Final = re.compile(r"_*[a-z][a-z0-9]*(?:_[a-z0-9]+)+_*")
_JOINT: Final = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_PAGES: Final = {"total": "total", "current_page": "page", "per_page": "size", "last_page": "pages"}
_LINKS: Final = frozenset({"first", "last", "prev", "next"})
# What Laravel says of a page besides: it follows from the rest, or is an address of its own making.
_OF_A_PAGE: Final = frozenset(
    {"from", "to", "path", "links", "first_page_url", "last_page_url", "next_page_url", "prev_page_url"}
)


def reshaped(legacy: Any, modern: Any, context: Context) -> Any:
    """Return legacy's value in the modern shape; what unwrapping leaves behind is told as missing.

    Nothing that was given is changed. Where the value does not have the shape a step is about, the step does nothing.
    """
    reshape = context.policy.reshape
    if reshape.pagination:
        legacy = paged(legacy)
    if reshape.unwrap is not None:
        legacy = _unwrapped(legacy, steps(reshape.unwrap), context)
    if reshape.rename:
        legacy = renamed(legacy, reshape.rename, steps(reshape.unwrap or ""))
    return cased(legacy, modern) if reshape.camel else legacy


def paged(legacy: Any) -> Any:
    """Read Laravel's `{data, meta{total, current_page, per_page, last_page}}` as `{items, total, page, size, pages}`.

    The older form, with the members of `meta` beside `data`, is read as well; whatever Laravel does not put there
    by itself stays where it is.
    """
    if type(legacy) is not dict or "data" not in legacy or "items" in legacy:
        return legacy
    meta = legacy.get("meta")
    told = meta if type(meta) is dict else legacy
    if "current_page" not in told or "per_page" not in told:
        return legacy
    found: dict[str, Any] = {"items": legacy["data"]}
    found |= {name: told[each] for each, name in _PAGES.items() if each in told}
    rest = {name: each for name, each in told.items() if name not in _PAGES and name not in _OF_A_PAGE}
    outer = rest if told is legacy else {name: each for name, each in legacy.items() if name != "meta"}
    if told is meta and rest:
        found["meta"] = rest
    for name, each in outer.items():
        if name != "data" and not (name == "links" and type(each) is dict and each.keys() <= _LINKS):
            found.setdefault(name, each)
    return found


def camel(name: str) -> str:
    """Return a snake_case name as camelCase; any other name stays as it is."""
    if _SNAKE.fullmatch(name) is None:
        return name
    return _JOINT.sub(lambda joint: joint.group(1).upper(), name)


def cased(legacy: Any, modern: Any) -> Any:
    """Return legacy's value with its snake_case members in camelCase.

    A name that modern has as it is stays (`nl_be` may be a language, not a member), and so does one whose
    camelCase form is taken.
    """
    if type(legacy) is list:
        rows = modern if type(modern) is list else []
        last = rows[-1] if rows else None
        return [cased(each, rows[at] if at < len(rows) else last) for at, each in enumerate(legacy)]
    if type(legacy) is not dict:
        return legacy
    others = modern if type(modern) is dict else {}
    found: dict[str, Any] = {}
    for name, each in legacy.items():
        new = camel(name)
        if name in others or new in legacy or new in found:
            new = name
        found[new] = cased(each, others.get(new))
    return found


def _unwrapped(legacy: Any, path: tuple[str, ...], context: Context) -> Any:
    """Take what a pointer leads to as the whole; members beside the way to it are told, each once."""
    value, passed = legacy, []
    for depth, step in enumerate(path):
        if type(value) is not dict or step not in value:
            return legacy
        passed += [(*path[:depth], name) for name in value if name != step]
        value = value[step]
    if not context.alike:
        for beside in passed:
            _left_behind(legacy, beside, context)
    return value


def _left_behind(legacy: Any, path: tuple[str, ...], context: Context) -> None:
    value, place = legacy, context.policy.place
    for step in path:
        value, place = value[step], place.step(step)
    if place.ignored is not None:
        context.forgive(f"ignore:{place.ignored}")
        return
    context.differ("".join(f"/{escaped(step)}" for step in path), "missing", literal(value), "", "unwrap")
