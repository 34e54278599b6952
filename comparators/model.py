"""The frozen words of comparing: an answer, a difference, what a comparison came to.

Paths are RFC 6901 pointers into the modern body (into the legacy one, in the modern shape, where a thing is absent
there), or `@body`, `@status`, `@header:name`. Literals are text as on the wire, cut to `LONGEST_LITERAL` characters;
a side that has nothing there shows the empty text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

Verdict = Literal["equal", "different", "noise", "not_compared"]
Kind = Literal["value", "type", "missing", "extra", "order", "length", "status", "header", "parse", "error"]
Reason = Literal["", "body_cap", "depth", "nodes", "time", "encoding", "session", "error"]
"""Why a pair was not compared; `time` and `session` are said by those who drive it, `error` is a failure."""

LONGEST_LITERAL = 256
NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Capture:
    """One whole answer as the client would get it, and the request's method and target it belongs to."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The values of a header (`name` in lower case) in their order, joined by commas; None where it is absent."""
        length = len(name)
        values = [value for each, value in self.headers if len(each) == length and each.lower() == name]
        return ", ".join(values) if values else None


class Finding(NamedTuple):
    """One difference; `rule` names the forgiving rule that nearly applied, where one did.

    A named tuple, because a frozen dataclass takes three times as long to make.
    """

    path: str
    kind: Kind
    legacy: str
    modern: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One place at which legacy differs from itself: both literals, and the kind a finding there would have."""

    path: str
    kind: Kind
    first: str
    again: str


class Comparison(NamedTuple):
    """What a comparison came to.

    `forgiven` counts values by the rule that forgave them (`ignore:PATH` for what an operator ignores there, `noise`
    for what was hidden because legacy differs from itself), `notes` are for people (a legacy defect, a repeated
    member), `observations` feed the learning of noise, `reason` says why nothing was compared.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    forgiven: Mapping[str, int] = NOTHING
    reason: Reason = ""
    notes: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
