"""The rules judges go by; learned noise.

They are sent anew when the file, what was learned, what is over its rate, or the day is another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from proxy.control.comparison.judge_pool import JudgePool
from proxy.control.comparison.results import Rates, limited_ignores
from proxy.ipc.judge_messages import Rulebook
from proxy.judge.policies import Rules, route_rules
from proxy.settings import worker_count
from proxy.state.live import Configuration
from proxy.telemetry import events
from proxy.telemetry.events import Emit, timestamp
from rules.model import KEEP, Route, Snapshot
from rules.secret_names import looks_secret

if TYPE_CHECKING:
    from comparators.noise_learning import Learner, Suggestion


# Learns what each route's legacy side varies by itself: suggestions for people, rules where a route says `learn`.


SUGGEST = "suggest"
LEARN = "learn"
NONE = "none"


class Noise:
    """A learner for each route. They grow by `observe`, the rules change by `look`; what was learned is kept.

    `today` returns a date (ISO): what was learned expires.
    """

    def __init__(self, today: Callable[[], str], emit: Emit) -> None:
        self._today = today
        self._emit = emit
        self._learners: dict[str, Learner] = {}
        self._modes: dict[str, str] = {}
        self._rules: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self._news: set[str] = set()
        self._known: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Learn about these routes from now on, as each says."""
        self._modes = {route.name: route.compare.get("noise", SUGGEST) for route in snapshot.routes}
        self._known = {}
        self._learners = {name: one for name, one in self._learners.items() if self._modes.get(name, NONE) != NONE}
        self._rules = {name: rules for name, rules in self._rules.items() if self._modes.get(name) == LEARN}

    def observe(self, route: str, observed: bytes, at: float) -> None:
        """Take where legacy differed from itself in one pair; `at` is epoch seconds."""
        if self._modes.get(route, NONE) == NONE:
            return
        from comparators.model import Observation
        from comparators.noise_learning import Learner

        learner = self._learners.setdefault(route, Learner())
        self._known.pop(route, None)
        learner.add_observations(tuple(Observation(*each) for each in orjson.loads(observed)), at)
        self._news.add(route)

    def look(self) -> bool:
        """Draw conclusions from what is new; returns whether the rules are others now."""
        changed = False
        news, self._news = self._news, set()
        for route in news:
            rules = self._with(route, tuple(each["rule"] for each in self.suggestions(route)))
            if self._modes.get(route) == LEARN and rules != self._rules.get(route, ()):
                self._rules[route] = rules
                self._emit(events.NOISE_LEARNED, route=route, paths=[rule.get("path", "") for rule in rules])
                changed = True
        return changed

    def rules(self, route: str) -> tuple[Mapping[str, Any], ...]:
        """Return the learned rules that are in force for `route`, in the form that travels."""
        return self._rules.get(route, ())

    def suggestions(self, route: str) -> list[dict[str, Any]]:
        """Return what was learned of `route` with its evidence, in force or not."""
        today = self._today()
        known = self._known.get(route)
        if known is None or known[0] != today:
            known = self._known[route] = today, self._suggested(route, today)
        return list(known[1])

    def _suggested(self, route: str, today: str) -> list[dict[str, Any]]:
        learner = self._learners.get(route)
        found = () if learner is None else learner.suggestions(date.fromisoformat(today))
        return [_document(one) for one in found]

    def to_paste(self, wanted: str = "") -> list[dict[str, str]]:
        """Return for each route (or one) with suggestions the lines of YAML that say the same under its `compare:`."""
        from comparators.noise_words import pasted

        found = []
        for route in sorted(self._learners):
            if not wanted or route == wanted:
                each = self.suggestions(route)
                lines = pasted((one["setting"], one["entry"], _seen(one)) for one in each)
                found += [{"route": route, "compare": lines}] if lines else []
        return found

    def _with(self, route: str, learned: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
        """Return what was learned on top of what was in force: a learner begins anew with each start of the proxy."""
        today = self._today()
        places = {_place(rule) for rule in learned}
        before = self._rules.get(route, ())
        return (
            *(rule for rule in before if rule.get("until", "") >= today and _place(rule) not in places),
            *learned,
        )

    def pack(self) -> bytes:
        """Return the rules in force as the store keeps them."""
        return orjson.dumps(self._rules, default=str)

    def restore(self, packed: bytes) -> None:
        """Take up the rules that were in force before a restart."""
        try:
            kept = {name: tuple(rules) for name, rules in orjson.loads(packed or b"{}").items()}
        except (ValueError, AttributeError, TypeError):
            return  # another version wrote it in another form: it is learned again
        self._rules = {**{name: one for name, one in kept.items() if self._modes.get(name) == LEARN}, **self._rules}


def _place(rule: Mapping[str, Any]) -> tuple[object, ...]:
    return rule.get("path"), rule.get("shape"), rule.get("place", "")


def _seen(suggestion: Mapping[str, Any]) -> str:
    seen, pairs = _several(suggestion["seen"], "time"), _several(suggestion["pairs"], "pair")
    return f"legacy differed from itself {seen}, in {pairs}"


def _several(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else f'{one}s'}"


class JudgePolicies:
    """The rules as they are now.

    Changes: the configuration by `apply_configuration`, `_lifted` with `_day` by `look`.
    """

    def __init__(self, judges: JudgePool, rates: Rates, noise: Noise, folder: Path) -> None:
        self._judges = judges
        self._rates = rates
        self._noise = noise
        self._folder = folder
        self._configuration: Configuration | None = None
        self._routes: Mapping[str, Route] = {}
        self._lifted: dict[str, frozenset[str]] = {}
        self._day = today()

    def apply_configuration(self, configuration: Configuration, routes: Mapping[str, Route]) -> None:
        """Have these routes judged by this configuration from now on."""
        self._configuration, self._routes = configuration, routes
        self.publish()

    def look(self) -> bool:
        """Return whether the rules are others now: an ignore hides more than it may, or the day is another one."""
        before = self._lifted, self._day
        self._lifted, self._day = self._over_their_rate(), today()
        return before != (self._lifted, self._day)

    def publish(self) -> None:
        """Send the rules to every judge."""
        configuration = self._configuration
        if configuration is None:
            return
        snapshot = configuration.snapshot
        rules = Rules(
            {
                name: route_rules(snapshot, route, self._noise.rules(name), self._lifted.get(name, frozenset()))
                for name, route in self._routes.items()
            },
            self._day,
            str(self._folder),
            snapshot.diffs.redact,
            snapshot.diffs.bodies,
            blake2b(b"redaction", key=configuration.sticky_key.encode()[:64]).hexdigest(),
            snapshot.judges.share(worker_count(0)),
            snapshot.diffs.pii != KEEP,
        )
        self._judges.rule(Rulebook(rules.pack()))

    def _over_their_rate(self) -> dict[str, frozenset[str]]:
        """Return the ignored paths that are looked at again, by route."""
        if self._configuration is None:
            return {}
        over: dict[str, frozenset[str]] = {}
        for route, limits in limited_ignores(self._configuration.snapshot).items():
            paths = {path for path, most in limits.items() if self._rates.over(route, f"ignore:{path}", most)}
            if paths:
                over[route] = frozenset(paths)
        return over


def today() -> str:
    """Return the day, in UTC, as it is written in a file."""
    return datetime.now(UTC).date().isoformat()


_PATTERN_PARTS = re.compile(
    r"\[[^\]]*\](?:\{[0-9,]+\})?"  # a class of characters, how many of them
    r"|\(\?(?:<?[=!]|:)|[()|?*+^$.]|\{[0-9,]+\}"  # what a pattern is made of
    r"|\\."  # an escape
    r"|(?P<letter>.)",
    re.DOTALL,
)


def _document(one: Suggestion) -> dict[str, Any]:
    """Return a suggestion as it is shown: without letters of values that are named like secrets."""
    from comparators.noise_words import LEARNED, written

    rule, entry = one.rule, one.entry
    if rule.pattern and looks_secret(re.split(r"[/:]", rule.path)[-1]):
        rule = replace(rule, pattern=_PATTERN_PARTS.sub(lambda part: "." if part["letter"] else part[0], rule.pattern))
        entry = written(rule)[1] if one.setting != LEARNED[0] else entry
    times = {"first_seen": timestamp(one.first_seen), "last_seen": timestamp(one.last_seen)}
    return {**asdict(one), "rule": rule.to_mapping(), "entry": entry, **times}
