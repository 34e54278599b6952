"""A file that may run."""

from __future__ import annotations

from dataclasses import dataclass

from rules.model import Snapshot
from rules.problems import Problem


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked file with its warnings; `content` is the hash of its bytes, which tells two versions apart."""

    snapshot: Snapshot
    warnings: tuple[Problem, ...]
    content: str
