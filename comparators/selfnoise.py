"""Tells differences that legacy also has from itself: they say nothing about modern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from comparators import noise
from comparators.model import Finding, Observation
from comparators.names import looks_money, looks_secret
from comparators.pointer import steps
from comparators.policy import Policy
from comparators.shape import same_shape

_NEVER: Final = frozenset({"status", "parse", "error"})
_ONE_SIDED: Final = frozenset({"missing", "extra"})
_CONTENTS: Final = frozenset({"value", "type", "length", "header"})


def split(
    findings: Sequence[Finding], observations: Sequence[Observation], policy: Policy
) -> tuple[tuple[Finding, ...], int]:
    """Return the findings that count, and how many are noise.

    A finding is noise where legacy differs from itself in just that place, and modern's value has the shape of
    legacy's; or where a learned rule says so, if the policy lets it. Never under a name about money, and never when
    a secret is shown by one side only.
    """
    if policy.noise == "none" or not findings or not (observations or policy.noise_rules):
        return tuple(findings), 0
    counting = tuple(
        each for each in findings if not _may_hide(each) or not (_is_own(each, observations) or _learned(each, policy))
    )
    return counting, len(findings) - len(counting)


def masking(policy: Policy, observations: Sequence[Observation]) -> Policy:
    """Return the policy for a pair whose legacy side was asked again: what it changes inside texts is masked."""
    if not observations or not (own := noise.own_rules(observations)):
        return policy
    learned = policy.noise_rules if policy.noise == "learn" else ()
    return replace(policy, noise="learn", noise_rules=(*own, *learned))


def _may_hide(finding: Finding) -> bool:
    if finding.kind in _NEVER:
        return False
    if finding.path.startswith("@"):
        return not looks_money([finding.path])
    names = steps(finding.path)
    one_sided_secret = finding.kind in _ONE_SIDED and bool(names) and looks_secret(names[-1])
    return not one_sided_secret and not looks_money(names)


def _learned(finding: Finding, policy: Policy) -> bool:
    if not policy.noise_rules or policy.noise != "learn":
        return False
    return noise.hides(policy.noise_rules, finding)


def _is_own(finding: Finding, observations: Sequence[Observation]) -> bool:
    here = [each for each in observations if each.path == finding.path]
    if finding.path == "@body":
        place = noise.place_of(finding.legacy or finding.modern)
        here = [each for each in here if place and noise.place_of(each.first or each.again) == place]
        if any(noise.is_cut(each) or noise.is_about_money(each) for each in (finding.legacy, finding.modern)):
            return False
    # Where only a piece of a text changed, the piece was masked: what is still found there is something else.
    here = [each for each in here if not noise.is_piecewise(each)]
    if not here:
        return False
    kinds = {each.kind for each in here}
    examples = [literal for each in here for literal in (each.first, each.again)]
    if finding.kind in _CONTENTS:
        return not kinds.isdisjoint(_CONTENTS) and same_shape(finding.modern, examples)
    if finding.kind == "missing":
        return not kinds.isdisjoint(_ONE_SIDED)
    if finding.kind == "extra":
        return "extra" in kinds and same_shape(finding.modern, [each for each in examples if each])
    return finding.kind in kinds
