"""What the type checks found, in the words of an operator."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError

from rules.load.document import Path
from rules.load.section import Section
from rules.load.units import UnitError, did_you_mean
from rules.problems import Finding

_KINDS = {
    "model_type": "a mapping is needed here",
    "model_attributes_type": "a mapping is needed here",
    "dict_type": "a mapping is needed here",
    "list_type": "a list is needed here",
    "string_type": "text is needed here",
    "bool_type": "true or false is needed here",
    "int_type": "a whole number is needed here",
    "float_type": "a number is needed here",
    "string_too_short": "must not be empty",
}


def findings(error: ValidationError, root: type[Section]) -> Iterable[Finding]:
    """Say each error of a validation in plain words."""
    for one in error.errors(include_url=False):
        yield _finding(one, root)


def _finding(error: Mapping[str, Any], root: type[Section]) -> Finding:
    kind, path, value = error["type"], tuple(error["loc"]), error.get("input")
    at_key = bool(path) and path[-1] == "[key]"
    if at_key:
        path = path[:-1]
    if kind == "extra_forbidden":
        return Finding(path, f"unknown key `{path[-1]}`", _known_key(path, root), at_key=True, kind=kind)
    if kind == "missing":
        return Finding(path[:-1], f"`{path[-1]}` is missing", kind=kind)
    if kind == "value_error":
        reason = error["ctx"]["error"]
        hint = reason.hint if isinstance(reason, UnitError) else ""
        return Finding(path, _named(path, str(reason)), hint, at_key=at_key, kind=kind)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        hint = did_you_mean(str(value), choices) or f"one of {', '.join(choices)}"
        return Finding(path, _named(path, f"`{value}` is not possible"), hint, kind=kind)
    message = _named(path, _KINDS.get(kind, str(error["msg"])))
    return Finding(path, message, _spelling(kind, value), at_key=at_key, kind=kind)


def _named(path: Path, message: str) -> str:
    """Put the key in front, unless the message is about an entry of a list."""
    last = next((part for part in reversed(path) if isinstance(part, str)), None)
    return f"`{last}`: {message}" if last is not None else message


def _spelling(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'write it in quotes: "{text}"'
    if kind == "list_type" and isinstance(value, str | int | float):
        return f"did you mean [{value}]?"
    if kind == "bool_type" and isinstance(value, str) and value.lower() in {"true", "false"}:
        return "without quotes"
    return ""


def _known_key(path: Path, root: type[Section]) -> str:
    """Suggest a key of the same mapping; one that lives elsewhere is told apart by nothing but its name."""
    owner = model_at(root, path[:-1])
    if owner is None:
        return ""
    known = [field.alias or name for name, field in owner.model_fields.items()]
    return did_you_mean(str(path[-1]), known) or f"known here: {', '.join(known)}"


def model_at(root: type[Section], path: Path) -> type[Section] | None:
    """Return the section that stands at a path, None where no section is known."""
    kind: Any = root
    for part in path:
        kind = _below(kind, part)
    return direct_section(kind)


def direct_section(kind: Any) -> type[Section] | None:
    """Return the section a field holds, None for lists of them and mappings to them."""
    kind = _bare(kind)
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def section_of(kind: Any) -> type[Section] | None:
    """Return the section a field's type is about, be it one, a list of them or a mapping to them."""
    kind = _bare(kind)
    while get_origin(kind) in {list, dict}:
        kind = _bare(get_args(kind)[-1])
    return direct_section(kind)


def _below(kind: Any, part: str | int) -> Any:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, Section):
        for name, field in kind.model_fields.items():
            if part in {name, field.alias} and (field.alias in {None, part}):
                return field.annotation
        return None
    if get_origin(kind) in {list, dict}:
        return get_args(kind)[-1]
    return None


def _bare(kind: Any) -> Any:
    """Take the wrappings off a type: Annotated, or None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        return _bare(next(one for one in get_args(kind) if one is not type(None)))
    return kind
