"""Judges use the present file, with learned rules, without those that hide too much."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.control.comparison import policies as module
from proxy.control.comparison.judge_pool import JudgePool
from proxy.control.comparison.policies import JudgePolicies, Noise
from proxy.control.comparison.results import Rates
from proxy.control.comparison.service import diffs_of
from proxy.ipc.judge_messages import Case, Rulebook
from proxy.judge.policies import Rules, unpack_rules
from proxy.settings import Settings
from proxy.state.live import Configuration
from proxy.storage.diff_store_memory import MemoryDiffs
from proxy.storage.diff_store_sqlite import SqliteDiffs
from rules.model import DiffStorage
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.pairs import a_pair
from tests.support.stand_in_judge import StandInJudge

IGNORE = ["/a", {"path": "/eta", "reason": "live", "max_rate": "5%"}]


class Office:
    def __init__(self) -> None:
        self.seats: list[StandInJudge] = []
        self.rates = Rates(Clock())
        self.judges = JudgePool(self._seat, 1, lambda *_, **__: None)
        self.rulings = JudgePolicies(
            self.judges, self.rates, Noise(lambda: "2026-11-21", lambda *_, **__: None), Path("folder")
        )
        self.route = snapshots.route(name="profile", compare={"preset": "php", "ignore": IGNORE})
        self.snapshot = snapshots.snapshot({"legacy": ["http://old:81"], "modern": []}, routes=[self.route])
        self.judges.put(Case(1, a_pair()), 1)
        self.seats[0].sit_down()

    def _seat(self, heard: Any, gone: Any) -> StandInJudge:
        self.seats.append(StandInJudge(heard, gone))
        return self.seats[-1]

    def apply_changes(self, **changes: Any) -> None:
        configuration = Configuration(1, self.snapshot, sticky_key=changes.pop("sticky_key", "s"))
        self.rulings.apply_configuration(configuration, {"profile": self.route})

    @property
    def sent(self) -> list[Rules]:
        return [unpack_rules(each.payload) for each in self.seats[0].told if isinstance(each, Rulebook)]


@pytest.fixture
async def office():
    made = Office()
    yield made
    made.judges.close()
    await asyncio.sleep(0)


async def test_a_judge_is_told_what_the_file_says(office: Office):
    office.apply_changes()

    (rules,) = office.sent
    assert rules.routes["profile"].compare == {"preset": "php", "ignore": IGNORE}
    assert rules.routes["profile"].legacy_hosts == ("old:81",)
    assert rules.folder == "folder"
    assert len(rules.today) == 10


async def test_what_is_redacted_is_hashed_by_a_key_that_stays_and_is_not_the_cookies_own(office: Office):
    for key in ("one", "one", "two"):
        office.apply_changes(sticky_key=key)

    first, again, other = (rules.key for rules in office.sent)
    assert first == again != other
    assert "one" not in first


async def test_an_ignore_that_hides_more_than_it_may_is_looked_at_again(office: Office):
    office.apply_changes()
    for number in range(40):
        office.rates.note("profile", ["ignore:/eta"] if number % 4 == 0 else [])

    changed, again = office.rulings.look(), office.rulings.look()
    office.rulings.publish()

    assert (changed, again) == (True, False)
    assert office.sent[-1].routes["profile"].compare["ignore"] == ["/a"]


async def test_another_day_is_another_rule(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.apply_changes()
    monkeypatch.setattr(module, "today", lambda: "2030-01-01")

    assert office.rulings.look()
    office.rulings.publish()

    assert office.sent[-1].today == "2030-01-01"


@pytest.mark.parametrize(
    ("store", "legacy_only", "file"),
    [
        ("sqlite:var/strangler.db", False, "var/strangler.diffs.db"),
        ("sqlite:state", False, "state.diffs.db"),
        ("redis://127.0.0.1:6379/0", False, "var/strangler.diffs.db"),
        ("memory", False, None),
        ("sqlite:var/strangler.db", True, None),
    ],
)
def test_differences_lie_in_a_file_beside_the_store(tmp_path: Path, store: str, legacy_only: bool, file: str | None):
    config = str(tmp_path / "proxy.yaml")
    settings = Settings(config, "", "", store, 1, 1, 1.0, tls=False, legacy_only=legacy_only)

    made = diffs_of(settings)
    made.note("a", b"b")
    made.close()

    assert isinstance(made, SqliteDiffs if file else MemoryDiffs)
    assert (file is None) != (tmp_path / str(file)).is_file()


def test_rules_travel_as_they_are():
    rules = Rules({}, "2026-11-21", redact=DiffStorage(redact=("/email",)).redact)

    assert unpack_rules(rules.pack()) == rules
    assert orjson.loads(rules.pack())["redact"] == ["/email"]
