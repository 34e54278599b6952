"""Differences are written in the background, whatever the disk does."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from proxy.ipc.judge_messages import Found
from proxy.storage import diff_store as module
from proxy.storage.diff_store import Difference, DiffsError, DiffsThread, Wanted
from proxy.storage.diff_store_memory import MemoryDiffs
from proxy.storage.diff_store_sqlite import SqliteDiffs


def difference(number: int, size: int = 10) -> Difference:
    found = Found("g", "/a", "/a", "value", "1", "2")
    return Difference(f"p{number}", 1000.0 + number, "profile", "GET /", (found,), pair=bytes(size))


class Refusing(MemoryDiffs):
    """A store on a disk that is full for as long as a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    def add_differences(self, differences) -> None:
        if self.full:
            raise DiffsError("database or disk is full")
        super().add_differences(differences)


async def count(thread: DiffsThread) -> int:
    group = await thread.query(lambda store: store.group("g"))
    return group.count if group else 0


async def test_a_question_sees_everything_that_was_added_before_it():
    thread = DiffsThread(MemoryDiffs, lambda _: None)

    for number in range(250):
        thread.add_difference(difference(number))
    seen = await count(thread)

    assert seen == 250
    thread.close()


async def test_a_full_disk_is_survived_told_once_and_what_was_lost_is_counted():
    store, told = Refusing(), []
    thread = DiffsThread(lambda: store, told.append)
    thread.add_difference(difference(1))
    await count(thread)

    store.full = True
    for number in (2, 3):
        thread.add_difference(difference(number))
        await count(thread)
    store.full = False
    thread.add_difference(difference(4))
    seen = await count(thread)

    assert told == ["database or disk is full", ""]
    assert (seen, thread.lost) == (2, 2)
    thread.close()


async def test_a_storm_finds_the_queue_full_and_nobody_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    go_on = threading.Event()

    def slowly() -> MemoryDiffs:
        go_on.wait(5)
        return MemoryDiffs()

    thread = DiffsThread(slowly, lambda _: None)
    taken = [thread.add_difference(difference(number, 100)) for number in range(30)]
    go_on.set()
    seen = await count(thread)

    # the thread may have taken the first ones before it had to wait for the disk
    assert 10 <= taken.count(True) < 30
    assert seen == taken.count(True)
    assert thread.lost == taken.count(False)
    thread.close()


async def test_a_store_that_cannot_be_opened_is_told_and_tried_again(tmp_path: Path):
    (tmp_path / "var").write_text("no folder")
    told: list[str] = []
    thread = DiffsThread(lambda: SqliteDiffs(tmp_path / "var" / "s.diffs.db"), told.append)

    thread.add_difference(difference(1))
    with pytest.raises(DiffsError):
        await count(thread)
    (tmp_path / "var").unlink()
    thread.add_difference(difference(2))
    seen = await count(thread)

    assert len(told) == 2
    assert told[1] == ""
    assert (seen, thread.lost) == (1, 1)
    thread.close()


async def test_what_waits_is_written_at_the_end(tmp_path: Path):
    path = tmp_path / "s.diffs.db"
    thread = DiffsThread(lambda: SqliteDiffs(path), lambda _: None)
    for number in range(50):
        thread.add_difference(difference(number))

    thread.close()
    again = SqliteDiffs(path)

    assert again.groups(Wanted())[0].count == 50
    with pytest.raises(DiffsError):
        await thread.query(lambda store: store.known())
    again.close()


async def test_nobody_but_the_owner_may_read_the_file(tmp_path: Path):
    path = tmp_path / "var" / "s.diffs.db"
    store = SqliteDiffs(path)
    store.add_differences([difference(1)])

    modes = {each.name: oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()}

    assert set(modes.values()) == {"0o600"}
    assert "s.diffs.db-wal" in modes
    store.close()


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path):
    path = tmp_path / "s.diffs.db"
    path.write_bytes(b"this is no database" * 100)

    store = SqliteDiffs(path)
    store.add_differences([difference(1)])

    assert store.group("g") is not None
    assert (tmp_path / "s.diffs.db.broken").read_bytes().startswith(b"this is no")
    store.close()


async def test_a_question_that_nobody_awaits_any_more_hurts_nobody():
    go_on = threading.Event()
    thread = DiffsThread(MemoryDiffs, lambda _: None)
    first = asyncio.ensure_future(thread.query(lambda _: go_on.wait(5)))
    second = asyncio.ensure_future(count(thread))
    await asyncio.sleep(0)

    second.cancel()
    go_on.set()
    await first

    assert await count(thread) == 0
    thread.close()
