"""Stored files are readable by their owner only, also ones that existed before."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from proxy.storage.store_sqlite import kept, opened


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
@pytest.mark.parametrize("mode", [0o644, 0o666, 0o660])
def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path, ending: str, mode: int):
    path = tmp_path / "strangler.db"
    opened(path).close()
    beside = path.with_name(path.name + ending)
    beside.touch()
    beside.chmod(mode)

    opened(path).close()
    kept(path, "name", "made")

    assert not beside.exists() or stat.S_IMODE(beside.stat().st_mode) == 0o600
