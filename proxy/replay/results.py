"""Adds up what a replay found: verdicts for each route, groups of differences, what was not asked and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from comparators.model import Comparison, Finding, fingerprint, path_pattern

GROUPS_AT_MOST: Final = 10_000
EXAMPLES: Final = 3


@dataclass(slots=True)
class Group:
    """One difference, wherever it was seen; `examples` are redacted."""

    id: str
    route: str
    path: str
    kind: str
    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)


class Results:
    """Grows with every request. `cut` counts findings beyond GROUPS_AT_MOST groups."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Counter[str]] = {}
        self.reasons: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.invariants: Counter[str] = Counter()
        self.groups: dict[str, Group] = {}
        self.cut = 0

    def compared(self, route: str, comparison: Comparison, shown: Sequence[Finding], request: str) -> None:
        """Add a verdict; `shown` are its findings redacted, one for each of the comparison's, `request` as well."""
        self.verdicts.setdefault(route, Counter())[comparison.verdict] += 1
        if comparison.reason:
            self.reasons[comparison.reason] += 1
        if comparison.verdict == "different":
            found = zip(comparison.findings, shown, strict=True)
            for group in {
                group.id: group for one, seen in found if (group := self._put(route, one, seen, request))
            }.values():
                group.count += 1

    def _put(self, route: str, finding: Finding, seen: Finding, request: str) -> Group | None:
        name = fingerprint(route, finding)
        group = self.groups.get(name)
        if group is None:
            if len(self.groups) >= GROUPS_AT_MOST:
                self.cut += 1
                return None
            group = self.groups[name] = Group(name, route, path_pattern(finding.path), finding.kind)
        if len(group.examples) < EXAMPLES:
            group.examples.append({"request": request, "path": seen.path, "legacy": seen.legacy, "modern": seen.modern})
        return group

    @property
    def total(self) -> Counter[str]:
        """Verdicts over all routes."""
        return sum(self.verdicts.values(), Counter())

    @property
    def clean(self) -> bool:
        """Whether something was compared, nothing differed, no side failed, no invariant was broken."""
        total = self.total
        compared = total["equal"] + total["noise"]
        return bool(compared) and not total["different"] and not self.failed and not self.invariants

    def document(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "routes": {route: dict(counts) for route, counts in sorted(self.verdicts.items())},
            "not_compared": dict(self.reasons),
            "skipped": dict(self.skipped),
            "failed": dict(self.failed),
            "invariants": dict(self.invariants),
            "groups": [
                {
                    "id": group.id, "route": group.route, "path": group.path, "kind": group.kind, "count": group.count,
                    "examples": group.examples,
                }
                for group in sorted(self.groups.values(), key=lambda one: -one.count)
            ],
            "findings_cut": self.cut,
            "clean": self.clean,
        }  # fmt: skip
