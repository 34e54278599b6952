"""The JSON Schema of `proxy.yaml`, for editors and for `check --schema`; made from the same models."""

from __future__ import annotations

from typing import Any

from rules.load.messages import section_of
from rules.load.section import Section
from rules.load.settings import written_as
from rules.load.written import File

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
    """Spell the defaults; a default that is a whole section is said by the section itself."""
    for name, field in kind.model_fields.items():
        member = described["properties"][field.alias or name]
        member.pop("title", None)
        if "default" not in member:
            continue
        if isinstance(member["default"], dict) or member["default"] is None:
            del member["default"]
        else:
            member["default"] = written_as(field, member["default"])
