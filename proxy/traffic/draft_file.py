"""Writes a drafted configuration as YAML with comments, for the operator to complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from proxy.traffic.draft import Draft, DraftRoute

_PLAIN: Final = re.compile(r"/[A-Za-z0-9/_.-]*")
_WORDS_OF_YAML: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_HEAD: Final = """\
{schema}# Drafted by `strangler init` from {source}.
# Every weight is 0: legacy answers everything until you say otherwise. `strangler check` validates this file,
# `strangler explain GET /path` shows how it decides a request.
{undecided}
version: 1

listen:
  address: 127.0.0.1:8080
  # trusted_proxies: [127.0.0.1/32]  # the nginx in front, so that its X-Forwarded-* are believed

admin:
  address: 127.0.0.1:9180

store: "sqlite:var/strangler.db"

backends:
  legacy: {{url: {legacy}}}
  modern: {{url: {modern}}}

# Who the user is, before any weight may rise: a cookie, a header of a trusted proxy, a signed token …
# identity: ["cookie:uid", "header:X-User-Id", "jwt:sub", "laravel:session", "sticky"]

defaults:
  legacy: legacy
  modern: modern
  compare: {{preset: php}}             # forgives what PHP is known to spell its own way, each forgiveness counted
  # shadow: {{sample: 100%}}           # asks both sides for every read that may be asked twice, and compares
"""


def written(draft: Draft, *, source: str, legacy: str, modern: str, schema: str = "") -> str:
    """Return the file's text; `schema` is where an editor finds the JSON Schema, relative to the file."""
    text = _HEAD.format(
        schema=f"# yaml-language-server: $schema={_comment(schema)}\n" if schema else "",
        source=_comment(source),
        undecided=_undecided(draft),
        legacy=json.dumps(legacy),
        modern=json.dumps(modern),
    )
    if not draft.routes:
        return f"{text}\nroutes: []\n"
    return f"{text}\nroutes:\n" + "\n".join("\n".join(_route(route)) for route in draft.routes) + "\n"


def _undecided(draft: Draft) -> str:
    if not draft.undecided:
        return ""
    lines = "\n".join(f"#   - {_comment(sentence)}" for sentence in draft.undecided)
    return f"#\n# Not decided here:\n{lines}\n"


def _route(route: DraftRoute) -> Iterator[str]:
    for note in route.notes:
        yield f"  # {_comment(note)}"
    yield f"  - name: {route.name if _is_name(route.name) else json.dumps(route.name)}"
    match = [f"path: {_text(route.path)}"]
    if route.methods:
        match.append(f"methods: [{', '.join(route.methods)}]")
    if route.query is not None:
        match.append(f"query: {{{_text(route.query[0])}: {_text(route.query[1])}}}")
    yield f"    match: {{{', '.join(match)}}}"
    group = f", group: {route.group if _is_name(route.group) else json.dumps(route.group)}" if route.group else ""
    yield f"    rollout: {{weight: 0{group}}}"
    if route.modern is not None:
        yield f"    modern: {{path: {_text(route.modern)}}}"
    if not route.mirrored:
        yield "    shadow: {sample: 0}"


def _is_name(text: str) -> bool:
    """Whether YAML reads this as text without quotes; `no` is none."""
    return text[0].isalpha() and text not in _WORDS_OF_YAML


def _text(value: str) -> str:
    """A value as YAML reads it back; plain where that is safe."""
    return value if _PLAIN.fullmatch(value) else json.dumps(value.replace("$", "$$"), ensure_ascii=False)


def _comment(text: str) -> str:
    """Text without line ends or control characters."""
    return "".join(character if character.isprintable() else "?" for character in text)[:400]
