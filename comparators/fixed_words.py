"""One sentence with varying pieces, or several: what stands between the pieces of the one stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice, pairwise
from typing import Final, NamedTuple

from comparators.noise_forms import Shape
from comparators.noise_rules import chunks
from comparators.varying_words import Path, Words

# Sentences drawn at random share a word at one place by chance: `is`, `a`. So the words that stay have to outnumber
# those that vary; a number, a time, a token among what varies says that somebody filled it in.

_MOST_CUTS: Final = 8
_MOST_STEPS: Final = 200
_MOST_CHUNKS: Final = 120
_SHORT: Final = 3
_NEAR: Final = 6
"""Chunks, blanks among them: up to three words."""
_FEW, _SOME = 2, 4
_BORDERS: Final = frozenset(";|()[]<>=@#+*{}~^")
"""Marks that part fields, seldom words of a sentence."""
_ROW: Final = _BORDERS | {",", "/", "&"}
Piece = Shape | Words | Path


class Template(NamedTuple):
    """Fixed text with the values of a varying piece between each two of it: one fixed text more than pieces."""

    fixed: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    def cuts(self, text: str) -> Iterator[list[str]]:
        """Yield what another text may have as its pieces, the shortest first; none where fixed text is missing."""
        first, *between, last = self.fixed
        if text.startswith(first) and text.endswith(last) and len(text) > len(first) + len(last):
            core = text[len(first) : len(text) - len(last)]
            yield from islice(_cuts(core, between, iter(range(_MOST_STEPS))), _MOST_CUTS)


def _cuts(text: str, between: Sequence[str], steps: Iterator[int]) -> Iterator[list[str]]:
    """Yield what may stand before, between and behind fixed texts; `steps` are used up, for there are many ways."""
    if not between:
        yield [text]
        return
    at = text.find(between[0], 1)
    while at > 0 and next(steps, None) is not None:
        for rest in _cuts(text[at + len(between[0]) :], between[1:], steps):
            if all(rest):
                yield [text[:at], *rest]
        at = text.find(between[0], at + 1)


def template_of(texts: Sequence[str], there: Sequence[tuple[str, ...]] | None) -> Template | None:
    """Return the fixed text and the varying pieces of texts; None where nothing varies between what stays.

    `there` are their chunks side by side, where they have as many.
    """
    template = _aligned(texts) if there is None else _of_columns(there)
    return template if template is not None and len(template.values) >= _FEW else None


def cuts(template: Template, there: Sequence[tuple[str, ...]] | None, given: str) -> Iterator[list[str]]:
    """Yield what may be the pieces of one more text: with as many chunks what stands where theirs do, else found."""
    mine = chunks(given)
    if there is None or len(there) != len(mine):
        yield from template.cuts(given)
    elif all(chunk == column[0] for column, chunk in zip(there, mine, strict=True) if len(set(column)) == 1):
        yield _pieces(there, mine)


def _of_columns(there: Sequence[tuple[str, ...]]) -> Template:
    """Return the template of columns; words with nothing but a blank between them are one piece."""
    fixed = [""]
    values: list[tuple[str, ...]] = []
    for column in there:
        if len(set(column)) == 1:
            fixed[-1] += column[0]
        elif values and fixed[-1].isspace() and _are_words(values[-1]) and _are_words(column):
            blank = fixed[-1]
            values[-1] = tuple(f"{one}{blank}{other}" for one, other in zip(values[-1], column, strict=True))
            fixed[-1] = ""
        else:
            values.append(column)
            fixed.append("")
    return Template(tuple(fixed), tuple(values))


def _pieces(there: Sequence[tuple[str, ...]], mine: Sequence[str]) -> list[str]:
    """Return what stands in a text's chunks where the columns of legacy's vary, put together as theirs are."""
    found: list[str] = []
    blank, last = "", False
    for column, chunk in zip(there, mine, strict=True):
        words = _are_words(column)
        if len(set(column)) == 1:
            blank += chunk
        elif found and blank.isspace() and last and words:
            found[-1] += blank + chunk
            blank = ""
        else:
            found.append(chunk)
            blank, last = "", words
    return found


def _are_words(column: Sequence[str]) -> bool:
    return not any(map(str.isdigit, "".join(column)))


def _aligned(texts: Sequence[str]) -> Template | None:
    """Return fixed text of texts that have not as many words: `Anna`, `Anna Maria` in one sentence."""
    rows = [chunks(text) for text in texts]
    if max(map(len, rows)) > _MOST_CHUNKS:
        return None
    places = [tuple(range(len(rows[0]))), *(_matching(rows[0], row) for row in rows[1:])]
    kept = [at for at in range(len(rows[0])) if all(each[at] is not None for each in places)]
    spans: list[list[tuple[int, ...]]] = []
    for at in kept:
        here = tuple(each[at] or 0 for each in places)
        if spans and all(one + 1 == other for one, other in zip(spans[-1][-1], here, strict=True)):
            spans[-1].append(here)
        else:
            spans.append([here])
    return _between(rows, spans)


def _matching(one: Sequence[str], other: Sequence[str]) -> tuple[int | None, ...]:
    """Return where each chunk of one text stands in another, in order; None for those that do not."""
    found: list[int | None] = [None] * len(one)
    for at, to, size in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        found[at : at + size] = range(to, to + size)
    return tuple(found)


def _between(rows: Sequence[Sequence[str]], spans: Sequence[Sequence[tuple[int, ...]]]) -> Template | None:
    """Return the template of spans that all rows share; a sentence's blanks and marks hold nothing together inside."""
    size = tuple(map(len, rows))
    held = [(each[0], tuple(at + 1 for at in each[-1])) for each in _held(rows, spans)]
    nothing = (0,) * len(rows)
    if not held or held[0][0] != nothing:
        held.insert(0, (nothing, nothing))
    if held[-1][1] != size:
        held.append((size, size))
    fixed = tuple("".join(rows[0][begin[0] : end[0]]) for begin, end in held)
    values = tuple(
        tuple("".join(row[start:stop]) for row, start, stop in zip(rows, end, begin, strict=True))
        for (_, end), (begin, _) in pairwise(held)
    )
    return None if any("" in each for each in values) else Template(fixed, values)


