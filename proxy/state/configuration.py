"""A generation as it travels: the checked file, what was set at run time, its number."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.ipc.codec import from_json, to_json
from rules.model import Override, Snapshot
from rules.problems import Problem


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a worker needs to build the generation `number`.

    `loaded_at` is epoch seconds. `content` is the hash of the file's bytes, `warnings` what was said about them:
    a later control process need not read an unchanged file again. `sticky_key` signs the proxy's own cookies.
    """

    number: int
    snapshot: Snapshot
    overrides: tuple[Override, ...] = ()
    legacy_only: bool = False
    loaded_at: float = 0.0
    content: str = ""
    warnings: tuple[Problem, ...] = ()
    sticky_key: str = field(default="", repr=False)

    def pack(self) -> bytes:
        """Return the bytes that `unpack` understands; the supervisor keeps them unread."""
        return to_json(self)


def unpack(payload: bytes) -> Configuration:
    """Return the configuration that was packed, or raise CodecError."""
    return from_json(payload, Configuration)
