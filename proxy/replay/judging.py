"""Judges pairs by their route's policy, here and now; commands have no judge processes."""

from __future__ import annotations

import sys
from pathlib import Path

from comparators import compare
from comparators.model import Capture, Comparison
from proxy.judge.policies import Compiled, Rules, body_of, compiled, route_rules
from proxy.judge.redaction import Redactors
from proxy.operating.rulings import today
from rules.invariants import VIOLATED, check_all
from rules.model import Snapshot


class Judge:
    """Compiles each route's rules once; `_compiled` grows with the routes that are asked for."""

    def __init__(self, snapshot: Snapshot, folder: Path, key: bytes) -> None:
        routes = {route.name: route_rules(snapshot, route) for route in snapshot.routes}
        self._rules = Rules(routes, today(), str(folder))
        self._compiled: dict[str, Compiled | str] = {}
        self.redactors = Redactors(key, snapshot.diffs.redact, routes)
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # the operator's own comparator lies beside the file

    def compare(self, route: str, legacy: Capture, modern: Capture) -> tuple[Comparison, tuple[str, ...]]:
        """Return what both answers come to, and the names of the invariants they break."""
        rules = self._of(route)
        if isinstance(rules, str):
            return Comparison("not_compared", reason="error", notes=(rules,)), ()
        outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
        broken = [
            one.invariant.name
            for one, outcome in zip(rules.invariants, outcomes, strict=True)
            if outcome.state == VIOLATED
        ]
        return compare(legacy, modern, rules.policy), tuple(broken)

    def _of(self, route: str) -> Compiled | str:
        found = self._compiled.get(route)
        if found is None:
            found = self._compiled[route] = compiled(self._rules, route)
        return found
