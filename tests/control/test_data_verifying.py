"""Messages of the verifying process become events, reasons against promotions, rollbacks, metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.control.data_process import environment_of
from proxy.control.data_verifying import DataVerifying
from proxy.control.errors import RefusedError
from proxy.ipc.codec import from_json
from proxy.ipc.messages import Message
from proxy.ipc.verifying import DataFound, VerifyData
from rules.data_settings import DataCheck, DataOrders, DataSettings, DataSource, DataTable, TableSide
from rules.model import Rollout, Step
from tests.support import snapshots
from tests.support.rollout_rig import BACKENDS, RolloutRig, a_route
from tests.support.waiting import until

SIDE = TableSide("t", ("id",))
CHECK = DataCheck("credits", "select 1", "select 1", on_violation="rollback", routes=("profile",))
SETTINGS = DataSettings(
    DataSource("mysql://reader@h/x", "LEGACY_PW"),
    DataSource("sqlite:b"),
    tables=(DataTable("users", SIDE, SIDE, (), routes=("profile",)),),
    checks=(CHECK,),
    every=900.0,
)
NOW = 1_800_000_000.0


class Process:
    """A process that records what it is sent; `dies` as often as set."""

    def __init__(self, gone: Callable[[bool], None]) -> None:
        self.orders: list[DataOrders] = []
        self.gone = gone

    def send(self, message: Message) -> None:
        assert isinstance(message, VerifyData)
        self.orders.append(from_json(message.payload, DataOrders))

    def end(self) -> None:
        self.gone(False)


class Verified:
    """`started` are the processes, `told` the events, `back` what was rolled back."""

    def __init__(self, folder: Path, *, leads: bool = True) -> None:
        self.leads = leads
        self.started: list[Process] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.back: list[tuple[tuple[str, ...], str, Any]] = []
        self.verifying = DataVerifying(
            folder,
            lambda event, _level="info", /, **fields: self.told.append((event, fields)),
            lambda routes, check, evidence: self.back.append((routes, check, json.loads(evidence))),
            self._start,
            lambda: NOW,
            lambda: self.leads,
        )

    def _start(self, _settings: DataSettings, _heard: object, gone: Callable[[bool], None]) -> Process:
        self.started.append(Process(gone))
        return self.started[-1]

    def apply_settings(self, settings: DataSettings | None) -> None:
        self.verifying.apply_snapshot(replace(snapshots.snapshot(BACKENDS, routes=(a_route(),)), data=settings))

    def hears(self, kind: str, name: str, /, **document: Any) -> None:
        self.verifying.on_message(DataFound(kind, name, json.dumps(document).encode()))

    def hears_table(self, *, different: int = 0, verified: float = NOW) -> None:
        rows = {"compared": 5, "equal": 5 - different, "different": different, "missing_legacy": 0, "missing_modern": 0}
        self.hears("table", "users", rows=rows, totals=[], by_column={}, at=NOW, full_at=NOW, verified_at=verified)


@pytest.fixture
def verified(tmp_path: Path) -> Verified:
    return Verified(tmp_path)


async def test_the_process_follows_the_file(verified: Verified):
    verified.apply_settings(None)
    assert verified.started == []

    verified.apply_settings(SETTINGS)
    verified.apply_settings(SETTINGS)
    verified.apply_settings(replace(SETTINGS, every=60.0))
    verified.apply_settings(replace(SETTINGS, every=60.0))

    assert [orders.settings.every for orders in verified.started[0].orders] == [900.0, 60.0]
    verified.apply_settings(None)
    await asyncio.sleep(0)
    assert len(verified.started) == 1
    verified.verifying.close()


async def test_a_process_that_ends_is_told_of_and_replaced(verified: Verified):
    verified.apply_settings(SETTINGS)
    verified.started[0].gone(False)
    await until(lambda: len(verified.started) == 2, "another process")

    assert [event for event, _ in verified.told] == ["data_lost"]
    assert verified.started[1].orders == verified.started[0].orders
    verified.verifying.close()


async def test_a_route_is_withheld_until_its_table_is_verified_and_while_it_differs(verified: Verified):
    verified.apply_settings(SETTINGS)
    assert verified.verifying.withheld("profile") == "table users was not verified yet"

    verified.hears_table()
    assert verified.verifying.withheld("profile") == ""
    verified.hears_table(different=2, verified=0.0)

    assert verified.verifying.withheld("profile") == "table users differs (2 rows or totals)"
    assert verified.verifying.withheld("other") == ""
    assert [event for event, _ in verified.told] == ["data_verified", "data_differs"]
    verified.verifying.close()


async def test_a_table_that_the_file_describes_anew_is_unknown_again(verified: Verified):
    verified.apply_settings(SETTINGS)
    verified.hears_table()
    verified.apply_settings(replace(SETTINGS, tables=(replace(SETTINGS.tables[0], settle=9.0),)))

    assert verified.verifying.withheld("profile") == "table users was not verified yet"
    verified.verifying.close()


async def test_a_pause_is_an_event_and_shown_until_it_is_over(verified: Verified):
    verified.apply_settings(SETTINGS)
    for ends in (lambda: verified.hears("pause", "users", reason=""), verified.hears_table):
        verified.hears("pause", "users", reason="waiting, legacy executes 40")

        assert verified.verifying.document()["tables"][0]["paused"] == "waiting, legacy executes 40"
        ends()
        assert verified.verifying.document()["tables"][0]["paused"] == ""
    told = [(event, fields) for event, fields in verified.told if event == "data_paused"]
    assert told == [("data_paused", {"table": "users", "reason": "waiting, legacy executes 40"})] * 2
    verified.verifying.close()


async def test_a_failure_is_told_once_as_long_as_it_is_the_same(verified: Verified):
    verified.apply_settings(SETTINGS)
    for reason in ("legacy: gone", "legacy: gone", "legacy: denied"):
        verified.hears("failure", "users", reason=reason, unreachable=True)

    assert [(event, fields["reason"]) for event, fields in verified.told] == [
        ("data_failed", "legacy: gone"), ("data_failed", "legacy: denied"),
    ]  # fmt: skip
    verified.verifying.close()


@pytest.mark.parametrize(
    ("state", "on_violation", "back"),
    [("violated", "rollback", True), ("violated", "observe", False), ("failed", "rollback", False),
     ("not_judged", "rollback", False), ("held", "rollback", False)],
)  # fmt: skip
async def test_only_a_violated_check_that_says_so_rolls_back(
    verified: Verified, state: str, on_violation: str, back: bool
):
    verified.apply_settings(replace(SETTINGS, checks=(replace(CHECK, on_violation=on_violation),)))
    verified.hears("check", "credits", name="credits", state=state, legacy="5", modern="4", reason="", at=NOW)

    evidence = {"check": "credits", "legacy": "5", "modern": "4", "at": NOW}
    assert verified.back == ([(("profile",), "credits", evidence)] if back else [])
    verified.verifying.close()


async def test_only_the_instance_that_leads_asks_the_databases_and_rolls_back(tmp_path: Path):
    other = Verified(tmp_path, leads=False)
    other.apply_settings(SETTINGS)
    violated = {"name": "credits", "state": "violated", "legacy": "5", "modern": "4", "reason": "", "at": NOW}

    other.hears("check", "credits", **violated)
    followed = list(other.back)
    other.leads = True
    other.verifying.look()
    other.verifying.look()
    other.hears("check", "credits", **violated)

    assert [orders.leads for orders in other.started[0].orders] == [False, True]
    assert (followed, len(other.back)) == ([], 1)
    other.verifying.close()


def test_the_process_gets_its_passwords_and_no_other_secret():
    environ = {"LEGACY_PW": "x", "STRANGLER_REDIS_PASSWORD": "r", "STRANGLER_ADMIN_TOKEN": "a", "APP_KEY": "y"}
    found = environment_of(SETTINGS, {**environ, "OTHER": "z"})

    assert (found["LEGACY_PW"], found["STRANGLER_REDIS_PASSWORD"]) == ("x", "r")
    assert "STRANGLER_ADMIN_TOKEN" not in found
    assert "APP_KEY" not in found
    assert "OTHER" not in found


async def test_what_is_withheld_is_refused_upwards_and_passed_over_with_a_record(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=Rollout(steps=(Step(10.0), Step(50.0)))))
    rollout_rig.verbs.withheld = lambda _route: "table users differs"

    with pytest.raises(RefusedError, match="profile is not promoted: table users differs"):
        await rollout_rig.verbs.advance("profile", "ann", "go")
    await rollout_rig.verbs.advance("profile", "ann", "known", withheld=False)
    event = (await rollout_rig.trail.since(-1, 1))[0]
    await rollout_rig.verbs.weight("profile", 5.0, "ann", "less")
    await rollout_rig.verbs.roll_back("profile", "ann", "back")

    assert json.loads(event.evidence) == {"passed_over": "table users differs"}
    assert rollout_rig.weight() == 0.0
