"""What runs now, as control knows it: the configuration with the outcome of the last reading of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.state.configuration import Configuration
from rules.decide import generation
from rules.model import Generation
from rules.problems import Problem


@dataclass(frozen=True, slots=True)
class Current:
    """One moment of control; a new one is made for each change.

    `problems` are those of the last reading, empty when it was accepted. `waiting` names the settings that
    differ in the file but need a restart. `content` is the hash of the file's bytes that were last judged.
    """

    configuration: Configuration
    generation: Generation
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    waiting: tuple[str, ...] = ()
    content: str = ""

    @property
    def error(self) -> str | None:
        """Why the file on disk is not what runs, None when it is."""
        return "; ".join(map(str, self.problems)) or None

    def refused(self, problems: tuple[Problem, ...], content: str) -> Current:
        """Return this moment with a refused file."""
        return replace(self, problems=problems, content=content)


def built(configuration: Configuration) -> Generation:
    """Return the generation of `configuration`."""
    return generation(
        configuration.number,
        configuration.snapshot,
        {override.route: override for override in configuration.overrides},
        configuration.legacy_only,
    )
