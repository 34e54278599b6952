"""One figure asked of two databases that live: judged only where neither moved while it was asked.

A reading is legacy, modern, legacy again. It is judged when both of legacy's values agree; it is an excess when
modern's differs. A check is violated when the same excess stands in three readings, `settle` apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from comparators.row_values import number
from proxy.data.database import Database, DatabaseError
from proxy.data.row_settling import Redact
from rules.data_settings import DataCheck

READINGS = 3
CENT = Decimal("0.01")
SHARE_OF_TIME = 10
"""A check that takes a second is asked every ten seconds at most."""

_NAME = re.compile(r"[A-Za-z_]\w*")
State = Literal["held", "violated", "not_judged", "failed"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check came to: `legacy` and `modern` as text, `reason` where it was not judged or failed."""

    name: str
    state: State
    legacy: str = ""
    modern: str = ""
    reason: str = ""

    def document(self) -> dict[str, str]:
        """Return this as the API and `--json` show it."""
        return {
            "name": self.name, "state": self.state, "legacy": self.legacy, "modern": self.modern, "reason": self.reason
        }  # fmt: skip

    def redacted(self, redact: Redact, check: DataCheck) -> CheckResult:
        """Return this without secrets: figures are shown, a text not where a name in its SELECT is that of one."""
        legacy, modern = redact("", self.legacy, self.modern)
        if number(legacy) is None or number(modern) is None:
            for name in dict.fromkeys(_NAME.findall(f"{check.legacy} {check.modern}")):
                legacy, modern = redact(name, legacy, modern)
        return replace(self, legacy=legacy, modern=modern)


Settle = Callable[[float], None]


def run_check(check: DataCheck, databases: tuple[Database, Database], settle: Settle, most_lag: float) -> CheckResult:
    """Ask a check of both databases until it holds, is violated, or cannot be judged."""
    try:
        behind = _behind(databases, most_lag)
        return CheckResult(check.name, "not_judged", reason=behind) if behind else _judged(check, databases, settle)
    except DatabaseError as error:
        return CheckResult(check.name, "failed", reason=str(error))


def _behind(databases: tuple[Database, Database], most: float) -> str:
    for database in databases:
        lag = database.replica_lag()
        if most and lag > most:
            return f"{database.side}'s replica is {lag:g} s behind (`replica_lag`: {most:g} s)"
    return ""


def _judged(check: DataCheck, databases: tuple[Database, Database], settle: Settle) -> CheckResult:
    excesses: set[Any] = set()
    before = modern = None
    for reading in range(READINGS):
        if reading:
            settle(check.settle)
        before, modern, after = _reading(check, databases)
        if not _same(before, after, check):
            return CheckResult(check.name, "not_judged", str(before), str(modern), "legacy changed while it was asked")
        if _same(before, modern, check):
            return CheckResult(check.name, "held", str(before), str(modern))
        excesses.add(_excess(before, modern))
    if len(excesses) > 1:
        return CheckResult(check.name, "not_judged", str(before), str(modern), "the difference moved")
    return CheckResult(check.name, "violated", str(before), str(modern))


def _reading(check: DataCheck, databases: tuple[Database, Database]) -> tuple[Any, Any, Any]:
    legacy, modern = databases
    return legacy.value(check.legacy), modern.value(check.modern), legacy.value(check.legacy)


def _excess(legacy: Any, modern: Any) -> Any:
    left, right = number(legacy), number(modern)
    return (str(legacy), str(modern)) if left is None or right is None else left - right


def _same(legacy: Any, modern: Any, check: DataCheck) -> bool:
    left, right = number(legacy), number(modern)
    if left is None or right is None:
        return (legacy is None) is (modern is None) and str(legacy) == str(modern)
    if check.equal == "rounded":
        return _cents(left.numerator, left.denominator) == _cents(right.numerator, right.denominator)
    return left == right


def _cents(numerator: int, denominator: int) -> Decimal:
    return (Decimal(numerator) / Decimal(denominator)).quantize(CENT, ROUND_HALF_UP)
