"""Computes where recorded requests would go under a configuration, compared with where they went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from proxy.described_request import facts_of
from proxy.traffic.reader import Recorded
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Decision
from rules.routing.bucketing import admits
from rules.routing.decide import Generation, decide
from rules.routing.mirroring import Mirror, mirror_of

USERS_AT_MOST: Final = 100_000
UNMATCHED_AT_MOST: Final = 1000
SHOWN: Final = 10
_EVERYONE: Final = 100.0


class Route:
    """The requests of one route, and the sides they would go to.

    `users` maps a visitor to the side, `moved` those whose side changes.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.modern = 0.0
        self.mirrored = 0.0
        self.moved = 0.0
        self.unknown = 0
        self.users: dict[str, str] = {}
        self.switching: set[str] = set()


class Yesterday:
    """Adds up recorded requests under one generation; only `add_request` changes it.

    A log seldom names its users. A user name in the record is taken for the identity; else
    requests with the same address and agent count as one user, counted in `stood_in`: the shares are
    right, the users are not.
    """

    def __init__(self, generation: Generation) -> None:
        self.requests = 0
        self.stood_in = 0
        self.routes: dict[str, Route] = {}
        self.unmatched: Counter[tuple[str, str]] = Counter()
        self._generation = generation
        self._by_query = {route.match.path for route in generation.snapshot.routes if route.match.query}
        self._mirrors: dict[str, Mirror | None] = {route.name: mirror_of(route) for route in generation.snapshot.routes}

    def add_request(self, recorded: Recorded) -> None:
        """Decide one recorded request anew."""
        self.requests += 1
        user = recorded.user or recorded.visitor or None
        self.stood_in += not recorded.user and user is not None
        headers = recorded.headers if not recorded.host else (*recorded.headers, ("Host", recorded.host))
        facts = facts_of(
            self._generation, recorded.method, recorded.target, headers, user, trusted=not recorded.visitor
        )
        decision = decide(self._generation, facts, 0.5)
        route = self.routes.setdefault(decision.route.name, Route())
        route.requests += 1
        if decision.route.name == DEFAULT_ROUTE:
            asked = recorded.method, self._told_apart(recorded.target)
            if asked in self.unmatched or len(self.unmatched) < UNMATCHED_AT_MOST:
                self.unmatched[asked] += 1
        self._side(route, recorded, decision, user)
        mirror = self._mirrors.get(decision.route.name)
        if mirror is not None and mirror.refusal(facts, decision.side) is None:
            route.mirrored += mirror.sample

    def _told_apart(self, target: str) -> str:
        """Return the target with its query where that decides: what is printed has to be one that `explain` takes."""
        path = target.partition("?")[0]
        return target if path in self._by_query else path

    def _side(self, route: Route, recorded: Recorded, decision: Decision, user: str | None) -> None:
        """Count the sides; where a draw decides, its share."""
        rollout, weight = decision.route.rollout, decision.weight
        drawn = decision.reason == "weight" and rollout.by != "user" and 0.0 < weight < _EVERYONE
        side = decision.side
        if recorded.bucket is not None and recorded.route == decision.route.name and rollout.by == "user":
            side = MODERN if admits(recorded.bucket, weight, rollout.hash) else LEGACY
        modern = weight / _EVERYONE if drawn else float(side == MODERN)
        before = float(recorded.side == MODERN)
        route.modern += modern
        route.moved += abs(modern - before)
        route.unknown += not recorded.side
        if user is not None and not drawn and len(route.users) < USERS_AT_MOST:
            route.users[user] = side
            if modern != before:
                route.switching.add(user)

    def document(self) -> dict[str, Any]:
        """Return everything as JSON-ready values; shares are 0…1, `users` those that could be distinguished."""
        return {
            "requests": self.requests,
            "stand_ins": self.stood_in,
            "routes": [self._route_document(name) for name in self._ordered()],
            "unmatched": [
                {"method": method, "path": path, "requests": count}
                for (method, path), count in self.unmatched.most_common(SHOWN)
            ],
        }

    def _ordered(self) -> Iterator[str]:
        """The routes in the order of the file, requests without a route last."""
        yield from (route.name for route in self._generation.snapshot.routes)
        if DEFAULT_ROUTE in self.routes:
            yield DEFAULT_ROUTE

    def _route_document(self, name: str) -> dict[str, Any]:
        route = self.routes.get(name) or Route()
        requests = max(1, route.requests)
        return {
            "name": name,
            "requests": route.requests,
            "to_modern": round(route.modern / requests, 4),
            "changed": round(route.moved / requests, 4),
            "mirrored": round(route.mirrored / requests, 4),
            "users": len(route.users),
            "switching": len(route.switching),
            "before": "known" if not route.unknown else "taken for legacy",
        }
