"""Says a learned rule in the words of the file: what a person would write into a route's `compare:`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from comparators.noise_rules import NoiseRule

LEARNED: Final = ("noise", "learn")
_WHY: Final = "legacy varies it by itself"


def written(rule: NoiseRule, *, in_file: bool = True) -> tuple[str, str]:
    """Return the setting and its entry as YAML: a pattern for a piece of a text, a path for a whole value.

    `noise: learn` where no other setting says it: a whole value in a page, identified by its place, and what is not
    `in_file` terms at all (a time inside a signed token, bytes).
    """
    if rule.place or not in_file:
        return LEARNED
    if rule.shape == "text":
        return "ignore_text", _quoted(in_words(rule.pattern))
    if rule.shape == "permutation":
        return "unordered", _quoted(rule.path)
    return "ignore", f"{{path: {_quoted(rule.path)}, reason: {_WHY}, until: {rule.until.isoformat()}}}"


def in_words(pattern: str) -> str:
    """Return a pattern for texts as they are: a token's claims are only read as JSON where noise is."""
    return pattern.replace(r"(?<=\}\.)", r"(?<=\.)")


def pasted(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return lines of YAML to paste under `compare:`; each of `entries` is a setting, its entry, a remark."""
    found: dict[str, dict[str, str]] = {}
    for setting, entry, remark in entries:
        if setting:
            found.setdefault(setting, {}).setdefault(entry, remark)
    lines: list[str] = []
    for setting in sorted(found):
        if setting == LEARNED[0]:
            lines += [f"{setting}: {entry}  # {remark}" for entry, remark in found[setting].items()]
        else:
            lines += [f"{setting}:", *(f"  - {entry}  # {remark}" for entry, remark in sorted(found[setting].items()))]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return a text as YAML's quotes take it: single ones as it is, double ones where it holds what is no character."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"  # noqa: PLR2004
