"""The shipped five phases are a valid file, and lead from 0 to 100 % step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.control.route_evidence import NothingJudged
from rules.config import load_with_warnings
from rules.guard.window import ComparedTally
from rules.model import Route
from tests.support.rollout_rig import RolloutRig

FILE = Path(__file__).parents[2] / "examples" / "paymenter" / "phases.yaml"
HOUR = 3600.0


class Mirrored(NothingJudged):
    """Pairs that are all compared; `differ` of them differ."""

    def __init__(self) -> None:
        self.pairs = self.differ = 0

    def totals(self, _route: str) -> ComparedTally:
        return ComparedTally(self.pairs - self.differ, self.differ, eligible=self.pairs)


@pytest.fixture
def route() -> Route:
    snapshot, warnings = load_with_warnings(FILE.read_text(), FILE.name, environ={})
    assert warnings == ()
    return snapshot.routes[0]


async def hours(rollout_rig: RolloutRig, count: int, mirrored: Mirrored, **seen: int) -> list[float]:
    """So many hours with the traffic of a few seconds each; the weights that were in effect."""
    weights = []
    for _ in range(count):
        rollout_rig.turn(HOUR - 3)
        for _ in range(3):
            mirrored.pairs += sum(seen.values())
            await rollout_rig.second(route="credits", **seen)
        if rollout_rig.weight("credits") not in weights[-1:]:
            weights.append(rollout_rig.weight("credits"))
    return weights


async def test_the_phases_are_gone_through_with_one_approval(tmp_path: Path, route: Route):
    mirrored = Mirrored()
    rollout_rig = RolloutRig(tmp_path, route, judged=mirrored)
    idle = await hours(rollout_rig, 30, mirrored, legacy=40)
    await rollout_rig.verbs.advance("credits", "ann", "begin")
    to_half = await hours(rollout_rig, 140, mirrored, modern=40, legacy=40)
    waits = rollout_rig.guard.moves["credits"]
    await rollout_rig.verbs.advance("credits", "ann", "the numbers are good")
    to_all = await hours(rollout_rig, 60, mirrored, modern=40, legacy=40)

    assert idle == [0.0]
    assert to_half == [0.0, 10.0, 50.0]
    assert (waits.kind, waits.reason) == ("ask", "approval")
    assert to_all == [90.0, 100.0]


async def test_no_phase_is_left_without_traffic_or_while_too_much_differs(tmp_path: Path, route: Route):
    mirrored = Mirrored()
    rollout_rig = RolloutRig(tmp_path, route, judged=mirrored)
    await rollout_rig.verbs.advance("credits", "ann", "begin")
    without = await hours(rollout_rig, 48, mirrored)
    mirrored.differ = 40
    differing = await hours(rollout_rig, 30, mirrored, legacy=10)
    why = rollout_rig.guard.moves["credits"]

    assert (without, differing) == ([0.0], [0.0])
    assert why.reason == "not_ready"
    assert "40 of 900 differ" in why.detail
