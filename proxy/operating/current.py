"""What runs now, as control knows it: the configuration with the outcome of the last reading of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.state.live import Configuration
from rules.model import Generation
from rules.problems import Problem
from rules.routing.decide import generation


@dataclass(frozen=True, slots=True)
class Current:
    """One moment of control; a new one is made for each change.

    `problems` are those of the last reading, empty when it was accepted. `waiting` names the settings that
    differ in the file but need a restart. `content` is the hash of the file's bytes that were last judged.
    """

    configuration: Configuration
    generation: Generation
    content: str
    problems: tuple[Problem, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What was said about the file that runs."""
        return self.configuration.warnings

    @property
    def error(self) -> str | None:
        """Why the file on disk is not what runs, None when it is."""
        return "; ".join(map(str, self.problems)) or None

    def refused(self, problems: tuple[Problem, ...], content: str) -> Current:
        """Return this moment with a refused file."""
        return replace(self, problems=problems, content=content)


def current(configuration: Configuration) -> Current:
    """Return the moment in which `configuration` runs, the file being what it was made from."""
    return Current(configuration, built(configuration), configuration.content)


def built(configuration: Configuration) -> Generation:
    """Return the generation of `configuration`."""
    return generation(
        configuration.number,
        configuration.snapshot,
        {override.route: override for override in configuration.overrides},
        configuration.legacy_only,
    )
