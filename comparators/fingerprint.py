"""Names the group that a difference belongs to: where it stands, what kind it is, of which types both values are."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from comparators.model import Finding

_ANY: Final = "*"
_RUNNING: Final = re.compile(
    r"[0-9]+|[0-9a-f]{16,64}|[0-9A-HJKMNP-TV-Z]{26}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
)
"""Steps that number or name one row among many: indexes, UUIDs, ULIDs, hashes, dates."""

_COUNTED: Final = re.compile(r"(?<=\[)[0-9]+(?=\])|(?<=row )[0-9]+|(?<=line )[0-9]+|(?<=from )[0-9]+|^[0-9]+(?= bytes)")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: Final = {"": "nothing", "null": "null", "true": "boolean", "false": "boolean"}
_BRACKETS: Final = {"{": "object", "[": "array"}


def fingerprint(route: str, finding: Finding) -> str:
    """Return 16 hexadecimal digits: the same for the same fault on whichever row of whichever answer."""
    types = (_type(finding.legacy), _type(finding.modern))
    if finding.path == "@body":
        types = (_place(finding.legacy), _place(finding.modern))
    parts = (route, path_pattern(finding.path), finding.kind, *types)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def path_pattern(path: str) -> str:
    """Return a pointer with `*` for the steps that tell rows apart: `/items/3/price` is `/items/*/price`."""
    if not path.startswith("/"):
        return path
    return "/".join(_ANY if _RUNNING.fullmatch(step) else step for step in path.split("/"))


def _type(literal: str) -> str:
    """Return the JSON type of a literal, by how it begins: it may be cut."""
    if literal in _WORDS:
        return _WORDS[literal]
    return _BRACKETS.get(literal[0]) or ("number" if _NUMBER.fullmatch(literal) else "text")


def _place(literal: str) -> str:
    """Return where in a page, a table, a document a literal says it stands: each place is a difference of its own."""
    place, colon, _ = literal.partition(": ")
    return _COUNTED.sub(_ANY, place) if colon else _type(literal)
