"""Real databases: the same meaning in two types is no difference, the nearest other meaning is one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comparators import row_values
from tests.verify_data.both import Both, rows_of, table

ID = UUID("0b9f3c1e-6a52-4a4e-9a35-0d3c2f1e8b7a")

ZOO: dict[str, tuple[str, str, list[tuple[Any, Any]], tuple[Any, Any]]] = {
    # column: legacy's type, modern's type, pairs that mean the same, one pair that does not
    "flag": ("tinyint(1)", "boolean", [(1, True), (0, False), (None, None)], (1, False)),
    "bit1": ("bit(1)", "boolean", [(b"\x01", True), (b"\x00", False)], (b"\x01", False)),
    "bits": ("bit(8)", "integer", [(b"\x05", 5), (b"\xff", 255)], (b"\x05", 6)),
    "price": ("decimal(10,4)", "numeric(12,2)", [("10.5000", "10.50"), ("0", "0.00"), ("-0.0100", "-0.01")],
              ("10.5001", "10.50")),
    "huge": ("bigint unsigned", "numeric(20)", [(2**64 - 1, 2**64 - 1), (0, 0)], (2**64 - 1, 2**64 - 2)),
    "code": ("char(5)", "char(8)", [("NL", "NL"), ("", ""), ("a b", "a b")], ("NL", "NLD")),
    "fixed": ("char(5)", "text", [("NL", "NL")], ("NL", " NL")),
    "day": ("date", "date", [("2026-02-28", "2026-02-28"), ("0000-00-00", None)], ("2026-02-28", "2026-03-01")),
    "at": ("datetime(6)", "timestamptz", [
        ("2026-07-01 12:00:00", "2026-07-01 10:00:00+00"),
        ("2026-10-25 02:30:00", "2026-10-25 01:30:00+00"),
        ("2026-03-29 03:00:00", "2026-03-29 01:00:00+00"),
        ("2026-01-01 00:00:00.000001", "2025-12-31 23:00:00.000001+00"),
        ("0000-00-00 00:00:00", None)], ("2026-07-01 12:00:00", "2026-07-01 12:00:00+00")),
    "stamp": ("timestamp null", "timestamptz", [("2026-07-01 12:00:00", "2026-07-01 12:00:00+00")],
              ("2026-07-01 12:00:00", "2026-07-01 13:00:00+00")),
    "of_day": ("time", "time", [("09:30:00", "09:30:00")], ("09:30:00", "10:30:00")),
    "doc": ("json", "jsonb", [('{"b": 1, "a": [1, 2.50]}', '{"a":[1,2.5],"b":1}'), ("null", "null")],
            ('{"a": 1}', '{"a": "1"}')),
    "state": ("enum('open','paid')", "text", [("open", "open"), ("paid", "paid")], ("open", "paid")),
    "latin": ("varchar(50) CHARACTER SET latin1", "text", [("Ünï", "Ünï"), ("€ 5", "€ 5"), ("", "")], ("é", "e")),
    "utf8": ("text CHARACTER SET utf8mb4", "varchar(99)", [("日本 🎉", "日本 🎉"), ("a\nb", "a\nb")], ("🎉", "🎊")),
    "uuid": ("binary(16)", "uuid", [(ID.bytes, ID)], (ID.bytes, UUID(int=1))),
    "uuid_text": ("char(36)", "uuid", [(str(ID).upper(), ID)], (str(ID), UUID(int=1))),
    "raw": ("varbinary(20)", "bytea", [(b"\x00\xff", b"\x00\xff"), (b"", b"")], (b"\x00", b"\x01")),
    "ratio": ("double", "double precision", [(0.1, 0.1), (1e300, 1e300), (1 / 3, 1 / 3)], (0.1, 0.2)),
    "number": ("varchar(20)", "integer", [("42", 42), ("", None)], ("42", 43)),
    "year": ("year", "smallint", [(2026, 2026)], (2026, 2025)),
    "fine": ("decimal(38,18)", "numeric", [
        ("1.000000000000000001", "1.000000000000000001"), ("12345678901234567890.1", "12345678901234567890.1")],
        ("1.000000000000000001", "1")),
    "money": ("decimal(10,2)", "money", [("1234.50", "1234.50"), ("-0.05", "-0.05")], ("10.50", "10.51")),
    "single": ("float", "real", [(0.1, 0.1), (1.5, 1.5), (16777216, 16777216), (1234.567, 1234.567)],
               (16777216, 16777214)),
    "widened": ("float", "double precision", [(0.1, 0.1), (16777216, 16777216), (1234.567, 1234.567)], (0.1, 0.100001)),
    "exact": ("float", "numeric(12,4)", [(0.1, "0.1"), (1234.567, "1234.567"), (16777215, "16777215")],
              (0.1, "0.1001")),
    "narrowed": ("double", "real", [(0.1, 0.1), (1234.567, 1234.567)], (16777216, 16777214)),
    "zero": ("double", "double precision", [(-0.0, 0.0), (0.0, -0.0)], (0.0, 1e-300)),
    "tiny": ("tinyint unsigned", "smallint", [(255, 255), (0, 0)], (255, -1)),
    "members": ("set('a','b','c')", "text[]", [("a,b", ["a", "b"]), ("", []), (None, None)], ("a,b", ["a"])),
    "crlf": ("mediumtext", "text", [("a\r\nb", "a\r\nb")], ("a\r\nb", "a\nb")),
    "blank": ("varchar(20)", "varchar(20)", [("a ", "a "), (" ", " ")], ("a ", "a")),
    "bar": ("varchar(20)", "text", [("a|b", "a|b"), ("-", "-"), ("|", "|")], ("-", None)),
    "nul": ("varchar(20)", "text", [("ab", "ab")], ("a\0b", "ab")),
    "micro": ("timestamp(6) null", "timestamptz", [
        ("2026-07-01 12:00:00.123456", "2026-07-01 12:00:00.123456+00"),
        ("2026-07-01 12:00:00.120000", "2026-07-01 12:00:00.12+00")],
        ("2026-07-01 12:00:00.123456", "2026-07-01 12:00:00.123457+00")),
    "milli": ("datetime(3)", "timestamptz", [
        ("2026-07-01 12:00:10.500", "2026-07-01 10:00:10.5+00"),
        ("2026-07-01 12:00:10.000", "2026-07-01 10:00:10+00")],
        ("2026-07-01 12:00:10.500", "2026-07-01 10:00:10.501+00")),
    "hours": ("time", "interval", [("26:00:00", timedelta(hours=26)), ("-01:30:00", timedelta(hours=-1.5))],
             ("26:00:00", timedelta(hours=2))),
    "spelt": ("longtext", "jsonb", [('{"b": 1.0, "a": [2, 1e2]}', '{"a": [2, 100], "b": 1}')],
              ('{"a": [1, 2]}', '{"a": [2, 1]}')),
    "host": ("varchar(45)", "inet", [("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::1")],
             ("10.0.0.1", "10.0.0.2")),
    "hex": ("char(32)", "uuid", [(ID.hex, ID)], (ID.hex, UUID(int=2))),
    "made": ("int GENERATED ALWAYS AS (id * 2)", "integer", [(None, 2), (None, 4)], (None, 7)),
}  # fmt: skip


FETCHED = {
    "bits",
    "doc",
    "ratio",
    "of_day",
    "number",
    "single",
    "widened",
    "exact",
    "narrowed",
    "zero",
    "members",
    "hours",
    "spelt",
    "host",
}
"""Columns that no database can check: read for every row."""


def made(both: Both, name: str) -> None:
    legacy, modern = ZOO[name][:2]
    both.timezone = "Europe/Amsterdam"
    both.legacy(f"CREATE TABLE {name}s (id int PRIMARY KEY, {name} {legacy}) DEFAULT CHARSET utf8mb4")
    both.modern(f"CREATE TABLE {name}s (id int PRIMARY KEY, {name} {modern})")
    both.legacy("SET time_zone = '+00:00'")


def filled(both: Both, name: str, pairs: list[tuple[Any, Any]], first: int = 1) -> None:
    for number, (left, right) in enumerate(pairs, first):
        if "GENERATED" in ZOO[name][0]:
            both.legacy(f"INSERT INTO {name}s (id) VALUES (%s)", (number,))
        else:
            both.legacy(f"INSERT INTO {name}s VALUES (%s, %s)", (number, left))
        both.modern(f"INSERT INTO {name}s VALUES (%s, %s)", (number, right))


def test_the_same_meaning_in_two_types_is_no_difference_and_the_nearest_other_meaning_is(both: Both):
    found: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, (_, _, same, other) in ZOO.items():
        one = table(f"{name}s", f"{name}s", [name])
        made(both, name)
        filled(both, name, same)
        alike = both.verified(one)
        # the keys' bounds, the lag, the checksums of two groups at most; then rows, if any
        reads = max(both.reads) > 2 + min(len(same), 2)
        filled(both, name, [other], len(same) + 1)
        result = both.verified(one)
        found[name] = (alike.same, reads, result.equal, rows_of(result))
        expected[name] = (True, name in FETCHED, len(same), {str(len(same) + 1): name})

    assert found == expected


def test_columns_that_no_database_can_check_are_fetched_and_said_so(both: Both):
    made(both, "doc")
    filled(both, "doc", ZOO["doc"][2])

    assert both.verified(table("docs", "docs", ["doc"])).notes == [
        "doc: no database can check this, so it is fetched for every row and compared here"
    ]


@pytest.mark.parametrize(
    ("legacy", "modern", "keys"),
    [
        ("code varchar(20) PRIMARY KEY", "code text PRIMARY KEY", [("B",), ("a",), ("ü",), ("10",), ("9",)]),
        (
            "a int, b varchar(9), PRIMARY KEY (a, b)",
            "a int, b text, PRIMARY KEY (a, b)",
            [(1, "x"), (1, "y"), (2, "x")],
        ),
        ("code char(4) PRIMARY KEY", "code char(9) PRIMARY KEY", [("NL",), ("D",)]),
        ("id bigint PRIMARY KEY", "id bigint PRIMARY KEY", [(-(2**63),), (-5,), (0,), (2**62,)]),
        ("id bigint unsigned PRIMARY KEY", "id numeric(20) PRIMARY KEY", [(1,), (2**64 - 1,)]),
        ("id binary(16) PRIMARY KEY", "id uuid PRIMARY KEY", [(ID,), (UUID(int=7),)]),
    ],
    ids=["text", "composite", "padded", "sparse", "unsigned", "uuid"],
)
def test_rows_are_found_by_any_key_whatever_its_order(both: Both, legacy: str, modern: str, keys: list[Any]):
    both.legacy(f"CREATE TABLE rows_ ({legacy}, v int) DEFAULT CHARSET utf8mb4")
    both.modern(f"CREATE TABLE rows_ ({modern}, v int)")
    names = ["a", "b"] if "a int" in legacy else [legacy.split(maxsplit=1)[0]]
    marks = ", ".join(["%s"] * (len(names) + 1))
    for index, key in enumerate(keys):
        own = [part.bytes if isinstance(part, UUID) else part for part in key]
        both.legacy(f"INSERT INTO rows_ VALUES ({marks})", (*own, index))
        both.modern(f"INSERT INTO rows_ VALUES ({marks})", (*key, index))
    one = table(f"rows_:{','.join(names)}", f"rows_:{','.join(names)}", ["v"])
    assert both.verified(one).equal == len(keys)

    both.modern("UPDATE rows_ SET v = 99 WHERE v = 1")
    both.modern("DELETE FROM rows_ WHERE v = 0")
    found = both.verified(one)

    shown = [", ".join(map(str, key)) for key in keys]
    assert rows_of(found) == {shown[0]: "missing_modern", shown[1]: "v"}
    assert found.equal == len(keys) - 2


def test_an_empty_table_and_a_single_row_are_tables_too(both: Both):
    both.legacy("CREATE TABLE few (id int PRIMARY KEY, v int)")
    both.modern("CREATE TABLE few (id int PRIMARY KEY, v int)")
    one = table("few", "few", ["v"], totals=[("v", None)])
    empty = both.verified(one)
    both.legacy("INSERT INTO few VALUES (7, 1)")
    lost = both.verified(one)
    both.modern("INSERT INTO few VALUES (7, 1)")
    single = both.verified(one)

    assert (empty.same, empty.compared) == (True, 0)
    assert (rows_of(lost), lost.compared) == ({"7": "missing_modern"}, 1)
    assert (single.same, single.compared) == (True, 1)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
CENTS = st.decimals(min_value=-99999, max_value=99999, places=2)
NEAR = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(hours=1)])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 - written in a zone


@st.composite
def near_rows(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Rows whose sides are the same or as good as: text, number, time, truth on each."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        text, cents, moment, truth = draw(TEXTS), draw(CENTS), draw(MOMENTS), draw(st.booleans())
        other = draw(st.sampled_from([text, text.rstrip(" "), text.upper(), None]))
        at = moment.replace(tzinfo=ZoneInfo("Europe/Amsterdam")).astimezone(UTC) + draw(NEAR)
        near = cents + draw(st.sampled_from([Decimal(0), Decimal("0.01")]))
        rows.append((text, other, cents, near, moment, at, truth, draw(st.booleans())))
    return rows


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=near_rows())
def test_databases_hold_rows_alike_exactly_where_the_rules_do(both: Both, rows: list[tuple[Any, ...]]):
    both.timezone = "Europe/Amsterdam"
    both.legacy("CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a varchar(9), b decimal(9,2), c datetime(6), d bool)"
                " DEFAULT CHARSET utf8mb4")  # fmt: skip
    both.modern("CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a text, b numeric, c timestamptz, d boolean)")
    both.legacy("DELETE FROM t")
    both.modern("DELETE FROM t")
    both.legacy("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", *((i, r[0], r[2], r[4], r[6]) for i, r in enumerate(rows)))
    both.modern("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", *((i, r[1], r[3], r[5], r[7]) for i, r in enumerate(rows)))
    kinds = (row_values.TEXT, row_values.DECIMAL, row_values.DATETIME)
    pairs = [row_values.ValuePair("x", kind, kind, legacy_zone="Europe/Amsterdam") for kind in kinds]
    pairs.append(row_values.ValuePair("x", row_values.INTEGER, row_values.BOOLEAN))

    def alike(row: tuple[Any, ...]) -> bool:
        return all(row_values.rule(row[2 * i], row[2 * i + 1], pair) is not None for i, pair in enumerate(pairs))

    found = both.verified(table("t", "t", ["a", "b", "c", "d"]))

    assert found.equal == sum(map(alike, rows))
    assert found.different == len(rows) - found.equal
