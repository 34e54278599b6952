"""Says a learned rule in the words of the file: what a person would write into a route's `compare:`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from comparators.noise_rules import NoiseRule

_WHY: Final = "legacy varies it by itself"


def written(rule: NoiseRule) -> tuple[str, str]:
    """Return the setting and its entry as YAML: a pattern for a piece of a text, a path for a whole value.

    Both are empty for a whole value in a page: only learning identifies that, by its place.
    """
    if rule.place:
        return "", ""
    if rule.shape == "text":
        # A token's claims are only read as JSON where noise is: in the file it is what it looks like.
        return "ignore_text", _quoted(rule.pattern.replace(r"(?<=\}\.)", r"(?<=\.)"))
    if rule.shape == "permutation":
        return "unordered", _quoted(rule.path)
    return "ignore", f"{{path: {_quoted(rule.path)}, reason: {_WHY}, until: {rule.until.isoformat()}}}"


def pasted(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return lines of YAML to paste under `compare:`; each of `entries` is a setting, its entry, a remark."""
    found: dict[str, dict[str, str]] = {}
    for setting, entry, remark in entries:
        if setting:
            found.setdefault(setting, {}).setdefault(entry, remark)
    lines: list[str] = []
    for setting in sorted(found):
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
