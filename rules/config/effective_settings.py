"""Effective settings, each with where it comes from; the JSON Schema of the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from rules.config import schema, units
from rules.config import types as t
from rules.config.loader import Draft, drafted, placed, source_of
from rules.config.schema import File, direct_section, section_of
from rules.config.schema_compare import Section
from rules.config.yaml_document import Document, Path, is_hidden
from rules.masking import MASK
from rules.model import LEGACY, MODERN, Snapshot
from rules.problems import ERROR, ConfigError
from rules.secret_names import looks_secret

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in effect, written as in the file; `origin` is `default`, `file:line` or a variable's name."""

    path: str
    value: Any
    origin: str


def effective(
    text: str, source: str = "proxy.yaml", *, environ: Mapping[str, str] | None = None
) -> tuple[Setting, ...]:
    """Return all settings in the order of the file format, secrets masked; ConfigError if the file is broken.

    Defaults are merged into the routes, so they are no section of their own here.
    """
    draft = drafted(text, source, os.environ if environ is None else environ)
    problems = placed(draft.document, draft.findings)
    if draft.snapshot is None or any(problem.level == ERROR for problem in problems):
        raise ConfigError(problems)
    return tuple(_file(draft, draft.snapshot))


def _file(draft: Draft, snapshot: Snapshot) -> Iterator[Setting]:
    data = draft.data
    for name, field in schema.File.model_fields.items():
        if name == "backends":
            for backend in data["backends"]:
                place: Path = ("backends", backend)
                yield from _section(draft, schema.Backend, place, f"backends.{backend}", data["backends"][backend])
        elif name == "routes":
            for index, (raw, route) in enumerate(zip(data.get("routes", ()), snapshot.routes, strict=True)):
                filled = _with_names(raw, route.rollout.salt, snapshot)
                yield from _section(draft, schema.Route, ("routes", index), f"routes.{route.name}", filled)
        elif name != "defaults":
            yield from _field(draft, field, (name,), name, data.get(name))


def _with_names(raw: Mapping[str, Any], salt: str, snapshot: Snapshot) -> dict[str, Any]:
    """Put in the three values a route takes from elsewhere: the salt, the two backends."""
    filled = dict(raw)
    if "group" not in filled.get("rollout", {}):
        filled["rollout"] = {"salt": salt, **filled.get("rollout", {})}
    for side, backend in ((LEGACY, snapshot.default_backend), (MODERN, MODERN)):
        filled[side] = {"backend": backend, **filled.get(side, {})}
    return filled


def _section(draft: Draft, kind: type[Section], path: Path, label: str, data: Any) -> Iterator[Setting]:
    data = data if isinstance(data, dict) else {}
    for name, field in kind.model_fields.items():
        key = field.alias or name
        yield from _field(draft, field, (*path, key), f"{label}.{key}", data.get(key))


def _field(draft: Draft, field: FieldInfo, path: Path, label: str, value: Any) -> Iterator[Setting]:
    """Yield one setting, or all settings of the section at this path."""
    inner = direct_section(field.annotation)
    default = field.get_default(call_default_factory=True)
    if inner is not None and value != "none" and not (value is None and default is None):
        short = next((one for one in field.metadata if isinstance(one, t.Short)), None)
        spelled = {short.key: value} if short is not None and isinstance(value, str) else value
        given = default.model_dump(by_alias=True, exclude_unset=True) if isinstance(default, Section) else {}
        yield from _section(draft, inner, path, label, {**given, **(spelled or {})})
        return
    if value is None:
        yield Setting(label, written_as(field, default), DEFAULT)
        return
    found = source_of(draft.document, path)
    if found is None:
        yield Setting(label, value, DEFAULT)
    else:
        yield Setting(label, _masked(draft.document, found, value), _origin(draft.document, found))


def _origin(document: Document, path: Path) -> str:
    """Return the file and line, or the variable, that wrote a value; with the variables put into it."""
    file, line, _ = document.place(path, key=True)
    if file != document.source:
        return file
    taken = "".join(f" ${{{name}}}" for name in document.variables(path))
    return f"{file}:{line}{taken}"


def _masked(document: Document, path: Path, value: Any) -> Any:
    """Mask a value that came from a variable as free text, or whose name looks secret."""
    if isinstance(value, dict):
        return {str(key): _masked(document, (*path, key), member) for key, member in value.items()}
    if isinstance(value, list):
        return [_masked(document, (*path, at), member) for at, member in enumerate(value)]
    variables = document.variables(path)
    overlaid = document.place(path)[0] != document.source
    from_secret = any(map(looks_secret, variables)) or (bool(variables) and not overlaid and is_hidden(path, ()))
    set_secret = path[-2:-1] == ("set",) and looks_secret(str(path[-1]))
    return MASK if isinstance(value, str) and (from_secret or set_secret) else value


def written_as(field: FieldInfo, value: Any) -> Any:
    """Return a default the way an operator writes it."""
    unit = next((one.unit for one in field.metadata if isinstance(one, t.Written)), None)
    if value is None or unit is None:
        return value
    writers = {"time": units.write_duration, "size": units.write_size, "share": units.write_share}
    return writers[unit](value)


# The JSON Schema of `proxy.yaml`, for editors and for `check --schema`; made from the same models.


_BESIDE = {"Rollout": (("weight", "steps"), ("group", "salt")), "Backend": (("url", "urls"),)}


def json_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12; defaults are given as an operator writes them."""
    schema = File.model_json_schema(by_alias=True)
    sections = {kind.__name__: kind for kind in _sections(File)}
    _write_defaults(schema, File)
    for name, described in schema["$defs"].items():
        _write_defaults(described, sections[name])
        pairs = [{"not": {"required": list(pair)}} for pair in _BESIDE.get(name, ())]
        if pairs:
            described["allOf"] = pairs
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "proxy.yaml"}


def _sections(root: type[Section]) -> list[type[Section]]:
    """Return every section below this one."""
    found: list[type[Section]] = []
    waiting = [root]
    while waiting:
        for field in waiting.pop().model_fields.values():
            kind = section_of(field.annotation)
            if kind is not None and kind not in found:
                found.append(kind)
                waiting.append(kind)
    return found


def _write_defaults(described: dict[str, Any], kind: type[Section]) -> None:
    """Write out the defaults; a default that is a whole section is described by the section itself."""
    for name, field in kind.model_fields.items():
        member = described["properties"][field.alias or name]
        member.pop("title", None)
        if "default" not in member:
            continue
        if isinstance(member["default"], dict) or member["default"] is None:
            del member["default"]
        else:
            member["default"] = written_as(field, member["default"])
