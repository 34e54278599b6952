"""`make demo-data`: the billing database goes from MariaDB to PostgreSQL with five faults, which are then found.

1. MariaDB and PostgreSQL are started on free ports, with data that goes when the demo ends
2. the schema and its rows are written to MariaDB, as they are in the other demo
3. users, orders and invoices are migrated to PostgreSQL, in the types that it has for them
4. `strangler verify-data` says that both hold the same
5. five faults are planted, `strangler verify-data` shows each with its row and column
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.paymenter.seed import connect, seed
from tests.support.databases import Server, mariadb, postgresql

FILE = """\
version: 1
backends:
  legacy: {{url: "http://127.0.0.1:1"}}
data:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
  tables:
    - name: users
      legacy: {{table: users}}
      modern: {{table: users}}
      columns: [first_name, last_name, email, role, is_active, created_at, settings]
      settle: 0s
    - name: orders
      legacy: {{table: orders}}
      modern: {{table: orders}}
      columns: [user_id, status, currency, total, created_at]
      totals: [{{sum: total, by: currency}}, {{count: true, by: status}}]
      settle: 0s
  checks:
    - name: order_total
      legacy: "select sum(total) from orders"
      modern: "select sum(total) from orders"
      settle: 0s
"""

TABLES = {
    "users": "id bigint PRIMARY KEY, first_name text, last_name text, email text, role text, is_active boolean,"
    " created_at timestamptz, settings jsonb",
    "orders": "id bigint PRIMARY KEY, user_id bigint, status text, currency text, total numeric(14,4),"
    " created_at timestamptz",
}
BOOLEANS = {"is_active"}
SWAPPED = (
    "UPDATE orders a SET total = b.total FROM orders b WHERE b.id IN ({pair}) AND a.id IN ({pair}) AND a.id <> b.id"
)
LATE = "UPDATE orders SET created_at = created_at + interval '1 hour' WHERE id = (SELECT MIN(id) + 1 FROM orders)"
FAULTS = (
    ("a cent too much in one order", "UPDATE orders SET total = total + 0.01 WHERE id = (SELECT MIN(id) FROM orders)"),
    ("a lost order", "DELETE FROM orders WHERE id = (SELECT MAX(id) FROM orders)"),
    ("an hour too late", LATE),
    ("a null for ''", "UPDATE users SET last_name = NULL WHERE last_name = ''"),
    ("two orders whose totals were swapped", SWAPPED),
)


def main() -> int:
    """Run the demo; 0 when everything that was planted was found, and nothing before."""
    with tempfile.TemporaryDirectory() as folder, mariadb() as maria, postgresql() as postgres:
        file = Path(folder) / "proxy.yaml"
        legacy = maria.url("billing")
        prepared(maria, legacy)
        modern = migrated(legacy, postgres)
        file.write_text(FILE.format(legacy=legacy, modern=modern))
        print("\n== after the migration", flush=True)
        before = verified(file)
        planted(postgres)
        print("\n== after five faults: " + "; ".join(name for name, _ in FAULTS), flush=True)
        after = verified(file)
    return 0 if (before, after) == (0, 1) else 1


def prepared(maria: Server, url: str) -> None:
    """Write the example's rows to MariaDB; one user has no last name."""
    import pymysql

    with pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user, autocommit=True) as admin:
        admin.cursor().execute("CREATE DATABASE billing")
    seed(url)
    connection = connect(url)
    cursor = connection.cursor()
    cursor.execute("UPDATE users SET last_name = '' WHERE id = (SELECT * FROM (SELECT MAX(id) FROM users) AS u)")
    connection.commit()
    connection.close()


def migrated(legacy: str, postgres: Server) -> str:
    """Write what MariaDB holds to PostgreSQL; return the address."""
    import psycopg

    place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname="
    with psycopg.connect(place + "postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE billing")
    source = connect(legacy)
    with psycopg.connect(place + "billing", autocommit=True, options="-c timezone=UTC") as target:
        for table, columns in TABLES.items():
            target.execute(f"CREATE TABLE {table} ({columns})")
            names = [column.split()[0] for column in columns.split(", ")]
            cursor = source.cursor()
            cursor.execute(f"SELECT {', '.join(names)} FROM {table}")
            marks = ", ".join(["%s"] * len(names))
            rows = [_row(names, row) for row in cursor.fetchall()]
            target.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            print(f"{table}: {len(rows)} rows migrated", flush=True)
    source.close()
    return postgres.url("billing")


def _row(names: Sequence[str], row: Sequence[Any]) -> list[Any]:
    return [bool(value) if name in BOOLEANS else value for name, value in zip(names, row, strict=True)]


def planted(postgres: Server) -> None:
    """Plant the faults."""
    import psycopg

    place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname=billing"
    with psycopg.connect(place, autocommit=True, options="-c timezone=UTC") as target:
        found = target.execute("SELECT id FROM orders ORDER BY id OFFSET 2 LIMIT 1").fetchone()
        assert found is not None
        sql = "SELECT MIN(id) FROM orders WHERE id > %s AND total <> (SELECT total FROM orders WHERE id = %s)"
        other = target.execute(sql, (found[0], found[0])).fetchone()
        assert other is not None
        for _, fault in FAULTS:
            target.execute(fault.replace("{pair}", f"{found[0]}, {other[0]}"))


def verified(file: Path) -> int:
    """Run the command as an operator does; return its exit code."""
    done = subprocess.run([sys.executable, "-m", "proxy", "verify-data", "-c", str(file)], check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
