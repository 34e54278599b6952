"""Pagination, unwrap, rename, case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from comparators.context import Context
from comparators.json_parse import literal
from comparators.paths import ONE, escaped, steps
from comparators.values import Number

# Moves members of a value to other places, all at once.


Path = tuple[str, ...]


def renamed(value: Any, renames: Sequence[tuple[str, str]], unwrapped: Path) -> Any:
    """Return a value with members moved from source to target pointers; `*` in both stands for the same step.

    An absent source does nothing; one that names the member as it was before `unwrapped` was taken as the
    whole is understood. All are taken out before any is put in, so that two may change places; a target that is
    taken leaves its member where it was. Objects that are emptied by it go.
    """
    whole = _copied(value)
    moves = [
        (source, target) for old, new in renames for source, target in _moves(whole, steps(old), steps(new), unwrapped)
    ]
    taken = [(source, target, _taken(whole, source)) for source, target in moves]
    stuck = [(source, each) for source, target, each in taken if not _put(whole, target, each)]
    for source, each in stuck:
        _put(whole, source, each)
    for source, _, _ in taken:
        _pruned(whole, source[:-1])
    return whole


def _moves(whole: Any, source: Path, target: Path, unwrapped: Path) -> Iterator[tuple[Path, Path]]:
    if not source or not target:
        return
    found = list(_found(whole, source))
    if not found and unwrapped and source[: len(unwrapped)] == unwrapped and len(source) > len(unwrapped):
        found = list(_found(whole, source[len(unwrapped) :]))
    for path, stars in found:
        filled = iter(stars)
        yield path, tuple(next(filled, ONE) if step == ONE else step for step in target)


def _found(value: Any, pattern: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the paths that a pattern leads to, each with what its stars stand for."""
    if not pattern:
        yield (), ()
        return
    step, rest = pattern[0], pattern[1:]
    for name in list(_names(value)) if step == ONE else [step]:
        if _has(value, name):
            for path, stars in _found(_at(value, name), rest):
                yield (name, *path), ((name, *stars) if step == ONE else stars)


def _names(value: Any) -> Sequence[str]:
    if type(value) is dict:
        return list(value)
    return [str(index) for index in range(len(value))] if type(value) is list else ()


def _has(value: Any, name: str) -> bool:
    if type(value) is list:
        return name.isdecimal() and int(name) < len(value)
    return type(value) is dict and name in value


def _at(value: Any, name: str) -> Any:
    return value[int(name)] if type(value) is list else value[name]


def _taken(whole: Any, path: Path) -> Any:
    """Take a member out; an element leaves null behind, for the others keep their places."""
    value = whole
    for step in path[:-1]:
        value = _at(value, step)
    if type(value) is dict:
        return value.pop(path[-1])
    each, value[int(path[-1])] = value[int(path[-1])], None
    return each


def _put(whole: Any, path: Path, each: Any) -> bool:
    """Put a member in, making objects on the way; False where something stands in its way."""
    value = whole
    for step in path[:-1]:
        if type(value) is dict:
            value = value.setdefault(step, {})
        elif _has(value, step):
            value = _at(value, step)
        else:
            return False
    if type(value) is list and _has(value, path[-1]) and _at(value, path[-1]) is None:
        value[int(path[-1])] = each
        return True
    if type(value) is not dict or path[-1] in value:
        return False
    value[path[-1]] = each
    return True


def _pruned(whole: Any, path: Path) -> None:
    """Drop objects on a path that have nothing in them, innermost first."""
    for length in range(len(path), 0, -1):
        outer = whole
        for step in path[: length - 1]:
            if not _has(outer, step):
                return
            outer = _at(outer, step)
        if type(outer) is not dict or outer.get(path[length - 1]) != {}:
            return
        del outer[path[length - 1]]


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if type(value) is list else value


_SNAKE: Final = re.compile(r"_*[a-z][a-z0-9]*(?:_[a-z0-9]+)+_*")
_JOINT: Final = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_PAGES: Final = {"total": "total", "current_page": "page", "per_page": "size", "last_page": "pages"}
_LINKS: Final = frozenset({"first", "last", "prev", "next"})
# Other members of Laravel's pages: they follow from the rest, or are generated addresses.
_OF_A_PAGE: Final = frozenset(
    {"from", "to", "path", "links", "first_page_url", "last_page_url", "next_page_url", "prev_page_url"}
)


