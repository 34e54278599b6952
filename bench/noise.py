"""Noise of every kind, judged: how often is the comparison wrong, how much does it hide? `python -m bench.noise`.

Pairs whose legacy side generates new values (`noisy`) are compared with legacy's second response to the same request,
then with only the rules learned from a dozen of its own pairs. A sound pair that differs is a false alarm, a wrong one
that does not is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from bench import goals, machine, noisy, results
from bench.tables import grid
from comparators import Policy, compare
from comparators.noise_learning import Learner
from comparators.noise_rules import NoiseRule

SECTION = "noise"
MAPPING = {"preset": "php", "noise": "learn"}
ALARMS, MISSED = 0.005, 0.005


@dataclass(slots=True)
class Tally:
    """Counts of pairs; all fields grow by `count_pair`."""

    sound: int = 0
    wrong: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def count_pair(self, one: noisy.Pair, policy: Policy, *, asked: bool) -> None:
        """Judge a pair, with legacy's further responses where there are any."""
        verdict = compare(one.legacy, one.modern, policy, secondary=one.again if asked else ()).verdict
        if noisy.is_wrong(one):
            self.wrong += 1
            self.missed[one.kind] += verdict != "different"
        elif not one.planted:
            self.sound += 1
            self.alarms[one.kind] += verdict == "different"

    @property
    def shares(self) -> tuple[float, float]:
        """False alarms of the sound pairs, wrong pairs found."""
        return self.alarms.total() / max(1, self.sound), 1 - self.missed.total() / max(1, self.wrong)

    @property
    def is_good(self) -> bool:
        """Whether both goals are met."""
        alarms, recall = self.shares
        return alarms <= ALARMS and recall >= 1 - MISSED


def judged(tally: Tally, draw: Random, kind: noisy.Kind, place: noisy.Place, policy: Policy, **how: float) -> None:
    """Judge a sound pair, and one for each fault; `how` many times legacy was asked again (none: what was learned)."""
    asked = int(how.get("asked", 0))
    at = how.get("at")
    for planted in ("", *kind.faults, noisy.BESIDE):
        tally.count_pair(noisy.pair(draw, kind, place, planted, asked or 1, at), policy, asked=asked > 0)


def learned(draw: Random, kind: noisy.Kind, place: noisy.Place, begun: float) -> tuple[tuple[NoiseRule, ...], date]:
    """Return the rules learned from a dozen pairs of legacy's own responses, ten minutes apart, and their day."""
    learner, start = Learner(), noisy.START.timestamp()
    policy = Policy.from_mapping(MAPPING)
    for number in range(12):
        one = noisy.pair(draw, kind, place, at=begun + number * 600)
        learner.add_observations(
            compare(one.legacy, one.legacy, policy, secondary=one.again).observations, start + begun + number * 600
        )
    today = (datetime.fromtimestamp(start + begun, tz=UTC) + timedelta(days=1)).date()
    return tuple(each.rule for each in learner.suggestions(today)), today


def measured(rounds: int, seed: int) -> dict[str, Tally]:
    """Judge every kind at every place so many times."""
    draw = Random(seed)
    found = {"asked once again": Tally(), "asked three times again": Tally(), "learned": Tally()}
    policy = Policy.from_mapping(MAPPING)
    for kind, place in noisy.combinations():
        for _ in range(rounds):
            judged(found["asked once again"], draw, kind, place, policy, asked=1)
            judged(found["asked three times again"], draw, kind, place, policy, asked=3)
        begun = draw.uniform(0, 1e6)
        rules, today = learned(draw, kind, place, begun)
        by_rules = Policy.from_mapping(MAPPING, noise=rules, today=today)
        for _ in range(rounds):
            judged(found["learned"], draw, kind, place, by_rules, at=begun + draw.uniform(7200, 9000))
    return found


def report(found: dict[str, Tally]) -> str:
    """Return the table."""
    head = [
        "what is known of legacy",
        "sound pairs",
        "false alarms",
        "wrong pairs",
        "found",
        "alarms, by kind",
        "missed",
        "goals",
    ]
    rows = []
    for name, tally in found.items():
        alarms, recall = tally.shares
        kinds = [
            ", ".join(f"{kind} {count}" for kind, count in (+each).most_common(4))
            for each in (tally.alarms, tally.missed)
        ]
        rows.append(
            [
                name,
                f"{tally.sound:,}",
                f"{alarms:.4f}",
                f"{tally.wrong:,}",
                f"{recall:.4f}",
                *kinds,
                goals.met(good=tally.is_good),
            ]
        )
    return grid(head, rows)


def main(arguments: Sequence[str]) -> int:
    """Print how often the comparator is wrong about noise; 1 above its goals."""
    parser = argparse.ArgumentParser(prog="python -m bench.noise", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=2, help="pairs of each kind, place and fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    found = measured(wanted.rounds, wanted.seed)
    told = machine.about(arguments).replace("python -m bench", "python -m bench.noise", 1)
    text = machine.anonymous(
        f"## Noise, judged\n\n{told}\n\n{len(noisy.KINDS)} kinds of values at {len(noisy.PLACES)} places, each sound "
        f"and with each of its faults; goal: false alarms at most {ALARMS}, at least {1 - MISSED} found.\n\n"
        f"{report(found)}\n"
    )
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    return 0 if all(found[name].is_good for name in ("asked once again", "asked three times again")) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
