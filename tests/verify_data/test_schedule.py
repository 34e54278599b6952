"""When a table is verified in full, when only changed rows are, and what a result contains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.data.run_state import Kept, RunState, after, state_in
from proxy.data.schedule import OVERLAP, Due, due_checks, due_tables
from proxy.ipc.codec import from_json, to_json
from rules.data_settings import DataCheck, DataOrders, DataSettings, DataSource
from tests.support.redis_server import PASSWORD, redis_running
from tests.verify_data.both import table

CHANGING = table("users:id", "users:id", ["name=full_name / 100"], changed="at", totals=[("name", None)])
CHECK = DataCheck("one", "select 1", "select 1", every=60.0)
SETTINGS = DataSettings(
    DataSource("sqlite:a"),
    DataSource("sqlite:b"),
    tables=(CHANGING,),
    checks=(CHECK,),
    every=900.0,
    full_every=86_400.0,
)
NOW = 1_000_000.0


def document(*, same: bool, full: bool) -> dict[str, Any]:
    return {"same": same, "full": full}


def kept(ago: float, *, full_ago: float | None = None, verified: bool = True) -> dict[str, Kept]:
    at = NOW - ago
    full = at if full_ago is None else NOW - full_ago
    return {"users": Kept({}, at - 1, at, full, at if verified else 0.0)}


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ({}, [Due("users", None)]),
        (kept(899), []),
        (kept(900), [Due("users", NOW - 901 - OVERLAP)]),
        (kept(900, full_ago=86_400), [Due("users", None)]),
        (kept(900, verified=False), [Due("users", None)]),
    ],
    ids=["never", "lately", "what changed", "a day ago", "it differs"],
)
def test_a_table_is_read_whole_at_first_after_a_difference_and_each_day(known: dict[str, Kept], due: list[Due]):
    assert list(due_tables(SETTINGS, known, {}, NOW)) == due


def test_without_every_nothing_runs_by_itself():
    assert list(due_tables(replace(SETTINGS, every=0.0), {}, {}, NOW)) == []


def test_a_table_without_a_time_of_change_waits_for_the_full_run():
    settings = replace(SETTINGS, tables=(replace(CHANGING, changed=None),))

    assert list(due_tables(settings, kept(900), {}, NOW)) == []
    assert list(due_tables(settings, kept(86_400), {}, NOW)) == [Due("users", None)]


def test_a_table_that_failed_is_tried_again_after_every_and_not_before():
    assert list(due_tables(SETTINGS, {}, {"users": NOW - 10}, NOW)) == []
    assert list(due_tables(SETTINGS, {}, {"users": NOW - 900}, NOW)) == [Due("users", None)]


@pytest.mark.parametrize(("ago", "took", "due"), [(59, 1, False), (60, 1, True), (60, 30, False), (300, 30, True)])
def test_a_check_is_asked_at_most_a_tenth_of_the_time(ago: float, took: float, due: bool):
    assert bool(list(due_checks(SETTINGS, {"one": (NOW - ago, took)}, NOW))) is due


def test_only_a_run_over_every_row_says_that_a_difference_is_mended():
    differed = after(None, document(same=False, full=True), 9.0, 10.0)
    changed = after(differed, document(same=True, full=False), 19.0, 20.0)
    whole = after(changed, document(same=True, full=True), 29.0, 30.0)
    later = after(whole, document(same=True, full=False), 39.0, 40.0)
    again = after(later, document(same=False, full=False), 49.0, 50.0)

    assert [one.verified for one in (differed, changed, whole, later, again)] == [0.0, 0.0, 30.0, 40.0, 0.0]
    assert changed.document == differed.document, "what differed is still shown"
    assert (later.full, later.at, later.began) == (30.0, 40.0, 39.0)


@pytest.fixture
def kept_in(tmp_path: Path) -> Iterator[Callable[[str], RunState]]:
    made: list[RunState] = []

    def state(store: str) -> RunState:
        made.append(state_in(store, tmp_path))
        return made[-1]

    yield state
    for one in made:
        one.close()


Kinds = Callable[[str], RunState]


@pytest.mark.parametrize("store", ["memory", "sqlite:var/strangler.db"])
def test_results_are_kept_for_the_same_settings_alone(kept_in: Kinds, store: str):
    kept_in(store).finished(CHANGING, document(same=True, full=True), 1.0, 2.0)
    state = kept_in(store)

    assert state.results([CHANGING])["users"].verified == 2.0
    assert state.results([replace(CHANGING, settle=9.0)]) == {}


def test_what_is_kept_is_for_its_owner_alone(kept_in: Kinds, tmp_path: Path):
    kept_in("memory").finished(CHANGING, document(same=True, full=True), 1.0, 2.0)

    (path,) = tmp_path.glob("*.sqlite")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_instances_share_what_is_kept_in_redis(kept_in: Kinds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRANGLER_REDIS_PASSWORD", PASSWORD)
    async with redis_running(tmp_path) as server:
        here, there = kept_in(server.url), kept_in(server.url)
        check = DataCheck("credits", "select 1", "select 1")

        here.finished(CHANGING, document(same=True, full=True), 1.0, 2.0)
        here.judged(check, {"state": "violated", "at": 3.0})
        here.keep(CHANGING, 7, {}, 4.0)

        assert there.results([CHANGING])["users"].verified == 2.0
        assert there.checks([check]) == {"credits": {"state": "violated", "at": 3.0}}
        assert there.checks([replace(check, every=9.0)]) == {}
        place = there.place(CHANGING, 5.0)
        assert place is not None
        assert place.last == 7


@pytest.mark.parametrize("store", ["sqlite:there/a-folder", "redis://127.0.0.1:1/0"])
def test_a_store_that_does_not_answer_keeps_nothing_fails_nothing_and_says_why(
    kept_in: Kinds, tmp_path: Path, store: str
):
    (tmp_path / "there/a-folder").mkdir(parents=True)
    state = kept_in(store)

    state.keep(CHANGING, 5, {}, 1.0)

    assert state.trouble
    assert state.place(CHANGING, 1.0) is None
    assert state.finished(CHANGING, document(same=True, full=True), 1.0, 2.0).verified == 2.0


def test_a_place_is_too_old_after_a_day_and_gone_with_its_run(kept_in: Kinds):
    state = kept_in("memory")
    state.keep(CHANGING, 2**63 - 1, {"a": 1}, 100.0)

    found = state.place(CHANGING, 86_000.0)

    assert found is not None
    assert (found.last, found.result) == (2**63 - 1, {"a": 1})
    assert state.place(CHANGING, 90_000.0) is None
    state.forget(CHANGING)
    assert state.place(CHANGING, 100.0) is None


def test_orders_travel_whole():
    orders = DataOrders(SETTINGS, ("/token",), "redis://h/0", "/etc/strangler", leads=False)

    assert from_json(to_json(orders), DataOrders) == orders
