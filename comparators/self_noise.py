"""Differences legacy also has from itself; tokens of pages made anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from comparators import noise_rules
from comparators.html_volatile import token_attributes
from comparators.model import LONGEST_LITERAL, Finding, Observation, path_pattern
from comparators.noise_rules import NoiseRule, patterns, place_of, text_of
from comparators.paths import steps
from comparators.policy import Policy
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import moment

# Whether a value looks like others that stood in its place: type, emptiness, length class, unit.


_FACTOR: Final = 2
_DECADE: Final = 10
_NEAR: Final = timedelta(days=1)


def same_shape(literal: str, examples: Sequence[str]) -> bool:
    """Whether a literal has the shape of the examples: JSON literals, possibly cut, or the text of a header.

    - type: one that the examples have; null only where they have it
    - emptiness: empty where an example is, otherwise not
    - length class: texts at most twice as long and half as short; fixed where all examples are one long length
    - unit: numbers of the same sign within a factor of ten (seconds are not milliseconds), instants within a day
    """
    kind = _kind(literal)
    alike = [each for each in examples if _kind(each) == kind]
    if not alike:
        return False
    if kind in {"null", "bool"}:
        return True
    if kind == "number":
        return _same_unit(Decimal(literal), [Decimal(each) for each in alike])
    if kind == "text":
        return _same_text(_inner(literal), [_inner(each) for each in alike])
    return _is_empty(literal) in {_is_empty(each) for each in alike}


def _kind(literal: str) -> str:
    if literal == "null":
        return "null"
    if literal in {"true", "false"}:
        return "bool"
    head = literal[:1]
    if head in {"{", "["}:
        return head
    if head and (head == "-" or head.isdigit()):
        try:
            return "number" if Decimal(literal).is_finite() else "text"
        except ArithmeticError:
            return "text"
    return "text"


def _inner(literal: str) -> str:
    """Return the text of a literal; a cut one, or a header's, as it is."""
    try:
        found = json.loads(literal)
    except ValueError:
        return literal
    return found if isinstance(found, str) else literal


def _same_unit(number: Decimal, examples: Sequence[Decimal]) -> bool:
    if not number:
        return any(not each for each in examples)
    sizes = [abs(each) for each in examples if each and (each > 0) == (number > 0)]
    return bool(sizes) and min(sizes) / _DECADE <= abs(number) <= max(sizes) * _DECADE


def _same_text(text: str, examples: Sequence[str]) -> bool:
    if not text:
        return "" in examples
    filled = [each for each in examples if each]
    if not filled:
        return False
    moments = [moment(each) for each in filled]
    if all(moments):
        here = moment(text)
        return here is not None and any(each and abs(here.wall - each.wall) <= _NEAR for each in moments)
    lengths = {len(each) for each in filled}
    if all(each.isdigit() for each in filled) and not text.isdigit():
        return False
    if len(lengths) == 1 and _is_token(filled):
        return len(text) in lengths
    return min(lengths) / _FACTOR <= len(text) <= max(lengths) * _FACTOR


def _is_token(texts: Sequence[str]) -> bool:
    """Whether texts of one length look made rather than written: long, without white space, more than one."""
    return len(texts) > 1 and all(len(each) > _DECADE and not any(c.isspace() for c in each) for each in texts)


def _is_empty(literal: str) -> bool:
    return literal in {"[]", "{}"}


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
    if not observations or not (own := own_rules(observations)):
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
    return noise_rules.hides(policy.noise_rules, finding)


def _is_own(finding: Finding, observations: Sequence[Observation]) -> bool:
    here = [each for each in observations if each.path == finding.path]
    if finding.path == "@body":
        place = noise_rules.place_of(finding.legacy or finding.modern)
        here = [each for each in here if place and noise_rules.place_of(each.first or each.again) == place]
        if any(is_cut(each) or noise_rules.is_about_money(each) for each in (finding.legacy, finding.modern)):
            return False
    # Where only a piece of a text changed, the piece was masked: what is still found there is something else.
    here = [each for each in here if not is_piecewise(each)]
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


# Finds the tokens of a page that legacy makes anew for each answer, where pages are compared as text.
#
# Their names are those of secrets, which no other noise may be learned by: a token against forged requests, a nonce
# tells nothing about anybody, and no two answers ever share one.


