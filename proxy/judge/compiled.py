"""Compiles the rules of one route for judging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from comparators.body_kind import coding_of
from comparators.content_coding import Undecodable, decode
from comparators.model import Capture
from comparators.noise_rules import NoiseRule
from comparators.policy import Policy
from proxy.judge.rulebook import Rules
from rules.invariant_parser import InvariantError
from rules.invariants import CompiledInvariant as Invariant
from rules.invariants import compile_invariant

MOST_BYTES = 32 << 20
"""What a body that an invariant reads may become when its coding is undone."""
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a route's pairs are held against."""

    policy: Policy
    invariants: tuple[Invariant, ...]


def compiled(rules: Rules, route: str) -> Compiled | str:
    """Return the rules of `route` ready for use, or why they cannot be used."""
    written = rules.routes.get(route)
    if written is None:
        return f"there are no rules for {route}"
    try:
        policy = Policy.from_mapping(
            written.compare,
            legacy_hosts=written.legacy_hosts,
            modern_hosts=written.modern_hosts,
            noise=tuple(_learned(written.noise)),
            today=date.fromisoformat(rules.today),
        )
        return Compiled(policy, tuple(compile_invariant(one) for one in written.invariants))
    except (ValueError, InvariantError) as error:
        return str(error)


def _learned(noise: Iterable[Mapping[str, Any]]) -> Iterator[NoiseRule]:
    """Read what was learned; what another version has written in another form is left out."""
    for one in noise:
        try:
            yield NoiseRule.from_mapping(one)
        except (ValueError, KeyError, TypeError):
            continue


def body_of(capture: Capture | None) -> bytes | None:
    """Return an answer's body with its coding undone, None when there is nothing that an invariant could read.

    An error's body is no balance: what a side did not answer says nothing about its amounts.
    """
    if capture is None or capture.status not in _OK:
        return None
    try:
        return decode(capture.body, coding_of(capture), MOST_BYTES)
    except Undecodable:
        return None
