"""A small disk for a test, which is soon full: a file system in memory, mounted by root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

SMALL = "64k"
LARGE = "64m"


class Disk:
    """A folder with little room, until more is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_room(self) -> None:
        _run("mount", "-o", f"remount,size={LARGE}", str(self.folder))


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount it; who may not mount cannot know what a full disk does, so that fails."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "strangler-test", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()} (the disk of this test needs root)"