PLACE: Final = "token"
_OPEN, _CLOSE = "{", "}"
"""Around the value in what is observed; no token has them."""
_MOST: Final = 50
_ANCHOR: Final = 60
_SHORTEST: Final = 8
_ELEMENT: Final = re.compile(r"<([a-zA-Z][\w-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*'){0,200})>")
_ATTRIBUTE: Final = re.compile(r"([^\s\"'<>/=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]+))")
_SCRIPT: Final = re.compile(
    r"""["']?\b(\w{0,40}(?:csrf|xsrf)\w{0,40})["']?\s?[:=]\s?["']([^"'\s<>]+)(?=["'])""", re.IGNORECASE
)
_LETTERS: Final = "[A-Za-z0-9+/=_.~%:-]"
_TOKEN: Final = re.compile(f"{_LETTERS}+")
_WRITTEN: Final = re.compile(rf"(.*?){re.escape(_OPEN)}({_LETTERS}+){re.escape(_CLOSE)}(.*)", re.DOTALL)
_DIGIT: Final = re.compile(r"[0-9]")


class _Found(NamedTuple):
    """A token's value with what stands around it in its element or assignment; `name` says whose it is."""

    name: str
    before: str
    value: str
    after: str


def observed(legacy: str, again: str) -> tuple[Observation, ...]:
    """Return the tokens in which two texts of legacy differ; none where they do not have the same ones in a row."""
    ours, theirs = list(_tokens(legacy)), list(_tokens(again))
    if [each.name for each in ours] != [each.name for each in theirs]:
        return ()
    varying = {
        (one.name, one.before): Observation("@body", "value", _literal(one), _literal(two))
        for one, two in zip(ours, theirs, strict=True)
        if one.value != two.value and (one.before, one.after) == (two.before, two.after)
    }
    return tuple(each for each in varying.values() if max(len(each.first), len(each.again)) < LONGEST_LITERAL)


def token_patterns(one: str, two: str) -> tuple[str, ...]:
    """Return the pattern of the token that two observed places hold: their words around it, its class of length."""
    first, second = _WRITTEN.fullmatch(one), _WRITTEN.fullmatch(two)
    if first is None or second is None:
        return ()
    before, _, after = first.groups()
    sizes = len(first[2]), len(second[2])
    least, most = 1 << (min(sizes).bit_length() - 1), 1 << max(sizes).bit_length()
    before, after = re.escape(before), re.escape(after)
    return (f"(?<={before}){_LETTERS}{{{least},{most}}}(?={after})",)


def _tokens(text: str) -> Iterator[_Found]:
    """Yield the tokens of a text in their order, the first many."""
    found = sorted((*_in_elements(text), *_in_scripts(text)))[:_MOST]
    return (each for _, each in found)


def _in_elements(text: str) -> Iterator[tuple[int, _Found]]:
    for element in _ELEMENT.finditer(text):
        written = list(_ATTRIBUTE.finditer(element[2]))
        attributes = {each[1].lower(): each[each.lastindex or 1] for each in written}
        wanted = token_attributes(element[1].lower(), attributes)
        for each in written:
            name, value = each[1].lower(), each[each.lastindex or 1]
            if name not in wanted or not _is_page_token(value):
                continue
            start, end = (element.start(2) + at for at in each.span(each.lastindex or 1))
            whose = attributes.get("name", "")
            before, after = text[element.start() : start], text[end : element.end()]
            # Another page may have its own id in the same element: as little is taken along as tells whose it is.
            short = _DIGIT.split(before[-_ANCHOR:])[-1]
            if not whose or whose in short:
                before, after = short, after[:1]
            yield start, _Found(whose or name, before, value, after)


def _in_scripts(text: str) -> Iterator[tuple[int, _Found]]:
    for each in _SCRIPT.finditer(text):
        if _is_page_token(each[2]):
            yield each.start(2), _Found(each[1], text[each.start() : each.start(2)], each[2], text[each.end(2)])


def _is_page_token(value: str) -> bool:
    return len(value) >= _SHORTEST and _TOKEN.fullmatch(value) is not None


def _literal(found: _Found) -> str:
    return f"{PLACE} {found.name}: {found.before}{_OPEN}{found.value}{_CLOSE}{found.after}"


# Noise known from this very pair: legacy was asked again, the pieces it changed inside texts are masked.


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
        is_token = one.startswith(f"{PLACE} ")
        one, two = (text.partition(": ")[2].strip(_CUT) for text in (one, two))
        if is_token:
            return token_patterns(one, two)
    return patterns(one, two)
