"""Real databases: what cannot be verified is reported in one sentence, and affects nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from proxy.data.checks import CheckResult, run_check
from proxy.data.database import DatabaseError
from proxy.data.redaction import redacting
from proxy.data.runner import Runner, TableFailure, Wanted, opened
from rules.data_settings import DataCheck
from tests.support.databases import free_port
from tests.verify_data.both import LIMITS, Both, table

ONE = table("users:id", "people:id", ["name"])


@pytest.fixture
def filled(both: Both) -> Both:
    both.legacy("CREATE TABLE users (id int PRIMARY KEY, name varchar(20), token varchar(40), n int, blob_ blob)")
    both.modern("CREATE TABLE people (id int PRIMARY KEY, name text, token text, other int, n int, at time, born date)")
    both.legacy("INSERT INTO users VALUES (1, 'a', 's3cret', 7, NULL), (2, 'b', 's3cret', 7, NULL)")
    both.modern("INSERT INTO people VALUES (1, 'a', 's3cret', 7, 7), (2, 'b', 's3cret', 7, 7)")
    return both


def test_an_unreachable_side_is_said_with_its_address(filled: Both):
    port = free_port()
    filled.modern_url = f"postgresql://test@127.0.0.1:{port}/x"

    found = filled.refused(ONE)

    assert found.unreachable
    assert found.reason.startswith(f"modern: postgresql://127.0.0.1:{port}/x: ")
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (table("user:id", "people:id", ["name"]), "legacy: no table `user` in "),
        (table("users:id", "persons:id", ["name"]), "; it has people"),
        (table("users:id", "people:id", ["nam"]), "people: legacy's `users` has no column `nam`; it has blob_, id, n"),
        (table("users:id", "people:uid", ["name"]), "people: modern's `people` has no column `uid`; it has at, b"),
        (table("users:blob_", "people:id", ["name"]), "`blob_/id` is binary and integer, which cannot be a key"),
        (table("users:n", "people:id", ["name"]), "people: legacy's key (`n`) is not unique: 2 rows have 7"),
        (table("users:id", "people:other", ["name"]), 'people: modern\'s key ("other") is not unique: 2 rows have 7'),
        (table("users:id", "people:id", ["name"], changed="gone"), "has no column `gone`"),
        (table("users:id", "people:id", ["at=n"]), "people: `at` is integer in legacy and time in modern, which"),
        (table("users:id", "people:id", ["born=blob_"]), "`born` is binary in legacy and date in modern, which can"),
        (table("users:id", "people:id", ["at=n / 100"]), "`convert` computes with numbers"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_by_name(filled: Both, one: Any, said: str):
    found = filled.refused(one)

    assert said in found.reason
    assert not found.unreachable


def test_rows_without_a_key_are_counted_and_left_out_by_where(filled: Both):
    filled.modern("UPDATE people SET other = 1 WHERE id = 1; UPDATE people SET other = NULL WHERE id = 2")
    one = table("users:id", "people:other", ["name"])

    assert 'is null in 1 rows: leave them out with `where: "other is not null"`' in filled.refused(one).reason

    left_out = replace(one, modern=replace(one.modern, where="other is not null"))
    assert filled.verified(left_out).missing_modern == 1


def test_types_of_no_common_meaning_differ_in_every_row_and_do_not_fail(filled: Both):
    filled.modern("UPDATE people SET at = '09:30'")

    assert filled.verified(table("users:id", "people:id", ["at=name"])).different == 2


def test_a_user_without_permission_is_told_and_one_who_may_write_is_warned_of(filled: Both):
    filled.modern("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN")
    filled.modern_url = filled.modern_url.replace("test@", "reader@")

    refused = filled.refused(ONE)

    assert "permission denied for table people" in refused.reason
    assert not refused.unreachable
    filled.modern("GRANT SELECT ON people TO reader")
    assert filled.verified(ONE).same
    settings = filled.settings(ONE)
    with opened(settings, {}) as databases:
        warned = Runner(settings, databases, lambda: 0.0, filled.stop, print, redacting(b"k", ())).warnings()
    assert [one.partition(":")[0] for one in warned] == ["legacy"]
    filled.modern("DROP OWNED BY reader; DROP ROLE reader")


def test_sessions_cannot_write(filled: Both):
    with opened(filled.settings(ONE), {}) as databases:
        for database, name in zip(databases, ("users", "people"), strict=True):
            with pytest.raises(DatabaseError, match=r"(?i)read.only"):
                database.rows(f"DELETE FROM {name}")
    assert filled.verified(ONE).equal == 2


def test_a_query_ends_in_time(filled: Both):
    filled.limits = replace(LIMITS, statement_timeout=0.2)
    with opened(filled.settings(ONE), {}) as databases:
        for database, sleep in zip(databases, ("SELECT SLEEP(5)", "SELECT pg_sleep(5)"), strict=True):
            with pytest.raises(DatabaseError, match="longer than `statement_timeout`"):
                database.rows(sleep)


def test_a_table_that_cannot_be_verified_fails_alone(filled: Both):
    settings = filled.settings(table("users:id", "gone:id", ["name"]), ONE)
    with opened(settings, {}) as databases:
        runner = Runner(settings, databases, lambda: 0.0, filled.stop, lambda *_: None, redacting(b"k", ()))
        first, second = runner.tables(Wanted())

    assert isinstance(first, TableFailure)
    assert not isinstance(second, TableFailure)
    assert second.same


def test_secrets_are_not_shown_and_the_row_can_be_looked_at(filled: Both):
    filled.modern("UPDATE people SET token = 'other' WHERE id = 2")

    found = filled.verified(table("users:id", "people:id", ["name", "token"]))

    [(name, legacy, modern)] = found.examples[0].columns
    assert (name, legacy[:10], modern[:10]) == ("token", "<redacted:", "<redacted:")
    assert legacy != modern
    assert found.look == (
        "SELECT `id`, `name`, `token` FROM `users` WHERE `id` = 2;",
        'SELECT "id", "name", "token" FROM "people" WHERE "id" = 2;',
    )
    assert "s3cret" not in str(found.document())


CHECK = DataCheck("credits", "SELECT SUM(n) FROM users", "SELECT SUM(n) FROM people", settle=0.5)


def checked(both: Both, check: DataCheck, between: Callable[[], None] = lambda: None) -> Any:
    waited: list[float] = []

    def settle(seconds: float) -> None:
        waited.append(seconds)
        between()

    with opened(both.settings(checks=[check]), {}) as databases:
        found = run_check(check, databases, settle, 30.0)
    return found.state, found.reason, waited


def test_a_check_is_violated_when_the_same_excess_stands_in_three_readings(filled: Both):
    assert checked(filled, CHECK) == ("held", "", [])

    filled.modern("UPDATE people SET n = 8 WHERE id = 1")

    assert checked(filled, CHECK) == ("violated", "", [0.5, 0.5])


def test_a_difference_that_moves_or_comes_together_is_no_violation(filled: Both):
    filled.modern("UPDATE people SET n = 8 WHERE id = 1")

    def more() -> None:
        filled.modern("UPDATE people SET n = n + 1 WHERE id = 1")

    assert checked(filled, CHECK, more)[:2] == ("not_judged", "the difference moved")
    assert checked(filled, CHECK, lambda: filled.modern("UPDATE people SET n = 7"))[0] == "held"


def test_a_check_is_not_judged_while_legacy_moves(filled: Both):
    with opened(filled.settings(checks=[CHECK]), {}) as (legacy, modern):

        class Moving:
            """Legacy as it is written to behind each query."""

            side = "legacy"
            replica_lag = legacy.replica_lag

            def value(self, sql: str) -> Any:
                found = legacy.value(sql)
                filled.legacy("UPDATE users SET n = n + 1 WHERE id = 1")
                return found

        found = run_check(CHECK, (Moving(), modern), lambda _: None, 30.0)  # type: ignore[arg-type]  # same words

    assert (found.state, found.reason) == ("not_judged", "legacy changed while it was asked")


def test_a_check_shows_figures_and_no_text_whose_name_is_a_secrets():
    redact = redacting(b"k", ())

    def shown(legacy: str, modern: str, sql: str) -> tuple[str, str]:
        found = CheckResult("one", "violated", legacy, modern).redacted(redact, DataCheck("one", sql, sql))
        return found.legacy, found.modern

    assert shown("2", "3", "SELECT COUNT(*) FROM password_resets") == ("2", "3")
    assert shown("s3cret", "s4cret", "SELECT MAX(token) FROM users")[0].startswith("<redacted:")
    assert shown("EUR", "USD", "SELECT MAX(currency) FROM users") == ("EUR", "USD")
    assert "ann@" not in str(shown("ann@example.org", "", "SELECT MIN(name) FROM users"))


def test_a_check_that_takes_too_long_failed_and_was_not_violated(filled: Both):
    filled.limits = replace(LIMITS, statement_timeout=0.2)

    state, reason, _ = checked(filled, replace(CHECK, modern="SELECT COUNT(*) FROM people, pg_sleep(5)"))

    assert (state, "statement_timeout" in reason) == ("failed", True)


@pytest.mark.parametrize(
    ("legacy", "modern", "equal", "state"),
    [
        ("SELECT 10.004", "SELECT 10.00", "rounded", "held"),
        ("SELECT 10.004", "SELECT 10.00", "exact", "violated"),
        ("SELECT 1005", "SELECT 1005.0", "exact", "held"),
        ("SELECT NULL", "SELECT 0", "exact", "violated"),
        ("SELECT 'a'", "SELECT 'b'", "exact", "violated"),
        ("SELECT 'a'", "SELECT 'a'", "exact", "held"),
    ],
)
def test_figures_are_held_together_exactly_or_to_the_cent(
    filled: Both, legacy: str, modern: str, equal: Any, state: str
):
    assert checked(filled, DataCheck("one", legacy, modern, equal=equal))[0] == state


def test_a_database_that_was_killed_and_came_back_is_asked_again(filled: Both):
    def killed(*_: object) -> None:
        with filled.maria.cursor(pymysql.cursors.Cursor) as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command = 'Sleep'"
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")

    assert filled.verified(ONE, progress=killed).same