def _held(rows: Sequence[Sequence[str]], spans: Sequence[Sequence[tuple[int, ...]]]) -> list[Sequence[tuple[int, ...]]]:
    """Return the spans that hold a sentence together: a short word alone only where few words are around it."""
    size, nothing = tuple(map(len, rows)), (0,) * len(rows)
    found: list[Sequence[tuple[int, ...]]] = []
    for at, span in enumerate(spans):
        texts = [rows[0][each[0]] for each in span]
        words = [text for text in texts if _is_word(text)]
        is_edge = not any(span[0]) or tuple(to + 1 for to in span[-1]) == size
        is_sure = len(words) > 1 or any(len(text) > _SHORT or text.isdigit() for text in words)
        if is_edge or is_sure or not _BORDERS.isdisjoint(texts):
            found.append(span)
        elif words:
            before, after = spans[at - 1][-1] if at else nothing, spans[at + 1][0] if at + 1 < len(spans) else size
            pairs = [*zip(before, span[0], strict=True), *zip(span[-1], after, strict=True)]
            if max(start - end for end, start in pairs) <= _NEAR:
                found.append(span)
    return found


def is_one_sentence(template: Template, pieces: Sequence[Piece]) -> bool:
    """Whether texts are one with varying pieces, not several that are alike by chance."""
    words = [values for values, piece in zip(template.values, pieces, strict=True) if isinstance(piece, Words)]
    marks = "".join(template.fixed)
    is_phrase = any(" " in text for values in template.values for text in values)
    if " " not in marks and not (is_phrase and _ROW.isdisjoint(marks)):
        return True  # a row, an address: no sentence; an apostrophe parts no fields
    answers = len(template.values[0])
    stays = _count(marks)
    varies = sum(max(map(_count, values)) for values in words)
    if len(words) < len(pieces):
        return stays >= varies or answers >= _SOME
    return stays * {2: 1, 3: 2}.get(answers, 4) >= varies * _FEW


def _count(text: str) -> int:
    return sum(map(_is_word, chunks(text)))


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, text))
