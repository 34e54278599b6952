"""Moves members of a value to other places, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from comparators.pointer import ONE, steps

Path = tuple[str, ...]


def renamed(value: Any, renames: Sequence[tuple[str, str]], unwrapped: Path) -> Any:
    """Return a value with members moved from source to target pointers; `*` in both stands for the same step.

    A source that is not there does nothing; one that names the member as it was before `unwrapped` was taken as the
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
