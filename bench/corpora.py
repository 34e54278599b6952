"""The pairs kept in the tests, judged: false alarms, faults found: `python -m bench.corpora [--write]`.

Each file is a corpus of pairs as real applications answer, every one with its right verdict. They are tests as well, so
the figures of a tree whose tests pass say how many pairs there are, not how the comparator does on others.
"""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench import goals, machine, results
from bench.tables import grid
from comparators import Capture, Comparison, Policy, compare
from comparators.noise_learning import Learner
from comparators.noise_rules import NoiseRule

SECTION = "corpora"
DATA = Path(__file__).parents[1] / "tests" / "data"
CORPORA = ("compare-cases", "more-cases", "strangers-cases")
ALARMS, FOUND = 0.005, 0.995
TODAY = date(2026, 11, 21)
LEARNING_BEGAN = 1_795_228_800.0
SOUND = ("equal", "noise")


@dataclass(slots=True)
class Tally:
    """Counts of pairs; all fields grow by `count`. What is not compared is neither an alarm nor found."""

    sound: int = 0
    alarms: int = 0
    wrong: int = 0
    found: int = 0
    others: int = 0

    def count(self, right: str, verdict: str) -> None:
        """Count a pair by its right verdict."""
        if right in SOUND:
            self.sound += 1
            self.alarms += verdict == "different"
        elif right == "different":
            self.wrong += 1
            self.found += verdict == "different"
        else:
            self.others += 1

    @property
    def is_good(self) -> bool:
        """Whether both goals are met."""
        return self.alarms <= ALARMS * self.sound and self.found >= FOUND * self.wrong

    def row(self, name: str) -> list[str]:
        """Return the line of the table."""
        alarms, found = self.alarms / max(1, self.sound), self.found / max(1, self.wrong)
        met = goals.met(good=self.is_good)
        return [name, f"{self.sound:,}", f"{alarms:.4f}", f"{self.wrong:,}", f"{found:.4f}", f"{self.others}", met]


def pairs(corpus: str) -> Iterator[dict[str, Any]]:
    """Yield the pairs of a file."""
    yield from map(json.loads, (DATA / f"{corpus}.jsonl").read_text().splitlines())


def judged(pair: Mapping[str, Any]) -> Comparison:
    """Return what the comparator says of a pair, with what it learns before from legacy's own answers."""
    policy = Policy.from_mapping(pair["policy"], noise=_learned(pair), today=TODAY, **pair.get("hosts", {}))
    again = [_capture(pair, one) for one in pair.get("secondary") or ()]
    return compare(_capture(pair, pair["legacy"]), _capture(pair, pair["modern"]), policy, secondary=again)


def _capture(pair: Mapping[str, Any], one: Mapping[str, Any]) -> Capture:
    body = b64decode(one["body_base64"]) if "body_base64" in one else one["body"].encode()
    headers = tuple((name, value) for name, value in one["headers"])
    return Capture(pair.get("method", "GET"), pair.get("path", "/"), one["status"], headers, body)


def _learned(pair: Mapping[str, Any]) -> tuple[NoiseRule, ...]:
    learner, policy = Learner(), Policy.from_mapping(pair["policy"], today=TODAY)
    for number, bodies in enumerate(pair.get("learn_from") or ()):
        first, again = (_capture(pair, {**pair["legacy"], "body": body}) for body in bodies)
        found = compare(first, first, policy, secondary=(again,))
        learner.add_observations(found.observations, LEARNING_BEGAN + number * pair["learn_every_s"])
    return tuple(each.rule for each in learner.suggestions(TODAY))


def measured(corpora: Sequence[str] = CORPORA) -> dict[str, Tally]:
    """Judge every pair of these corpora, and sum up."""
    found = {corpus: Tally() for corpus in corpora}
    whole = Tally()
    for corpus, tally in found.items():
        for pair in pairs(corpus):
            said = judged(pair).verdict
            tally.count(pair["right_verdict"], said)
            whole.count(pair["right_verdict"], said)
    return {**found, "all": whole}


def report(found: Mapping[str, Tally]) -> str:
    """Return the table; what misses a goal is marked."""
    head = ["corpus", "sound pairs", "false alarms", "faults", "found", "others", "goals"]
    return grid(head, [tally.row(name) for name, tally in found.items()])


def main(arguments: Sequence[str]) -> int:
    """Print how the comparator judges the corpora; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.corpora", description=__doc__.split("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    found = measured()
    told = machine.about(arguments).replace("python -m bench", "python -m bench.corpora", 1)
    text = machine.anonymous(
        f"## Pairs of real applications, judged\n\n{told}\n\nThe pairs of `tests/data`, each with its right verdict; "
        "they are tests as well. Others are right to be not compared. "
        f"Goal: false alarms at most {ALARMS}, at least {FOUND} found.\n\n{report(found)}\n"
    )
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    return 0 if all(tally.is_good for tally in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
