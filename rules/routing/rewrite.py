"""Rewrites requests and responses as a route asks; reads forms as PHP reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

from rules.captured import Captured
from rules.model import QueryEdit, SidePolicy
from rules.routing.pattern import REST, is_plain

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What may stay unencoded in a segment. `;` is not among them: some servers read parameters after it.
_SEGMENT = "!$&'()*+,=:@~"
_VISIBLE = _SEGMENT + '"<>[]^`{|}'
"""What a plain path may contain besides, against RFC 3986; such spellings are not corrected."""


class TranslationError(ValueError):
    """A request or response that cannot be rewritten; sending it again changes nothing."""


def target(side: SidePolicy, names: Mapping[str, str], path: str, query: str | None) -> str:
    """Return path and query as they are sent to a side; what no rule changes keeps its bytes.

    `names` are what the match captured, `query` is None where the request had no question mark.
    TranslationError where the rewritten path would climb.
    """
    if side.path is not None:
        path = rewritten_path(side.path, names, verbatim=is_plain(path))
    query = edited_query(side.query, query)
    return path if query is None else f"{path}?{query}"


def rewritten_path(template: str, names: Mapping[str, str], *, verbatim: bool = False) -> str:
    """Put captured names into a path template, as the client spelled them where that is known (`Captured`).

    Others are encoded so that they stay within their segment, unless they are the client's spelling (`verbatim`).
    """
    ending = ""
    if template.endswith("/**"):
        template = template.removesuffix("/**")
        rest = names.get(REST)
        ending = "" if rest is None else f"/{_written(rest, verbatim)}"
    path = _NAME.sub(lambda found: _written(names.get(found.group(1), ""), verbatim), template) + ending
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


def _written(value: str, verbatim: bool) -> str:  # noqa: FBT001 - of one use
    if isinstance(value, Captured):
        return value.sent
    return _encoded(value, _VISIBLE if verbatim else _SEGMENT)


def _encoded(value: str, safe: str) -> str:
    """Percent-encode a captured value; its slashes stay, for a regex or a prefix may capture several segments."""
    return quote(value, safe=safe + "/", errors="surrogateescape")


def _parameter(text: str) -> str:
    """Encode a name or value of a query; brackets and slashes stay readable, as PHP applications write them."""
    return quote(text, safe="/[]:@!$'()*,~", errors="surrogateescape")


# Converts form bodies to JSON values and back, the way PHP reads and writes them.


FIELDS_AT_MOST: Final = 1000
"""PHP's own max_input_vars."""
DEPTH_AT_MOST: Final = 16
DEEPEST_JSON: Final = 256
"""Levels of a JSON body that is read at all; PHP writes twice that at most, handwritten bodies have ten."""


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


_MANGLED: Final = str.maketrans(" .[", "___")
_NO_KEY: Final = ("", " ", "\t", "\n", "\v", "\f", "\r")
_MOST: Final = 2**63 - 1
_number: Final = re.compile("0|-?[1-9][0-9]{0,18}").fullmatch


def form_to_value(body: bytes, renames: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Read application/x-www-form-urlencoded as PHP does: `a[]=1` is a list, `a[b]=1` a map, `a.b=1` is `a_b`.

    Of repeated names the last wins, a name that PHP drops is dropped. Every value is text, as it is for PHP. Raises
    TranslationError for what is not a form, is not UTF-8, or is larger than PHP would take.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST)
    except (ValueError, UnicodeError) as error:
        raise TranslationError("the body is not a form in UTF-8") from error
    names = dict(renames)
    root = _Place()
    for name, value in pairs:
        first, keys = _keys(name)
        if first:
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
    try:
        return urlencode(pairs).encode()
    except UnicodeEncodeError as error:
        raise TranslationError("the body has half a character, which no form can say") from error


def _keys(name: str) -> tuple[str, list[str]]:
    """Split `a[b][]` into `a`, `b` and an empty key, as PHP's php_register_variable_ex does.

    Spaces before a name, all behind a NUL, all behind the last bracket are left out; in what is outside of brackets a
    space, a dot, an unclosed bracket become underscores.
    """
    name = name.partition("\0")[0].lstrip(" ")
    first, bracket, rest = name.partition("[")
    if not first or not bracket:
        return first.translate(_MANGLED), []
    keys: list[str] = []
    while bracket:
        key, closed, rest = rest.partition("]")
        if not closed:
            break
        keys.append("" if key in _NO_KEY else key)
        bracket, rest = rest[:1] if rest.startswith("[") else "", rest[1:]
    if len(keys) > DEPTH_AT_MOST:
        raise TranslationError("the form is nested too deeply")
    return (first if keys else name).translate(_MANGLED), keys


class _Place(dict[str, Any]):
    """A map as PHP fills it; `following` is the number after the highest one used."""

    following: int | None = None

    def put(self, key: str, value: Any) -> None:
        """Set one member; an empty key takes the next number. What follows the largest number is lost in PHP too."""
        key = key or str(self.following or 0)
        number = int(key) if _number(key) is not None else None
        if number is not None and -_MOST <= number <= _MOST:
            self.following = number + 1 if self.following is None else max(self.following, number + 1)
        elif number == _MOST + 1:
            return
        self[key] = value

    def inner(self, key: str) -> _Place:
        """Return the map of a key, creating it where there is none."""
        found = self.get(key) if key else None
        if not isinstance(found, _Place):
            found = _Place()
            self.put(key, found)
        return found


def _put(place: _Place, keys: list[str], value: str) -> None:
    """Set the value of one key path."""
    *path, last = keys
    for key in path:
        place = place.inner(key)
    place.put(last, value)


def _listed(value: Any) -> Any:
    """Maps numbered from 0 become lists again."""
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