def reshaped(legacy: Any, modern: Any, context: Context) -> Any:
    """Return legacy's value in the modern shape; what unwrapping drops is reported as missing.

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

    The older form, with the members of `meta` beside `data`, is read as well; what Laravel does not put there
    by itself stays where it is.
    """
    if type(legacy) is not dict or "data" not in legacy or "items" in legacy:
        return legacy
    meta = legacy.get("meta")
    paging = meta if type(meta) is dict else legacy
    if "current_page" not in paging or "per_page" not in paging:
        return legacy
    found: dict[str, Any] = {"items": legacy["data"]}
    found |= {name: paging[each] for each, name in _PAGES.items() if each in paging}
    rest = {name: each for name, each in paging.items() if name not in _PAGES and name not in _OF_A_PAGE}
    outer = rest if paging is legacy else {name: each for name, each in legacy.items() if name != "meta"}
    if paging is meta and rest:
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

    A name stays whose camelCase form is taken, and one that modern has as it is (`nl_be` may be a language, not a
    member): except where modern has others of the same object in camelCase, and has forgotten this one.
    """
    if type(legacy) is list:
        rows = modern if type(modern) is list else []
        last = rows[-1] if rows else None
        return [cased(each, rows[at] if at < len(rows) else last) for at, each in enumerate(legacy)]
    if type(legacy) is not dict:
        return legacy
    others = modern if type(modern) is dict else {}
    found: dict[str, Any] = {}
    news = {name: camel(name) for name in legacy}
    some = any(new != name and new in others and new not in legacy for name, new in news.items())
    for name, each in legacy.items():
        new = news[name]
        if new in legacy or new in found or (name in others and not some):
            new = name
        found[new] = cased(each, others.get(new))
    return found


def _unwrapped(legacy: Any, path: tuple[str, ...], context: Context) -> Any:
    """Take what a pointer leads to as the whole; members outside that path are reported, each once."""
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
        context.forgive(place.excused)
        return
    context.differ("".join(f"/{escaped(step)}" for step in path), "missing", literal(value), "", "unwrap")


# Reads an object of PHP as the list that it was before rows were taken out of it.


_LONGEST_KEY: Final = 20
"""No integer of PHP is longer."""
_GAPS: Final = 16
"""A list with gaps has lost no more than half of its rows, or a few."""
_FEW: Final = 2
_NAMES_A_ROW: Final = re.compile(
    r"(?i:(?:^|_)(?:id|key|code|nr|no|number|uid|pk|year)$)|[a-z](?:Id|ID|Key|Code|Number)$"
)
_PLACES_A_ROW: Final = re.compile(r"index|pos|sort|order|rank|offset|line|row|seq|step|level|^i$|^n$", re.IGNORECASE)


def sparse(legacy: dict[str, Any]) -> list[Any] | None:
    """Return the values of an object whose names are ascending integers: how PHP writes a list with gaps.

    A map is left alone: its names are far above the number of its rows (years), or its rows repeat them (ids).
    """
    last, limit = -1, 2 * len(legacy) + _GAPS
    for name in legacy:
        if (
            len(name) > _LONGEST_KEY
            or not name.isdecimal()
            or not name.isascii()
            or (name[0] == "0" and name != "0")
            or not last < int(name) < limit
        ):
            return None
        last = int(name)
    return None if not legacy or _is_keyed(legacy) else list(legacy.values())


def _is_keyed(legacy: dict[str, Any]) -> bool:
    """Whether the rows of a map repeat the names they go by."""
    rows = list(legacy.values())
    if type(rows[0]) is not dict:
        return False
    for member, first in rows[0].items():
        if not _says(first, next(iter(legacy))) or not (_NAMES_A_ROW.search(member) or _is_telling(member, rows)):
            continue
        if all(type(row) is dict and member in row and _says(row[member], name) for name, row in legacy.items()):
            return True
    return False


def _says(value: Any, name: str) -> bool:
    """Whether a value equals its own name, as number or as text."""
    return (type(value) is Number and value == name.encode()) or (type(value) is str and value == name)


def _is_telling(member: str, rows: list[Any]) -> bool:
    """Whether a member without an id's name is one by its values; a few rows, or places, are no evidence."""
    return len(rows) > _FEW and _PLACES_A_ROW.search(member) is None
