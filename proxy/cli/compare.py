"""`strangler compare`: two saved answers, judged as a route would judge them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comparators import compare as compared
from comparators.model import Capture, Comparison
from proxy.cli.files import print_json, read
from proxy.cli.plain import print_line
from proxy.cli.saved import saved
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError
from proxy.judge.policies import Compiled, RouteRules, Rules, body_of, compiled, route_rules
from proxy.operating.rulings import today
from rules.invariants import VIOLATED, check_all

NOBODY = "(none)"


class UnknownRouteError(ProxyError):
    """The file has no such route."""

    exit_code = EXIT_USAGE


def compare(config: str, legacy: str, modern: str, route: str, method: str, path: str, *, as_json: bool) -> int:
    """Print how two saved answers differ; 0 when they do not, nor break an invariant of the route."""
    rules = _rules(config, route, as_json=as_json)
    if rules is None:
        return EXIT_USAGE
    sides = saved(legacy, method, path), saved(modern, method, path)
    comparison = compared(*sides, rules.policy)
    invariants = _invariants(rules, *sides)
    if as_json:
        print_json({**_document(comparison), "invariants": invariants})
    else:
        _print(comparison, invariants)
    fine = comparison.verdict in ("equal", "noise") and all(one["state"] != VIOLATED for one in invariants)
    return EXIT_YES if fine else EXIT_NO


def _rules(config: str, route: str, *, as_json: bool) -> Compiled | None:
    """Return what to judge by: the route's rules, or none at all; None after the file's problems were printed."""
    written, folder = RouteRules({}), ""
    if route:
        prepared = read(config, as_json=as_json)
        if prepared is None:
            return None
        found = next((one for one in prepared.snapshot.routes if one.name == route), None)
        if found is None:
            names = ", ".join(one.name for one in prepared.snapshot.routes)
            raise UnknownRouteError(f"{config} has no route {route}; it has {names}")
        written, folder = route_rules(prepared.snapshot, found), str(Path(config).absolute().parent)
    if folder and folder not in sys.path:
        sys.path.append(folder)  # the operator's own comparator lies beside the file
    rules = compiled(Rules({NOBODY: written}, today()), NOBODY)
    if isinstance(rules, str):
        raise ProxyError(rules)
    return rules


def _invariants(rules: Compiled, legacy: Capture, modern: Capture) -> list[dict[str, Any]]:
    outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
    return [
        {"name": one.invariant.name, **asdict(outcome)} for one, outcome in zip(rules.invariants, outcomes, strict=True)
    ]


def _document(comparison: Comparison) -> dict[str, Any]:
    return {
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "findings": [one._asdict() for one in comparison.findings],
        "forgiven": dict(comparison.forgiven),
        "notes": list(comparison.notes),
    }


def _print(comparison: Comparison, invariants: list[dict[str, Any]]) -> None:
    print_line(comparison.verdict + (f": {comparison.reason}" if comparison.reason else ""))
    for one in comparison.findings:
        nearly = f"  (nearly {one.rule})" if one.rule else ""
        print_line(f"  {one.path or '(root)'}  {one.kind}: {one.legacy or '-'} → {one.modern or '-'}{nearly}")
    for rule, count in sorted(comparison.forgiven.items()):
        print_line(f"  forgiven by {rule}: {count}")
    for note in comparison.notes:
        print_line(f"  note: {note}")
    for invariant in invariants:
        detail = f": {invariant['detail']}" if invariant["detail"] else ""
        print_line(f"  invariant {invariant['name']}: {invariant['state']}{detail}")
