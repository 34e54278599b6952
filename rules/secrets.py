"""Which names belong to secrets, and how values under them are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

MASK = "********"

_SECRET = re.compile(r"authorization|^cookie$|api[-_]?key|token|secret|passw|credential", re.IGNORECASE)


def looks_secret(name: str) -> bool:
    """Whether a header or parameter of this name carries a secret."""
    return _SECRET.search(name) is not None


def masked(value: Any) -> Any:
    """Return a frozen word (a Snapshot, a Route) as plain values for showing, secrets masked.

    What a side sets, or a match asks for, under a name that looks secret is masked: it came from the
    environment.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: masked(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: masked(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_masked_pair(member) for member in value]
    return value


def _masked_pair(member: Any) -> Any:
    """Mask the second of a pair whose first is the name of a secret."""
    match member:
        case (str() as name, str()) if looks_secret(name):
            return [name, MASK]
        case _:
            return masked(member)
