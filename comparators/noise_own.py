"""Noise known from this very pair: legacy was asked again, the pieces it changed inside texts are masked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from comparators import noise_tokens
from comparators.fingerprint import path_pattern
from comparators.model import LONGEST_LITERAL, Observation
from comparators.noise_rules import NoiseRule, place_of
from comparators.noise_shapes import text_of
from comparators.noise_text import patterns

_CUT: Final = "…"


def own_rules(observations: Iterable[Observation]) -> tuple[NoiseRule, ...]:
    """Return a `text` rule for each piece that changed; for use on this pair only."""
    found = {(path_pattern(each.path), one): None for each in observations for one in pieces(each)}
    return tuple(NoiseRule(path, "text", date.max, pattern=pattern) for path, pattern in found)


def is_piecewise(observation: Observation) -> bool:
    """Whether legacy changed only a piece of a text: whoever changed another piece of it differs."""
    return bool(pieces(observation))


def is_cut(literal: str) -> bool:
    """Whether a literal shows only a part of what stood there: the rest may be anything."""
    return len(literal) >= LONGEST_LITERAL or literal.endswith(_CUT)


def pieces(observation: Observation) -> tuple[str, ...]:
    """Return the patterns of the pieces that changed, none where something else did."""
    if observation.kind not in {"value", "header"}:
        return ()
    return _pieces(observation.path == "@body", observation.first, observation.again)


@lru_cache(maxsize=256)
def _pieces(in_body: bool, first: str, again: str) -> tuple[str, ...]:  # noqa: FBT001 - a key of the cache
    one, two = text_of(first), text_of(again)
    if one is None or two is None:
        return ()
    if in_body:
        if place_of(one) != place_of(two):
            return ()
        is_token = one.startswith(f"{noise_tokens.PLACE} ")
        one, two = (text.partition(": ")[2].strip(_CUT) for text in (one, two))
        if is_token:
            return noise_tokens.patterns(one, two)
    return patterns(one, two)
