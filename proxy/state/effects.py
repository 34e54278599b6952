"""What was set at run time, as it travels beside a configuration that has not changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from proxy.ipc.codec import from_json, to_json
from proxy.state.configuration import Configuration
from rules.model import Override


@dataclass(frozen=True, slots=True)
class RunTime:
    """All overrides of generation `number`; they lie on the file of the newest configuration before it."""

    number: int
    overrides: tuple[Override, ...] = ()

    def pack(self) -> bytes:
        """Return the bytes that `unpack_effects` understands."""
        return to_json(self)


def unpack_effects(payload: bytes) -> RunTime:
    """Return what was packed, or raise CodecError."""
    return from_json(payload, RunTime)


def with_effects(configuration: Configuration, effects: bytes) -> Configuration:
    """Return `configuration` with what was set since; `effects` as packed, empty for nothing."""
    if not effects:
        return configuration
    latest = unpack_effects(effects)
    if latest.number <= configuration.number:
        return configuration
    return replace(configuration, number=latest.number, overrides=latest.overrides)


def by_route(overrides: Iterable[Override]) -> dict[str, Override]:
    """Return overrides by the name of their route."""
    return {override.route: override for override in overrides}
