"""A worker that crashes with a new file before it serves is followed by one that starts with the file before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from proxy.settings import Settings
from proxy.supervisor.process_manager import Notifier, ProcessManager

OLD, NEW = b"the old file", b"the new one"


@dataclass
class Dead:
    """What is left of a worker."""

    payload: bytes
    accepting: bool
    slot: int = 0
    pid: int = 1


@pytest.mark.parametrize(
    ("began_with", "served", "next_begins_with"),
    [(NEW, False, OLD), (NEW, True, NEW), (OLD, False, NEW)],
    ids=["dies-before-it-serves", "dies-later", "had-the-old-file"],
)
async def test_only_a_file_that_kills_whoever_begins_with_it_is_left(
    tmp_path: Path, began_with: bytes, served: bool, next_begins_with: bytes
):
    told: list[str] = []
    settings = Settings(str(tmp_path / "proxy.yaml"), "a", "b", "memory", 1, 1, 1.0, tls=False, legacy_only=False)
    keeper = ProcessManager(
        settings,
        OLD,
        listeners=[],
        admin=None,
        addresses=(),
        announce=lambda: None,
        closing=lambda: None,
        emit=lambda event, *_, **__: told.append(event),
        systemd=Notifier({}),
    )
    keeper._proven, keeper._payload = OLD, NEW

    keeper._go_back(Dead(began_with, served))  # type: ignore[arg-type]

    assert keeper._payload == next_begins_with
    assert told == (["file_deadly"] if next_begins_with is OLD else [])
