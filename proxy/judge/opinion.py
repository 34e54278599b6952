"""Forms an opinion on one pair.

1. the rules of its route, compiled once
2. what the comparator finds; nothing of a legacy that missed the user's session
3. what the invariants find in both bodies, whatever is ignored or forgiven
4. only if something was found: the pair with its findings, redacted; nothing else of it leaves the judge
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

import orjson

from comparators.comparison import compare
from comparators.model import Capture, Comparison, Finding, fingerprint, path_pattern
from comparators.policy import Policy
from comparators.redaction import Redactor
from comparators.redaction_values import shown_in
from proxy.ipc.judge_messages import MOST_FOUND, Case, Checked, Found, Opinion
from proxy.ipc.messages import Answer, Pair
from proxy.judge.policies import Compiled, Rules, body_of, compiled
from proxy.judge.redaction import Redactors, pack
from proxy.judge.repeats import Repeats
from proxy.telemetry.records import SESSION, is_for_strangers
from rules.invariants import VIOLATED, CompiledInvariant, Outcome, check_all

NOT_COMPARED: Final = "not_compared"
Material = tuple[Capture, Capture, Policy, tuple[Capture, ...]]


class Opinions:
    """What a judge knows: the rules, compiled for each route when the first pair of it comes."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._redactors = Redactors(rules.key.encode(), rules.redact, rules.routes, personal=rules.personal)
        self._compiled: dict[str, Compiled | str] = {}

    def on(self, case: Case) -> Opinion:
        """Return the opinion on `case`; never raises: a fault of ours is a reason not to compare."""
        opinion = self.unless_repeated(case, None)
        return Opinion(case.ticket, NOT_COMPARED, "error") if opinion is None else opinion

    def unless_repeated(self, case: Case, repeats: Repeats | None) -> Opinion | None:
        """Return the opinion on `case`; None where it differs as others did a moment ago, and was counted with them."""
        try:
            return self._opinion(case, repeats)
        except Exception as error:  # noqa: BLE001 - whatever a pair or our own code is like, the next one is judged
            return Opinion(case.ticket, NOT_COMPARED, "error", notes=(repr(error)[:200],))

    def material(self, pair: Pair) -> Material | None:
        """Return what a pair is compared by: both answers, the policy, legacy's further ones; None where it cannot."""
        rules = self._rules_of(pair.route)
        legacy, modern = _capture(pair, pair.legacy), _capture(pair, pair.modern)
        if isinstance(rules, str) or legacy is None or modern is None:
            return None
        if pair.legacy.truncated or pair.modern.truncated:
            return None
        return legacy, modern, rules.policy, _again(pair)

    def _opinion(self, case: Case, repeats: Repeats | None) -> Opinion | None:
        pair = case.pair
        rules = self._rules_of(pair.route)
        if isinstance(rules, str):
            return Opinion(case.ticket, NOT_COMPARED, "rules", notes=(rules,))
        legacy, modern = _capture(pair, pair.legacy), _capture(pair, pair.modern)
        comparison, reason = _compared(rules, pair, legacy, modern)
        if pair.reason == SESSION and (is_for_strangers(pair.legacy.status) or comparison.verdict == "different"):
            # legacy did not know the user: its answer proves nothing, modern's invariants do
            comparison, reason, legacy = Comparison(NOT_COMPARED), SESSION, None
        checked = _checked(rules, legacy, modern, self._rules.redact, self._redactors.of(pair.route))
        if repeats is not None and not checked and self._folds(repeats, pair, comparison):
            return None
        kept, secrets = (None, frozenset[str]()) if case.stored or not comparison.findings else self._redacted(pair)
        found = tuple(self._found(pair.route, comparison.findings, secrets, stored=case.stored))
        opinion = Opinion(
            case.ticket,
            comparison.verdict,
            reason or comparison.reason,
            found,
            tuple(comparison.forgiven.items()),
            comparison.notes,
            checked,
            sampled=pair.secondary is not None and comparison.verdict != NOT_COMPARED and rules.policy.noise != "none",
            observed=_observed(comparison),
        )
        if case.stored or not (found or any(one.state == VIOLATED for one in checked)):
            return opinion
        redacted = kept or self._redacted(pair)[0]
        return replace(
            opinion,
            request=f"{redacted.method} {_target(redacted)}",
            payload=pack(redacted) if self._rules.bodies else b"",
        )

    def _folds(self, repeats: Repeats, pair: Pair, comparison: Comparison) -> bool:
        """Whether a pair was counted with others that differ in the same groups."""
        rules = self._rules.routes.get(pair.route)
        if rules is None or comparison.observations:
            return False
        if comparison.verdict != "different" or len(comparison.findings) >= MOST_FOUND:
            return False
        groups = tuple(dict.fromkeys(fingerprint(pair.route, finding) for finding in comparison.findings))
        return repeats.folds(pair, groups, comparison.forgiven, rules.rechecks)

    def _rules_of(self, route: str) -> Compiled | str:
        """Return the compiled rules of a route, or what is wrong with them."""
        there = self._compiled.get(route)
        if there is None:
            there = self._compiled[route] = compiled(self._rules, route)
        return there

    def _found(
        self, route: str, findings: Sequence[Finding], secrets: AbstractSet[str], *, stored: bool
    ) -> Iterator[Found]:
        groups: set[str] = set()
        secrets = shown_in((literal for each in findings for literal in (each.legacy, each.modern)), secrets)
        for finding in findings:
            group = fingerprint(route, finding)
            if group in groups or len(groups) >= MOST_FOUND:
                continue
            groups.add(group)
            shown = finding if stored else self._redactors.of(route).finding(finding, secrets)
            pattern = path_pattern(shown.path)
            yield Found(group, shown.path, pattern, shown.kind, shown.legacy, shown.modern, shown.rule)

    def _redacted(self, pair: Pair) -> tuple[Pair, AbstractSet[str]]:
        """Return a pair as it may be kept, with the values that were masked in it."""
        redactor = self._redactors.of(pair.route)
        path, mark, query = redactor.target(_target(pair)).partition("?")
        with redactor.collecting() as secrets:
            redacted = replace(
                pair,
                path=path,
                query=query if mark else None,
                user="",
                legacy=_redacted(pair, pair.legacy, redactor),
                modern=_redacted(pair, pair.modern, redactor),
                secondary=None if pair.secondary is None else _redacted(pair, pair.secondary, redactor),
            )
        return redacted, secrets


