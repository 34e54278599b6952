"""Writes the guard's evidence in words, and figures of other evidence in their units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dashboards.html import NOTHING, count, digits, seconds, share

Figure = Callable[[float], str]


def _plain(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else digits(value, 6)


_CHECKS: Mapping[str, tuple[str, Figure]] = {
    "consecutive": ("Failures in a row", _plain),
    "invariant": ("Broken business rules", _plain),
    "errors": ("Errors", share),
    "p95": ("P95", seconds),
    "worse_errors": ("More errors than legacy", share),
    "worse_p95": ("More slow requests than legacy", share),
    "worse_4xx": ("More 4xx than legacy", share),
    "mismatch": ("Different answers", share),
}
"""The guard's checks: for people, with how their figures are written (rules.guard.evidence.REASONS)."""
_OUTCOMES = {"bad": "breaks its limits", "good": "within its limits", "cannot_tell": "cannot tell",
             "too_little": "too little traffic to judge"}  # fmt: skip
_SHARES = frozenset({"coverage", "upper_bound", "share", "share_migrated", "slow_share", "sample"})
_SECONDS = frozenset({"p50", "p95", "p99", "window", "span", "seconds", "after", "lag", "hold_off"})
_NAMES = {"upper_bound": "at most different", "open_groups": "differences not judged", "wanting": "is missing",
          "never_compared": "never compared", "on_violation": "on a violation"}  # fmt: skip


def check_name(name: str) -> str:
    """Return what a check of the guard is called for people."""
    return _CHECKS[name][0] if name in _CHECKS else name.replace("_", " ")


def check_figure(name: str, value: float | None) -> str:
    """Return a check's value or limit in its unit."""
    if value is None:
        return NOTHING
    return _CHECKS[name][1](value) if name in _CHECKS else _plain(value)


def outcome(name: str) -> str:
    """Return the outcome of a verdict or a check."""
    return _OUTCOMES.get(name, name.replace("_", " "))


def cause(reason: str) -> str:
    """Return why a route was rolled back, given one word of the closed list."""
    if reason == "manual":
        return "by hand"
    if reason == "data":
        return "a check of both databases"
    return check_name(reason).lower() if reason != "p95" else "P95"


def key(name: str) -> str:
    """Return a member's name for people."""
    return _NAMES.get(name, name.replace("_", " "))


def value(name: str, of: Any) -> str:
    """Return a member's value for people: shares as percent, durations with their unit, all else as it is."""
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, (int, float)):
        return _unit(name)(of)
    return NOTHING if of is None else str(of)


def _unit(name: str) -> Figure:
    if name in _SHARES or name.endswith(("_rate", "_share")):
        return share
    return seconds if name in _SECONDS else _plain


def is_verdict(found: Any) -> bool:
    """Whether evidence is a verdict of the guard."""
    return isinstance(found, Mapping) and isinstance(found.get("checks"), (list, tuple))


def sentence(check: Mapping[str, Any]) -> str:
    """Return one check as a sentence: what was seen, of how many, what is allowed."""
    name, detail = str(check.get("name") or ""), str(check.get("detail") or "")
    seen, limit = (check_figure(name, _number(check.get(each))) for each in ("value", "limit"))
    figures = [f"seen {seen}" if seen != NOTHING else "", f"limit {limit}" if limit != NOTHING else ""]
    return ", ".join(filter(None, (f"{check_name(name)}: {detail}" if detail else check_name(name), *figures)))


def verdict(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a verdict accuses the modern side of, then what it is not accused of, as sentences."""
    checks = [check for check in found["checks"] if isinstance(check, Mapping)]
    reason = found.get("reason")
    first = [check for check in checks if check.get("name") == reason]
    others = [check for check in checks if check.get("name") != reason and check.get("outcome") == "bad"]
    yield from map(sentence, (*first, *others))
    fine = [check_name(str(check.get("name"))).lower() for check in checks if check.get("outcome") == "good"]
    if fine:
        yield f"within their limits: {', '.join(fine)}"
    told = f"looked at the last {seconds(_number(found.get('window')))}" if found.get("window") else ""
    instances = found.get("instances")
    if told and isinstance(instances, int) and instances > 1:
        told = f"{told} of {count(instances, 'instance')} together"
    if told:
        yield told


_COUNTS = re.compile(r"(\d+) of (\d+) \D.*? (\d+) of (\d+)(?:;|$)")


def counts(detail: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return modern's and legacy's bad requests of all from the text of a comparative check, None where it has none."""
    found = _COUNTS.match(detail)
    if found is None:
        return None
    bad, of, on_legacy, of_legacy = map(int, found.groups())
    return (bad, of), (on_legacy, of_legacy)


def _number(found: Any) -> float | None:
    return found if isinstance(found, (int, float)) else None
