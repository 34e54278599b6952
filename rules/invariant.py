"""Business rules over the bodies of a pair: compiled once, then held against each answer.

`sum(modern:/items/*/amount) == modern:/total`: a pointer ends at white space, `)` or `,`. `legacy:` and
`modern:` choose the side; without either it is modern's answer, legacy's where there is no modern one. Numbers
are exact decimals from their text; a JSON string that is a plain decimal (`"10.50"`, not `"010.5"`, `"1e3"`) is
the number, as PHP writes DECIMAL columns. `*` runs over a list's elements or an object's members; what is put
together under wildcards is put together element by element. `count(/items)` is a list's length, `count(/items/*/vat)`
how many elements have one.

What is missing, null or no number is indeterminate, never 0, and so is an expression that names the side that did
not answer: after a cut-over only those whose `needs` has no `legacy` still say something. An empty list is no
missing one: its sum is 0, its min and max are indeterminate.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rules.invariant_grammar import parse
from rules.invariant_tree import Claim, InvariantError, pointers
from rules.invariant_values import Bodies, Indeterminate, in_cents, one_value
from rules.model import Invariant

__all__ = [
    "HELD", "INDETERMINATE", "VIOLATED", "Compiled", "InvariantError", "Outcome", "check_all", "compile_invariant",
]  # fmt: skip

HELD: Final = "held"
VIOLATED: Final = "violated"
INDETERMINATE: Final = "indeterminate"

_LONGEST: Final = 60
_HOLDS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invariant says of one pair: `held`, `violated` or `indeterminate`, in `detail` why.

    `left` and `right` are the values compared, as text; empty where there are none.
    """

    state: str
    detail: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An invariant ready to be checked; `needs` are the sides it names: without one of them it says nothing."""

    invariant: Invariant
    claim: Claim
    needs: frozenset[str]

    def check(self, legacy: bytes | None, modern: bytes | None) -> Outcome:
        """Hold the invariant against two decoded bodies as they came, None for a side that did not answer."""
        return self.judge(Bodies(legacy, modern))

    def judge(self, bodies: Bodies) -> Outcome:
        """Hold the invariant against bodies that others look at as well."""
        claim = self.claim
        try:
            left, right = one_value(claim.left, bodies), one_value(claim.right, bodies)
            if self.invariant.unit == "cents":
                left, right = in_cents(left), in_cents(right)
        except Indeterminate as reason:
            return Outcome(INDETERMINATE, str(reason))
        if _HOLDS[claim.sign](left, right):
            return Outcome(HELD, "", _shown(left), _shown(right))
        detail = f"{_shown(left)} {claim.sign} {_shown(right)} does not hold"
        return Outcome(VIOLATED, detail, _shown(left), _shown(right))


def compile_invariant(invariant: Invariant) -> Compiled:
    """Read an invariant's expression; InvariantError (with a `hint`) for one that cannot be understood."""
    claim = parse(invariant.expr)
    named = {place.side for side in (claim.left, claim.right) for place in pointers(side)}
    return Compiled(invariant, claim, frozenset(named - {""}))


def check_all(invariants: Iterable[Compiled], legacy: bytes | None, modern: bytes | None) -> tuple[Outcome, ...]:
    """Hold several invariants against one pair, in their order; each body is read once."""
    bodies = Bodies(legacy, modern)
    return tuple(invariant.judge(bodies) for invariant in invariants)


def _shown(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
