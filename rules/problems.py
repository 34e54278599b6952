"""Problem, Finding, ConfigError; which names are secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

ERROR = "error"
WARNING = "warning"
NOT_YAML = "not YAML: "
"""How the message of a syntax error begins: its line is worth showing, for nothing else of the file could be read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake with its place; `line` and `column` count from 1, `level` is `error` or `warning`.

    For a value from the environment `file` is the name of the variable.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    level: str = ERROR

    def __str__(self) -> str:
        """Return `file:line:column: message (hint)`."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class ConfigError(Exception):
    """A file that cannot be used, with every problem found in it; trying again without an edit is pointless."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake at a path of the file's keys, before its place is known; `at_key` points at the key itself."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False
    level: str = ERROR
    kind: str = ""


# Which names belong to secrets, and how values under them are shown.


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
