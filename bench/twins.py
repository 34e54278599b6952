"""Sends all requests to both real sides of the example, with and without each planted fault; judges the pairs."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from comparators import compare
from comparators.model import Capture, path_pattern
from comparators.noise_learning import Learner
from examples.paymenter.sides import Legacy, Modern, token_for
from proxy.control.comparison.policies import today
from proxy.judge.policies import Compiled, Rules, compiled, route_rules
from proxy.traffic.reader import Recorded
from proxy.traffic.replay_archive import Judge
from proxy.traffic.replay_client import FailedError, ReplayRequest, Sides, SkippedError
from rules.config import load
from rules.model import Snapshot

ROOT = Path(__file__).resolve().parents[1]
THINGS = ("users", "services", "orders", "invoices", "tickets")
OWN = ("/api/me", "/api/credits", "/api/billing/history", "/api/subscriptions", "/profile/edit")
FAULTS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("tax rounded otherwise", {"tax": "python"}),
    ("an invoice line dropped", {"drop_invoice_line": True}),
    ("times shifted by two hours", {"shift_dates_hours": 2}),
    ("another user's data", {"other_user": True}),
    ("everybody signed out", {"deny_all": True}),
    ("a fifth answered 500", {"error_rate": 0.2}),
)
ROUNDS_OF_LEARNING = 4


@dataclass(slots=True)
class Tested:
    """One fault: `touched` pairs, of them `found`; of the others `wrong`; where the findings were."""

    touched: int = 0
    found: int = 0
    untouched: int = 0
    wrong: int = 0
    places: Counter[str] = field(default_factory=Counter)


class Pair(NamedTuple):
    """Both responses to one request, and their comparison."""

    legacy: Capture
    modern: Capture
    verdict: str
    findings: tuple[tuple[str, str], ...]


def requests(users: Sequence[int], key: str) -> list[Recorded]:
    """Return all requests: public ones, those of each user, those of the staff, refused ones."""
    who: list[tuple[int | None, str]] = [
        (None, path) for path in ("/api/plans", "/api/plans?per_page=3&page=2", "/api/plans/99", "/api/me")
    ]
    who += [(None, f"/api/plans/{plan}") for plan in range(1, 9)]
    who += [(user, path) for user in users for path in (*OWN, f"/api/subscriptions/{user}")]
    who += [(1, f"/api/v1/admin/{thing}/{number}") for thing in THINGS for number in (*range(1, 41, 3), 142, 99999)]
    who += [(2, f"/api/v1/admin/{thing}?per_page=50&page={page}") for thing in THINGS for page in (1, 2, 999)]
    who += [(42, f"/api/v1/admin/{thing}") for thing in THINGS]
    who.append((3, "/export/invoices.csv"))
    return [
        Recorded(
            line, "GET", path, headers=() if user is None else (("Authorization", f"Bearer {token_for(user, key)}"),)
        )
        for line, (user, path) in enumerate(who, 1)
    ]


def snapshot(legacy: str, modern: str, alike: str = "") -> Snapshot:
    """Return proxy.yaml between these two; `alike`: both have legacy's structure, compared by this preset alone."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "proxy.yaml").read_text())
    for name, url in (("legacy", legacy), ("modern", modern)):
        settings["backends"][name] = {"url": url, "timeout": "30s"}
    if alike:
        # what is learned is applied: the default only suggests it
        settings["defaults"]["compare"] = {"preset": alike, "noise": "learn"}
    for route in settings["routes"]:
        if alike:
            for word in ("modern", "compare", "invariants"):
                route.pop(word, None)
    return load(yaml.safe_dump(settings, sort_keys=False), environ={})


class Asked:
    """Requests sent to two sides, judged by each route's policy."""

    def __init__(self, sides: Sides, judge: Judge) -> None:
        self._sides = sides
        self._judge = judge

    async def pair(self, question: ReplayRequest) -> Pair | None:
        """Return both responses with their comparison; None where one side had none."""
        try:
            legacy, modern = await self._sides.ask(question)
        except (FailedError, SkippedError):
            return None
        comparison, broken = self._judge.compare(question.route.name, legacy, modern)
        places = [(question.route.name, path_pattern(finding.path)) for finding in comparison.findings]
        return Pair(
            legacy,
            modern,
            "different" if broken else comparison.verdict,
            (*places, *((question.route.name, f"@invariant:{name}") for name in broken)),
        )

    def questions(self, wanted: Sequence[Recorded]) -> list[ReplayRequest]:
        """Return those requests that some route takes."""
        found = []
        for each in wanted:
            try:
                found.append(self._sides.question(each))
            except SkippedError as reason:
                print(f"not asked: {each.target}: {reason}", file=sys.stderr)
        return found


