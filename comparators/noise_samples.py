"""What is learned from of two answers of legacy: each place where they differ, of long texts each piece that varies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from comparators.model import LONGEST_LITERAL, Finding, Observation
from comparators.noise_pieces import opened
from comparators.noise_rules import Piece, Same, Varying, pieces
from comparators.self_noise import Own

CUT: Final = "…"
_QUOTES: Final = '": "'
"""What is written around a text: two quotes, and what parts it from its place."""
_BEFORE: Final = 48
_AFTER: Final = 24
_MOST_PIECES: Final = 60
_MOST: Final = 200
_BODY: Final = "@body"


def observed(findings: Sequence[Finding], own: Own) -> tuple[Observation, ...]:
    """Return where legacy differs from itself: `findings` between its answers, and their texts where these differ.

    A text that is too long for a literal, or stands in a page, is returned as its varying pieces, each with what
    stays the same around it; where these cannot be found, as the finding.
    """
    places = own.all()
    parts: list[Observation] = []
    told: set[tuple[str, str]] = set()
    heads: list[str] = []
    for path, shown, first, again in places[:_MOST]:
        if path == _BODY or max(len(first), len(again)) > LONGEST_LITERAL - 2:
            found = _windows(path, shown, first, again)
            parts += found
            if found and path == _BODY:
                heads += [f"{shown}: ", "{}: {}=".format(*shown.rsplit("@", 1)) if "@" in shown else f"{shown}: "]
            told |= {(path, shown)} if found else set()
    rest = [
        Observation(each.path, each.kind, each.legacy, each.modern)
        for each in findings
        if not _is_told(each, told, tuple(heads))
    ]
    return (*rest, *parts[:_MOST])


def _is_told(finding: Finding, told: set[tuple[str, str]], heads: tuple[str, ...]) -> bool:
    if finding.kind not in {"value", "header"}:
        return False
    return finding.legacy.startswith(heads) if finding.path == _BODY else (finding.path, "") in told


def _windows(path: str, shown: str, first: str, again: str) -> list[Observation]:
    texts = opened(first), opened(again)
    found = pieces(texts)
    if found is None and len(shown) + max(map(len, texts)) > LONGEST_LITERAL - len(_QUOTES):
        # Texts that vary in words are learned whole, where a literal shows them whole.
        found = pieces(texts, lettered=True)
    if found is None:
        return []
    windows = [_window(found, at) for at, piece in enumerate(found) if isinstance(piece, Varying)]
    return [Observation(path, "value", *_written(path, shown, *window)) for window in windows[:_MOST_PIECES]]


def _window(found: Sequence[Piece], at: int) -> tuple[str, str]:
    """Return both values of a varying piece, each with what stays the same beside it."""
    piece, before, after = found[at], "", ""
    if at and isinstance(left := found[at - 1], Same):
        before = left.text[-_BEFORE:]
        before = before if at == 1 and before == left.text else f"{CUT}{before}"
    if at + 1 < len(found) and isinstance(right := found[at + 1], Same):
        after = right.text[:_AFTER]
        after = after if at + 2 == len(found) and after == right.text else f"{after}{CUT}"
    assert isinstance(piece, Varying)  # noqa: S101 - the caller looked
    return f"{before}{piece.values[0]}{after}", f"{before}{piece.values[1]}{after}"


def _written(path: str, shown: str, one: str, two: str) -> tuple[str, str]:
    if path == _BODY:
        return f"{shown}: {one}", f"{shown}: {two}"
    if path.startswith("/") or not path:
        return json.dumps(one, ensure_ascii=False), json.dumps(two, ensure_ascii=False)
    return one, two
