"""What a check found, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rules.model import Snapshot

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing looked at; `advice` is what to do where `level` is not ok."""

    level: str
    about: str
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at: the file with its folder, the environment, the nginx configuration if any.

    `runs` is the digest of the file that our own proxy runs now, empty where it does not.
    """

    snapshot: Snapshot
    base: Path
    config: Path
    environ: Mapping[str, str] = field(repr=False)
    nginx: str | None = None
    running: bool = False
    runs: str = ""