async def faults(legacy: Legacy, modern: Modern, wanted: Sequence[Recorded]) -> tuple[dict[str, Tested], Counter[str]]:
    """Return how each fault was found, beside the verdicts without a fault."""
    chosen = snapshot(legacy.url, modern.url)
    found: dict[str, Tested] = {}
    async with Sides(chosen, ROOT, ()) as sides:
        asked = Asked(sides, Judge(chosen, ROOT, b"bench"))
        questions = asked.questions(wanted)
        sound = [await asked.pair(question) for question in questions]
        verdicts = Counter("no answer" if pair is None else pair.verdict for pair in sound)
        for pair, question in zip(sound, questions, strict=True):
            if pair is None or pair.verdict != "equal":
                print(f"sound, yet not equal: {question.recorded.target} {pair}"[:300], file=sys.stderr)
        for name, switches in FAULTS:
            modern.faults(**switches)
            try:
                broken = [await asked.pair(question) for question in questions]
            finally:
                modern.faults()
            found[name] = _tested(sound, broken)
    return found, verdicts


def _tested(sound: Sequence[Pair | None], broken: Sequence[Pair | None]) -> Tested:
    tested = Tested()
    for twin, pair in zip(sound, broken, strict=True):
        if twin is None or pair is None:
            continue
        alarm = pair.verdict != "equal"
        if (twin.modern.status, twin.modern.body) != (pair.modern.status, pair.modern.body):
            tested.touched += 1
            tested.found += alarm
            tested.places.update(f"{route} {path}" for route, path in pair.findings)
        else:
            tested.untouched += 1
            tested.wrong += alarm
    return tested


async def against_itself(
    legacy: Legacy, preset: str, wanted: Sequence[Recorded]
) -> tuple[Counter[str], Counter[str], list[str]]:
    """Return verdicts of legacy against itself before and after noise was learned, and the learned rules."""
    chosen = snapshot(legacy.url, legacy.url, preset)
    learners: dict[str, Learner] = {}
    async with Sides(chosen, ROOT, ()) as sides:
        asked = Asked(sides, Judge(chosen, ROOT, b"bench"))
        questions = asked.questions(wanted)
        before = await _against(sides, questions, _rules(chosen, {}))
        for _ in range(ROUNDS_OF_LEARNING):
            rules = _rules(chosen, {})
            for question in questions:
                (one, two), (again, _) = await sides.ask(question), await sides.ask(question)
                policy = rules[question.route.name].policy
                seen = compare(one, two, policy, secondary=(again,)).observations
                learners.setdefault(question.route.name, Learner()).add_observations(seen, time.time())
        learned = {
            name: [each.rule for each in one.suggestions(datetime.now(UTC).date())] for name, one in learners.items()
        }
        after = await _against(sides, questions, _rules(chosen, learned))
    told = [f"{name} {rule.path} {rule.shape}" for name, found in learned.items() for rule in found]
    return before, after, told


def _rules(chosen: Snapshot, learned: Mapping[str, Sequence[Any]]) -> dict[str, Compiled]:
    routes = {
        route.name: route_rules(chosen, route, tuple(rule.to_mapping() for rule in learned.get(route.name, ())))
        for route in chosen.routes
    }
    rules = Rules(routes, today(), str(ROOT))
    made = {name: compiled(rules, name) for name in routes}
    return {name: one for name, one in made.items() if not isinstance(one, str)}


async def _against(sides: Sides, questions: Sequence[ReplayRequest], rules: Mapping[str, Compiled]) -> Counter[str]:
    verdicts: Counter[str] = Counter()
    for question in questions:
        one, two = await sides.ask(question)
        verdicts[compare(one, two, rules[question.route.name].policy).verdict] += 1
    return verdicts
