"""`strangler init --database` drafts the section that `verify-data` reads."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from proxy.cli.app import run_command


def database(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return f"sqlite:{path}"


def drafted(folder: Path, *more: str) -> int:
    legacy = database(
        folder / "legacy.db",
        "CREATE TABLE tbl_invoices (id integer PRIMARY KEY, number text, total integer, old text, updated_at text)",
        "CREATE TABLE pairs (a integer NOT NULL, b integer NOT NULL, v text, PRIMARY KEY (a, b))",
        "CREATE TABLE gone (id integer PRIMARY KEY)",
        "CREATE TABLE logs (line text)",
        "INSERT INTO tbl_invoices VALUES (1, 'a', 5, '', '')",
    )
    modern = database(
        folder / "modern.db",
        "CREATE TABLE invoices (id integer PRIMARY KEY, legacy_id integer UNIQUE, number text, total decimal(9, 2),"
        " updated_at text)",
        "CREATE TABLE pairs (a integer NOT NULL, b integer NOT NULL, v text, PRIMARY KEY (a, b))",
        "CREATE TABLE logs (line text)",
        "INSERT INTO invoices VALUES (9, 1, 'a', 5, '')",
    )
    options = ("--database", f"legacy={legacy}", "--database", f"modern={modern}")
    return run_command(["init", "-c", str(folder / "proxy.yaml"), *options, *more])


def test_tables_columns_and_keys_are_matched_and_the_draft_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert drafted(tmp_path) == 0

    said = capsys.readouterr().out
    tables = yaml.safe_load((tmp_path / "proxy.yaml").read_text())["data"]["tables"]
    assert tables == [
        {"name": "pairs", "legacy": {"table": "pairs", "key": ["a", "b"]},
         "modern": {"table": "pairs", "key": ["a", "b"]}, "columns": ["v"]},
        {"name": "invoices", "legacy": {"table": "tbl_invoices", "key": ["id"]},
         "modern": {"table": "invoices", "key": ["legacy_id"], "where": "legacy_id is not null"},
         "columns": ["number", "total", "updated_at"], "changed": "updated_at"},
    ]  # fmt: skip
    for sentence in (
        "legacy's table gone: modern has none of that name",
        "logs: no key that both declare as unique; name one by hand",
        "invoices: only legacy has old: match them by hand or leave them out",
        "invoices: total is integer and decimal: does it want `convert`?",
    ):
        assert sentence in said
    assert run_command(["verify-data", "-c", str(tmp_path / "proxy.yaml")]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--database", "legacy=sqlite:a"], "--database is given twice"),
        (["--database", "legacy=sqlite:a", "--database", "modern=oracle://x"], "modern: mysql://, mariadb://"),
        (
            ["--database", "legacy=sqlite:a", "--database", "modern=mysql://me:secret@h/x"],
            "modern: a password does not belong in the file; set MODERN_DB_PASSWORD",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
):
    assert run_command(["init", "-c", str(tmp_path / "x.yaml"), *options]) == 2

    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error
