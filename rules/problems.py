"""Problem, Finding, ConfigError."""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"
NOT_YAML = "not YAML: "
"""How the message of a syntax error begins: its line is shown, because nothing else of the file could be read."""


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
    """A file that cannot be used, with every problem found in it; a retry without an edit is pointless."""

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