def _compared(rules: Compiled, pair: Pair, legacy: Capture | None, modern: Capture | None) -> tuple[Comparison, str]:
    """Return the comparison, with the reason why there was none."""
    if legacy is None or modern is None:
        failed = pair.legacy.failed or pair.modern.failed
        return Comparison(NOT_COMPARED), "absent" if failed == "absent" else "failed"
    if pair.legacy.truncated or pair.modern.truncated:
        return Comparison(NOT_COMPARED), "body_cap"
    return compare(legacy, modern, rules.policy, secondary=_again(pair)), ""


def _again(pair: Pair) -> tuple[Capture, ...]:
    again = None if pair.secondary is None or pair.secondary.truncated else _capture(pair, pair.secondary)
    return () if again is None else (again,)


def _checked(
    rules: Compiled, legacy: Capture | None, modern: Capture | None, redact: Sequence[str], redactor: Redactor
) -> tuple[Checked, ...]:
    if not rules.invariants:
        return ()
    outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
    return tuple(
        _shown(one, outcome, redact, redactor) for one, outcome in zip(rules.invariants, outcomes, strict=True)
    )


def _shown(invariant: CompiledInvariant, outcome: Outcome, redact: Sequence[str], redactor: Redactor) -> Checked:
    name = invariant.invariant.name
    if any(field in invariant.invariant.expr for field in redact):
        return Checked(name, outcome.state, "its values are not shown" if outcome.detail else "")
    return Checked(name, outcome.state, redactor.text(outcome.detail), outcome.left, outcome.right)


def _redacted(pair: Pair, answer: Answer, redactor: Redactor) -> Answer:
    capture = _capture(pair, answer)
    if capture is None:
        return replace(answer, headers=(), body=b"")
    shown = redactor.capture(capture)
    return replace(answer, headers=shown.headers, body=shown.body)


def _capture(pair: Pair, answer: Answer) -> Capture | None:
    if answer.failed:
        return None
    return Capture(pair.method, _target(pair), answer.status, answer.headers, answer.body, answer.at or None)


def _target(pair: Pair) -> str:
    return pair.path if pair.query is None else f"{pair.path}?{pair.query}"


def _observed(comparison: Comparison) -> bytes:
    if not comparison.observations:
        return b""
    return orjson.dumps([[one.path, one.kind, one.first, one.again] for one in comparison.observations])
