"""Whether a word is written otherwise than legacy's words are: another case, other marks, letters that got lost."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

# Which word stands there varies; how words are written there does not. Only what all of legacy's words share counts:
# one name in capitals among others says that names may be.

_LETTER: Final = r"[^\W\d_]"
_RUN: Final = re.compile(r"[^\W_]+")
_JOINT: Final = re.compile(r"(?<=[^\W_])[-_ .](?=[^\W_])")
_JOINTS: Final = re.compile(r"[-_\s]")
_CODE_WORD: Final = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*|[A-Z0-9]+(?:[_-][A-Z0-9]+)*")
"""What programs call a state: words of one case between dashes or low lines."""
_ENTITY: Final = re.compile(r"&(?:[a-zA-Z]{2,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_TAG: Final = re.compile(r"</?(?:[abipu]|br|div|em|h[1-6]|img|li|small|span|strong)(?:\s[^<>]*)?/?>")
"""Not `<no. 4>`, which may be a name's."""
_QUOTED: Final = re.compile(r'\A"[^"]*"\Z')
_STRAY: Final = re.compile("[\ufffd\u0300-\u036f]")
"""What stands for a letter that could not be read, and accents that stand beside their letter."""
_LOST: Final = re.compile(r"\w\?\w")
_LOST_LAST: Final = re.compile(r"\w\?\Z")
_LOST_IN_NAME: Final = re.compile(r"\w\?")
_ADDRESS: Final = re.compile(r"[/=]")
_PARTICLES: Final = re.compile(
    r"(?:(?:van|de|der|den|het|ten|ter|te|von|zu|zum|zur|vom|la|le|du|des|di|da|do|dos|das|del|della|al|el|bin|ibn|af|av|y"
    r"|e|['’]t)\s|[dlo]['’]|(?:al|el)-)+"  # noqa: RUF001 - the apostrophe of print
)
_NAME: Final = re.compile(rf"{_LETTER}+(?:(?:[' \u2019-]|\. ?){_LETTER}+)*+\.?")
"""`St. John`, `J. P. Smith`."""
_MIXED: Final = re.compile(r"[A-Z][a-z]?[A-Z][a-z]*[A-Z]|[A-Z]{2}[a-z]|[A-Z][a-z]+[A-Z]\Z")
"""Begins as a token of few letters does, and hardly a name (`McCoy`, `AeroPress`)."""
_LOGIN: Final = re.compile(r"[a-z][0-9]|[a-z]\.[a-z]")
_BRAND: Final = re.compile(r"[a-z][A-Z]")
"""iPhone, eBay."""
_ACRONYM: Final = range(2, 4)
"""In capitals four letters are as often another word of the set, `OPEN` among `Paid` and `Closed`."""
_LATIN: Final = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff]")
_FIRST_OF_OTHERS: Final = "\u0370"
_PAIRS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe", "œ": "oe"})
_STROKES: Final = str.maketrans({"æ": "a", "ø": "o", "œ": "o", "ł": "l", "đ": "d", "\u0131": "i"})
_LEAST: Final = 2


def is_spelled_otherwise(values: Sequence[str], given: str) -> bool:
    """Whether a word is none as legacy writes them at its place: one of its own in another spelling, or against all."""
    return given not in values and (
        _is_known(values, given)
        or _has_lost_letters(values, given)
        or not _is_of_case(values, given)
        or _has_other_joints(values, given)
        or _is_transcribed(values, given)
    )


def is_name(text: str) -> bool:
    """Whether a text may be a name: letters with hyphen, apostrophe, blank, full stop; the first one a capital.

    The words before the capital are those of surnames (`van Dijk`, `d'Hondt`).
    """
    begin = _PARTICLES.match(text)
    core = text[begin.end() :] if begin else text
    return _NAME.fullmatch(core) is not None and core[0].isupper()


def are_capitalised(text: str) -> bool:
    """Whether each word of a name begins with a capital, but for those that surnames begin with."""
    return is_name(text) and all(word[0].isupper() or _PARTICLES.fullmatch(f"{word} ") for word in text.split())


def in_ascii(text: str) -> str:
    """Return a text with an ASCII letter of the same case for each other one of Latin: a word may have an accent."""
    return text if text.isascii() else _LATIN.sub(lambda found: "O" if found[0].isupper() else "o", text)


