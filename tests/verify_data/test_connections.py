"""Connections to databases end with the run that opened them."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from proxy.data.database import Database
from rules.data_settings import DataSource
from tests.support.waiting import until
from tests.verify_data.both import LIMITS

COUNTS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000000) SELECT count(*) FROM n"


def descriptors(path: Path) -> int:
    """How often this process has the file open."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            found += each.readlink() == path
        except OSError:
            continue  # closed meanwhile
    return found


async def test_a_query_under_way_keeps_no_connection_behind_the_end_of_its_run(tmp_path: Path):
    path = tmp_path / "legacy.db"
    path.touch()
    found: list[list[tuple[int]]] = []
    with closing(Database("legacy", DataSource(f"sqlite:{path}"), LIMITS, {})) as database:
        thread = threading.Thread(target=lambda: found.append(database.rows(COUNTS)))
        thread.start()
        await until(lambda: descriptors(path) == 1, "the query")
    thread.join()

    assert found == [[(2000000,)]]
    assert descriptors(path) == 0
