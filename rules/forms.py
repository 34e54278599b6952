"""Turns form bodies into JSON values, JSON values into forms, the way PHP reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from rules.translate import TranslationError

FIELDS_AT_MOST: Final = 1000
"""PHP's own max_input_vars."""
DEPTH_AT_MOST: Final = 16


def form_to_value(body: bytes, renames: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Read application/x-www-form-urlencoded: `a[]=1` is a list, `a[b]=1` a map, of repeated names the last wins.

    Every value is text, as it is for PHP. Raises TranslationError for what is no form, is not UTF-8, or is
    larger than PHP would take.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST)
    except (ValueError, UnicodeError) as error:
        raise TranslationError("the body is not a form in UTF-8") from error
    names = dict(renames)
    root: dict[str, Any] = {}
    for name, value in pairs:
        first, keys = _keys(name)
        _put(root, [names.get(first, first), *keys], value)
    return {name: _listed(value) for name, value in root.items()}


def value_to_form(value: Any, renames: Iterable[tuple[str, str]] = ()) -> bytes:
    """Write a JSON object as a form, as http_build_query does: nested names in brackets, null left out."""
    if not isinstance(value, dict):
        raise TranslationError("the body is not a JSON object")
    names = dict(renames)
    pairs: list[tuple[str, str]] = []
    for key, member in value.items():
        name = str(key)
        _flatten(names.get(name, name), member, pairs, 0)
    return urlencode(pairs).encode()


def _keys(name: str) -> tuple[str, list[str]]:
    """Split `a[b][]` into `a`, `b` and an empty key."""
    first, bracket, rest = name.partition("[")
    if not bracket or not first or not rest.endswith("]"):
        return name, []
    keys = rest[:-1].split("][")
    if len(keys) > DEPTH_AT_MOST:
        raise TranslationError("the form is nested too deeply")
    return first, keys


def _put(place: dict[str, Any], keys: list[str], value: str) -> None:
    """Set one value; an empty key takes the next number, as in PHP."""
    *path, last = keys
    for key in path:
        step = key or _next(place)
        found = place.get(step)
        if not isinstance(found, dict):
            found = place[step] = {}
        place = found
    place[last or _next(place)] = value


def _next(place: dict[str, Any]) -> str:
    return str(len(place))


def _listed(value: Any) -> Any:
    """Maps numbered from 0 are the lists they were written as."""
    if not isinstance(value, dict):
        return value
    members = {key: _listed(member) for key, member in value.items()}
    if list(members) == [str(number) for number in range(len(members))]:
        return list(members.values())
    return members


def _flatten(name: str, value: Any, pairs: list[tuple[str, str]], depth: int) -> None:
    if depth > DEPTH_AT_MOST:
        raise TranslationError("the body is nested too deeply")
    if isinstance(value, dict):
        for key, member in value.items():
            _flatten(f"{name}[{key}]", member, pairs, depth + 1)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _flatten(f"{name}[{number}]", member, pairs, depth + 1)
    elif isinstance(value, bool):
        pairs.append((name, "1" if value else "0"))
    elif value is not None:
        pairs.append((name, str(value)))
