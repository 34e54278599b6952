"""Shows the lines in which two texts differ, without those that the comparison forgives.

Legacy's text is compared with itself but for some of its lines, as modern has them: where that is the same, they are
forgiven. Lines that count are cut further, so that they show what counts in them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final, NamedTuple

from comparators.literals import cut_apart
from comparators.model import LONGEST_LITERAL

Forgives = Callable[[str], bool]
"""Whether legacy's text beside this one is the same, by the rules."""

_ENDS: Final = re.compile(r"(?<=>)\s*(?=<)|\n")
_CELLS: Final = re.compile(r"[,;\t|]|[^,;\t|]+")
_MARKUP: Final = re.compile(r"""\s+[\w:.@-]+(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))?(?=[\s/>])|[<>]|[^\s<>]+|\s+""")
_WORDS: Final = re.compile(r"[\w:.+-]+|\s+|.")
_PARTS: Final = {"csv": _CELLS, "html": _MARKUP, "xml": _MARKUP}
_LONGEST: Final = LONGEST_LITERAL - 1
_AROUND: Final = 2
_MOST_PARTS: Final = 2000


class Piece(NamedTuple):
    """A line, or an element of a page, with `end`, what separates it from the next."""

    shown: str
    end: str


class Block(NamedTuple):
    """A place at which two lists differ: from and to in either."""

    first: int
    last: int
    start: int
    stop: int


def pieces(text: str) -> list[Piece]:
    """Return the lines of a text; of a page each element's, which are often one line on the wire."""
    found, at = [], 0
    for end in _ENDS.finditer(text):
        found.append(Piece(text[at : end.start()], end.group()))
        at = end.end()
    return [*found, Piece(text[at:], "")]


def folded(
    ours: Sequence[Piece], theirs: Sequence[Piece], forgives: Forgives, *, kind: str, tries: int
) -> tuple[list[str], int, bool]:
    """Return legacy's lines with what is forgiven as modern has it, in how many places that is, whether any counts.

    `tries` bounds how often it is asked; what was not asked about counts.
    """
    texts = [piece.shown + piece.end for piece in theirs]
    whole = [piece.shown + piece.end for piece in ours]
    apart = _blocks([piece.shown for piece in ours], [piece.shown for piece in theirs])
    budget = _Budget(tries)

    def said(some: Sequence[Block]) -> bool:
        return forgives("".join(_replaced(whole, texts, some)))

    good = budget.forgiven(apart, said)
    shown, places = [piece.shown for piece in ours], len(good)
    counting = [block for block in apart if block not in good]
    for block in counting:
        if block.last - block.first == block.stop - block.start == 1:
            before, after = "".join(whole[: block.first]), ours[block.first].end + "".join(whole[block.last :])
            shown[block.first], more = _within(
                ours[block.first].shown, theirs[block.start].shown, lambda line: forgives(before + line + after),  # noqa: B023
                kind, budget,
            )  # fmt: skip
            places += more
    return _replaced(shown, [piece.shown for piece in theirs], good), places, bool(counting)


def _within(legacy: str, modern: str, forgives: Forgives, kind: str, budget: _Budget) -> tuple[str, int]:
    """Return a line with what is forgiven in it as modern has it, and in how many places that is."""
    parts = _PARTS.get(kind, _WORDS)
    ours, theirs = parts.findall(legacy), parts.findall(modern)
    if max(len(ours), len(theirs)) > _MOST_PARTS or "".join(ours) != legacy or "".join(theirs) != modern:
        return legacy, 0
    apart = _blocks(ours, theirs)
    if len(apart) < 2:  # noqa: PLR2004 - one place is the whole line, which counts
        return legacy, 0
    good = budget.forgiven(apart, lambda some: forgives("".join(_replaced(ours, theirs, some))))
    return "".join(_replaced(ours, theirs, good)), len(good)


class _Budget:
    """How often it may still be asked; nothing else changes."""

    def __init__(self, tries: int) -> None:
        self._left = tries

    def forgiven(self, blocks: Sequence[Block], forgives: Callable[[Sequence[Block]], bool]) -> list[Block]:
        """Return those that are forgiven: all at once where they are, else by halves."""
        found: list[Block] = []
        waiting = [blocks]
        while waiting and self._left > 0:
            some = waiting.pop()
            self._left -= 1
            if forgives(some):
                found += some
            elif len(some) > 1:
                waiting += (some[len(some) // 2 :], some[: len(some) // 2])
        return found


def _blocks(ours: Sequence[str], theirs: Sequence[str]) -> list[Block]:
    """Return where two lists differ; lines that stand for as many others are places of their own."""
    found = []
    for operation, *at in SequenceMatcher(None, ours, theirs).get_opcodes():
        block = Block(*at)
        if operation == "replace" and block.last - block.first == block.stop - block.start:
            steps = range(block.last - block.first)
            pairs = (Block(block.first + n, block.first + n + 1, block.start + n, block.start + n + 1) for n in steps)
            found += [pair for pair in pairs if ours[pair.first] != theirs[pair.start]]
        elif operation != "equal":
            found.append(block)
    return found


def _replaced(ours: Sequence[str], theirs: Sequence[str], blocks: Sequence[Block]) -> list[str]:
    """Return one list with some of its blocks as the other has them."""
    found, at = [], 0
    for block in sorted(blocks):
        found += [*ours[at : block.first], *theirs[block.start : block.stop]]
        at = block.last
    return [*found, *ours[at:]]


def unified(legacy: Sequence[str], modern: Sequence[str], begin: int = 0) -> Iterator[str]:
    """Yield the lines of a unified diff; long ones are cut around the first difference, never to the same.

    `begin` is how many lines of either stand before these.
    """
    for number, group in enumerate(SequenceMatcher(None, legacy, modern).get_grouped_opcodes(_AROUND)):
        if not number:
            yield from ("--- legacy", "+++ modern")
        _, first, _, start, _ = group[0]
        _, _, last, _, stop = group[-1]
        yield f"@@ -{_range(begin + first, begin + last)} +{_range(begin + start, begin + stop)} @@"
        for operation, *at in group:
            block = Block(*at)
            ours, theirs = legacy[block.first : block.last], modern[block.start : block.stop]
            if operation == "equal":
                yield from (f" {line}"[:LONGEST_LITERAL] for line in ours)
                continue
            pairs = [cut_apart("", one, two, _LONGEST) for one, two in zip_longest(ours, theirs, fillvalue="")]
            yield from (f"-{one}" for one, _ in pairs[: len(ours)])
            yield from (f"+{two}" for _, two in pairs[: len(theirs)])


def _range(first: int, last: int) -> str:
    """Return a range as diffs write it: where it begins, how many lines there are unless it is one."""
    count = last - first
    return f"{first + 1}" if count == 1 else f"{first + 1 if count else first},{count}"
