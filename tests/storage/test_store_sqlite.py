"""What the file of the store promises beyond the port."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from proxy.storage import kept_overrides, store_sqlite
from proxy.storage.store import Event, StoreError
from proxy.storage.store_sqlite import SqliteStore
from rules.model import Override

ROLLED_BACK = Override("a", rolled_back=True, reason="errors")


async def test_the_file_is_for_its_owner_alone(tmp_path: Path):
    store = SqliteStore(tmp_path / "var" / "store.db")
    await store.put(ROLLED_BACK)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "var").iterdir()}
    await store.close()

    assert modes["store.db"] == 0o600
    assert set(modes.values()) == {0o600}


async def test_another_process_finds_what_was_kept_without_an_orderly_end(tmp_path: Path):
    store = SqliteStore(tmp_path / "store.db")
    await store.put(ROLLED_BACK)

    found = kept_overrides("sqlite:store.db", tmp_path)
    await store.close()

    assert [(each.route, each.rolled_back, each.revision) for each in found] == [("a", True, 1)]


async def test_a_file_that_is_locked_is_an_error_and_fine_again_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(store_sqlite, "BUSY_SECONDS", 0.05)
    store = SqliteStore(tmp_path / "store.db")
    await store.keep("a", "b")
    thief = sqlite3.connect(tmp_path / "store.db")
    thief.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError):
        await store.put(ROLLED_BACK)
    thief.rollback()
    thief.close()
    kept = await store.put(ROLLED_BACK)
    await store.close()

    assert kept.revision == 1


async def test_a_place_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    store = SqliteStore(tmp_path / "file" / "store.db")

    with pytest.raises(StoreError, match=r"store\.db"):
        await store.overrides()
    await store.close()


async def test_a_file_that_is_no_database_is_an_error(tmp_path: Path):
    (tmp_path / "store.db").write_bytes(b"this is no database at all" * 100)

    with pytest.raises(StoreError):
        kept_overrides("sqlite:store.db", tmp_path)


async def test_more_than_a_bounded_number_of_calls_is_not_queued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store_sqlite, "MOST_WAITING", 3)
    store = SqliteStore(tmp_path / "store.db")

    outcomes = await asyncio.gather(
        *(store.append(Event(number, 0.0, "hold", "a", "me", "")) for number in range(1, 6)), return_exceptions=True
    )
    kept = await store.events()
    await store.close()

    assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [StoreError] * 2
    assert [event.id for event in kept] == [1, 2, 3]
