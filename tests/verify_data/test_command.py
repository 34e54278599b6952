"""`strangler verify-data` over two SQLite files: what is printed, the exit code, JSON."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from proxy.cli import verify_data as command
from proxy.cli.app import run_command
from tests.support.databases import free_port

FILE = """
version: 1
backends: {{legacy: {{url: "http://127.0.0.1:1"}}}}
data:
  legacy: {{url: "sqlite:{legacy}"}}
  modern: {{url: "{modern}"}}
  tables:
    - name: invoices
      legacy: {{table: tbl_invoices, key: id}}
      modern: {{table: invoices, key: legacy_id}}
      columns: [number, {{name: total, legacy: amount_cents, convert: "/ 100"}}, password, changed_at]
      changed: changed_at
      totals: [{{count: true, by: number}}]
      settle: 0s
  checks:
    - {{name: rows, legacy: "select count(*) from tbl_invoices", modern: "select count(*) from invoices", settle: 0s}}
"""


class Files:
    """Both databases and the file that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "proxy.yaml"
        self.write(f"sqlite:{folder / 'modern.db'}")
        columns = "password text, changed_at int"
        self.legacy(f"CREATE TABLE tbl_invoices (id integer PRIMARY KEY, number text, amount_cents int, {columns})")
        self.modern(f"CREATE TABLE invoices (legacy_id integer PRIMARY KEY, number text, total int, {columns})")
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        self.legacy(f"INSERT INTO tbl_invoices {numbers} SELECT i, 'N' || (i % 3), i * 100, 'x', i FROM n")
        self.modern(f"INSERT INTO invoices {numbers} SELECT i, 'N' || (i % 3), i, 'x', i FROM n")

    def write(self, modern: str) -> None:
        self.config.write_text(FILE.format(legacy=self.folder / "legacy.db", modern=modern))

    def legacy(self, sql: str) -> None:
        self._do("legacy.db", sql)

    def modern(self, sql: str) -> None:
        self._do("modern.db", sql)

    def _do(self, name: str, sql: str) -> None:
        with closing(sqlite3.connect(self.folder / name)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(sql)

    def verify(self, *arguments: str) -> int:
        return run_command(["verify-data", *arguments, "-c", str(self.config)])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_same_data_is_0(files: Files, capsys: pytest.CaptureFixture[str]):
    assert files.verify() == 0

    printed = capsys.readouterr().out
    assert "invoices: 500 rows compared, 500 equal," in printed
    assert "check rows: held  legacy 500, modern 500" in printed
    assert printed.endswith("both hold the same\n")


def test_a_difference_is_1_and_shown_with_both_values_and_sql(files: Files, capsys: pytest.CaptureFixture[str]):
    files.modern("UPDATE invoices SET total = 8 WHERE legacy_id = 7")
    files.modern("UPDATE invoices SET password = 'other' WHERE legacy_id = 9")
    files.modern("DELETE FROM invoices WHERE legacy_id = 30")

    assert files.verify() == 1

    printed = re.sub(r"<redacted:\w+>", "<redacted>", capsys.readouterr().out)
    for line in (
        "  2 different, 0 missing in legacy, 1 missing in modern",
        "  by column: total 1, password 1",
        "  7: differs\n    total: 700 → 8",
        "  9: differs\n    password: <redacted> → <redacted>",
        "  30: missing in modern",
        "  count by number N0: 166 → 165",
        "  look at it: legacy> SELECT",
        "check rows: violated  legacy 500, modern 499",
    ):
        assert line in printed


def test_json_holds_the_same_for_programs(files: Files, capsys: pytest.CaptureFixture[str]):
    files.modern("UPDATE invoices SET total = 8 WHERE legacy_id = 7")

    assert files.verify("invoices", "--json") == 1

    document = json.loads(capsys.readouterr().out)
    table = document["tables"][0]
    assert (table["rows"]["equal"], table["rows"]["different"], table["by_column"]) == (499, 1, {"total": 1})
    assert table["examples"][0]["columns"] == [{"name": "total", "legacy": "700", "modern": "8"}]
    assert document["checks"] == [], "named tables alone"


def test_since_reads_what_changed_and_finds_what_was_deleted(files: Files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 500.0)
    files.modern("UPDATE invoices SET total = 0 WHERE legacy_id = 7")
    assert files.verify("invoices", "--since", "60s") == 0, "an old fault is for a full run"

    files.legacy("DELETE FROM tbl_invoices WHERE id = 12")
    assert files.verify("invoices", "--since", "60s") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["invoice"], "no table `invoice` under `data.tables`; there are invoices"),
        (["--since", "soon"], "--since: "),
        (["--since", "1h", "--full"], "`--full` reads every row, `--since` only what changed: one of them"),
    ],
)
def test_what_cannot_be_done_is_2(files: Files, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    assert files.verify(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_missing_table_is_2_and_an_unreachable_side_3(files: Files, capsys: pytest.CaptureFixture[str]):
    files.modern("ALTER TABLE invoices RENAME TO bills")
    assert files.verify() == 2
    assert "modern: no table `invoices` in" in capsys.readouterr().err

    files.write(f"postgresql://reader@127.0.0.1:{free_port()}/billing")
    assert files.verify() == 3
    assert "invoices: not verified: modern: postgresql://127.0.0.1:" in capsys.readouterr().err


def test_a_file_without_the_section_is_2(files: Files, capsys: pytest.CaptureFixture[str]):
    files.config.write_text(files.config.read_text().partition("data:")[0])

    assert files.verify() == 2
    assert "has no `data` section" in capsys.readouterr().err


def test_without_drivers_it_says_what_to_install(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)

    assert files.verify() == 2
    assert "pip install 'strangler-proxy[data]'" in capsys.readouterr().err


def test_follow_goes_on_until_it_is_stopped(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    rounds: list[float] = []

    class Stop:
        def wait(self, seconds: float) -> bool:
            if seconds < 1:  # the pace of rows
                return False
            rounds.append(seconds)
            files.modern("DELETE FROM invoices WHERE legacy_id = 12")
            return len(rounds) > 1

        def is_set(self) -> bool:
            return False

    monkeypatch.setattr(command, "_stopping", lambda: nullcontext(Stop()))

    assert files.verify("--follow") == 1
    assert rounds == [command.FOLLOW_EVERY] * 2
    assert capsys.readouterr().out.count("12: missing in modern") == 1
