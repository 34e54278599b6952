"""Rewrites requests and responses for the other side; reads forms as PHP reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

from rules.model import QueryEdit, SidePolicy
from rules.routing.pattern import REST

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What may stand in one segment as it is. `;` is not among them: behind it some servers see parameters.
_SEGMENT = "!$&'()*+,=:@~"


class TranslationError(ValueError):
    """A request or answer that cannot be put into the other side's form; sending it again changes nothing."""


def target(side: SidePolicy, names: Mapping[str, str], path: str, query: str | None) -> str:
    """Return path and query as they are sent to a side; what no rule touches keeps its bytes.

    `names` are what the match captured, `query` is None where the request had no question mark.
    TranslationError where the rewritten path would climb.
    """
    if side.path is not None:
        path = rewritten_path(side.path, names)
    query = edited_query(side.query, query)
    return path if query is None else f"{path}?{query}"


def rewritten_path(template: str, names: Mapping[str, str]) -> str:
    """Put captured names into a path template; each is encoded so that it stays where it is put."""
    ending = ""
    if template.endswith("/**"):
        template = template.removesuffix("/**")
        rest = names.get(REST)
        ending = "" if rest is None else f"/{_encoded(rest)}"
    path = _NAME.sub(lambda found: _encoded(names.get(found.group(1), "")), template) + ending
    if "/." in path and any(segment in {".", ".."} for segment in path.split("/")):
        raise TranslationError("the rewritten path would climb out of the place the route gives it")
    return path or "/"


def edited_query(edit: QueryEdit, query: str | None) -> str | None:
    """Apply rename, remove, set; parameters that no rule names keep their bytes and their order."""
    if not (edit.rename or edit.set or edit.remove):
        return query
    renames = dict(edit.rename)
    gone = {*edit.remove, *(name for name, _ in edit.set)}
    kept: list[str] = []
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        plain = unquote_plus(name, errors="surrogateescape")
        if plain in renames:
            plain = renames[plain]
            part = f"{_parameter(plain)}{equals}{value}"  # noqa: PLW2901 - the part as it goes on
        if plain not in gone:
            kept.append(part)
    kept += [f"{_parameter(name)}={_parameter(value)}" for name, value in edit.set]
    return "&".join(kept) if kept else None


def status_of(side: SidePolicy, status: int) -> int:
    """Return the status a client sees for a side's status."""
    for before, after in side.status:
        if before == status:
            return after
    return status


def _encoded(value: str) -> str:
    """Percent-encode a captured value; its slashes stay, for a regex or a prefix may capture several segments."""
    return quote(value, safe=_SEGMENT + "/", errors="surrogateescape")


def _parameter(text: str) -> str:
    """Encode a name or value of a query; brackets and slashes stay readable, as PHP applications write them."""
    return quote(text, safe="/[]:@!$'()*,~", errors="surrogateescape")


# Turns form bodies into JSON values, JSON values into forms, the way PHP reads and writes them.


FIELDS_AT_MOST: Final = 1000
"""PHP's own max_input_vars."""
DEPTH_AT_MOST: Final = 16
DEEPEST_JSON: Final = 256
"""Levels of a JSON body that is read at all; PHP writes twice that at most, people write ten."""


def is_deeper(value: Any, most: int = DEEPEST_JSON) -> bool:
    """Whether containers in a JSON value stand below the level `most`, the outermost being level 0.

    Counted level by level: how deep the interpreter's own recursion goes changes with its version.
    """
    level = [value]
    for _ in range(most + 1):
        level = [each for outer in level if isinstance(outer, dict | list) for each in _members(outer)]
    return any(isinstance(each, dict | list) for each in level)


def _members(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


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