def _is_known(values: Sequence[str], given: str) -> bool:
    """Whether a word is one of legacy's in other letters: without its accents, in another case, with other marks."""
    keys = _keys(given)
    return any(not keys.isdisjoint(_keys(value)) for value in values)


def _keys(text: str) -> set[str]:
    text = _JOINTS.sub("", html.unescape(text)).casefold()
    if len(text) < _LEAST or not any(map(str.isalpha, text)):
        return set()
    composed = unicodedata.normalize("NFC", text)
    return {_bare(composed.translate(_STROKES)), _bare(composed.translate(_PAIRS))}


def _bare(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(each for each in apart if not "\u0300" <= each <= "\u036f")


def _has_lost_letters(values: Sequence[str], given: str) -> bool:
    """Whether a word has what stands for a letter, or around a text, where none of legacy's has: `Zo?`, `Zo&euml;`."""
    known = "\n".join(values)
    if any(sign.search(given) and not sign.search(known) for sign in (_ENTITY, _TAG, _STRAY)):
        return True
    if _QUOTED.match(given) and '"' not in known:
        return True
    if "?" not in given or "?" in known or _ADDRESS.search(given):
        return False
    if all(map(are_capitalised, values)):
        return _LOST_IN_NAME.search(given) is not None
    return _LOST.search(given) is not None or (" " not in given and _LOST_LAST.search(given) is not None)


def _cases(text: str) -> set[str]:
    """Return which cases a text is in: one letter alone is in capitals, and begins with one."""
    found = _RUN.search(text)
    if found is None or text.lower() == text.upper():
        return set()
    if text == text.lower():
        return {"lower"}
    begins = found[0][0].isupper() and found[0].isalpha()
    if text == text.upper():
        return {"upper", "title"} if begins and sum(map(str.isalpha, text)) == 1 else {"upper"}
    return {"title"} if begins else set()


def _shared_case(values: Sequence[str]) -> set[str]:
    """Return in which case all words are: of short tokens in both cases some are by chance, of login names many."""
    shared = set.intersection(*map(_cases, values))
    if "title" in shared and any(_MIXED.match(value) for value in values):
        shared.discard("title")
    if "lower" in shared and any(map(_LOGIN.search, values)):
        shared.discard("lower")
    return shared


def _is_of_case(values: Sequence[str], given: str) -> bool:
    shared, mine = _shared_case(values), _cases(given)
    if not shared or not shared.isdisjoint(mine) or given.lower() == given.upper():
        return True
    if "title" in shared:
        return _may_begin_otherwise(given) or (_is_shouted(given) and any(map(_has_blank, values)))
    # A phrase in small letters may hold a name, or begin with an acronym.
    is_phrase = any(map(_has_blank, values)) and _has_blank(given)
    may_begin = _BRAND.match(given) is not None or (is_phrase and _begins_like_a_phrase(given))
    return "lower" in shared and may_begin


def _may_begin_otherwise(given: str) -> bool:
    """Whether a word among capitalised ones may be written as it is: an acronym, a brand, a surname, a number first."""
    if given == given.upper():
        return sum(map(str.isalpha, given)) in _ACRONYM
    return not given[0].isalpha() or _BRAND.match(given) is not None or is_name(given)


def _is_shouted(given: str) -> bool:
    """Whether one word is in capitals: among titles one may be."""
    return given == given.upper() and not _has_blank(given)


def _begins_like_a_phrase(given: str) -> bool:
    first, _, rest = given.partition(" ")
    return first == first.lower() or (first == first.upper() and len(first) > 1 and rest != rest.upper())


def _has_blank(text: str) -> bool:
    return " " in text


def _has_other_joints(values: Sequence[str], given: str) -> bool:
    """Whether words of a state are joined by another mark than all of legacy's: `in-progress` for `in_progress`."""
    if not all(map(_CODE_WORD.fullmatch, values)):
        return False
    known = set(_JOINT.findall("\n".join(values)))
    return len(known) == 1 and not known.issuperset(_JOINT.findall(given))


def _is_transcribed(values: Sequence[str], given: str) -> bool:
    """Whether a word is in Latin letters where all of legacy's are in those of another script."""
    letters = ["".join(filter(str.isalpha, value)) for value in values]
    if not all(len(each) >= _LEAST and min(each) >= _FIRST_OF_OTHERS for each in letters):
        return False
    mine = "".join(filter(str.isalpha, given))
    return len(mine) >= _LEAST and max(mine) < _FIRST_OF_OTHERS
