"""A compiled business rule and bodies to held, violated, indeterminate.

`sum(modern:/items/*/amount) == modern:/total`: a pointer ends at white space, `)` or `,`. `legacy:` and
`modern:` choose the side; without either it is modern's response, legacy's where there is no modern one. Numbers
are exact decimals from their text; a JSON string that is a plain decimal (`"10.50"`, not `"010.5"`, `"1e3"`) is
the number, as PHP writes DECIMAL columns. `*` runs over a list's elements or an object's members; operands
under wildcards are combined element by element. `count(/items)` is a list's length, `count(/items/*/vat)`
how many elements have one.

What is missing, null or no number is indeterminate, never 0, and so is an expression that names the side without a
response: after a cut-over only those whose `needs` has no `legacy` still have a result. An empty list is not
missing: its sum is 0, its min and max are indeterminate.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from functools import partial, reduce
from typing import Any, Final

from rules.invariant_parser import Call, Claim, Node, Number, Pointer, Product, Sum, parse, pointers
from rules.model import Invariant
from rules.routing.rewrite import is_deeper

# Finds the values of an invariant's parts in the bodies, in exact decimals from their literal text.


Places = tuple[int | str, ...]
Values = dict[Places, Decimal]
"""One value for each element that the wildcards ran over, under the elements' places; `()` for a single one."""

_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_EXACT: Final = Context(prec=120, Emax=9999, Emin=-9999, traps=[InvalidOperation, Overflow, Inexact])
_ROUNDING: Final = Context(prec=120, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
_CENT: Final = Decimal("0.01")
_ABSENT: Final = object()


class Indeterminate(Exception):
    """A value that is missing, no number, or more exact than is computed with; the message says which."""


class _Literal(str):
    """A number as written in the body."""

    __slots__ = ()


class Bodies:
    """The two bodies of a pair, each read at most once, the first time it is asked for."""

    def __init__(self, legacy: bytes | None, modern: bytes | None) -> None:
        self._bodies = {"legacy": legacy, "modern": modern}
        self._read: dict[str, Any] = {}

    def of(self, side: str) -> Any:
        """Return a side's document; of no particular side modern's, legacy's where there is no modern one."""
        if not side:
            side = "legacy" if self._bodies["modern"] is None else "modern"
        if side not in self._read:
            self._read[side] = _read(self._bodies[side])
        if self._read[side] is _ABSENT:
            there = self._bodies[side] is not None
            raise Indeterminate(f"the {side} body is no JSON" if there else f"there is no {side} answer")
        return self._read[side]


def one_value(node: Node, bodies: Bodies) -> Decimal:
    """Return the value of a part without open wildcards; Indeterminate says why there is none."""
    try:
        return _values(node, bodies)[()]
    except DecimalException:
        raise Indeterminate("a number is too long to be reckoned with exactly") from None


def in_cents(value: Decimal) -> Decimal:
    """Return the value rounded half-up to 0.01."""
    try:
        return value.quantize(_CENT, context=_ROUNDING)
    except DecimalException:
        raise Indeterminate("a number is too long to be rounded") from None


def _values(node: Node, bodies: Bodies) -> Values:
    match node:
        case Number(value):
            return {(): value}
        case Pointer():
            return {places: _decimal(found, node.text) for places, found in _find(node, bodies)}
        case Product(factors):
            return reduce(partial(_paired, _EXACT.multiply), [_values(each, bodies) for each in factors])
        case Sum(terms):
            signed = [(_negative(_values(each, bodies)) if minus else _values(each, bodies)) for minus, each in terms]
            return reduce(partial(_paired, _EXACT.add), signed)
        case Call(name, arguments):
            return _called(name, arguments, bodies)


def _called(name: str, arguments: tuple[Node, ...], bodies: Bodies) -> Values:
    if name == "count":
        return {(): Decimal(_count(arguments[0], bodies))}
    if name == "abs":
        return {places: value.copy_abs() for places, value in _values(arguments[0], bodies).items()}
    found = [value for argument in arguments for value in _values(argument, bodies).values()]
    if name == "sum":
        return {(): reduce(_EXACT.add, found, Decimal(0))}
    if not found:
        raise Indeterminate(f"{name} of nothing")
    return {(): min(found) if name == "min" else max(found)}


def _negative(values: Values) -> Values:
    return {places: value.copy_negate() for places, value in values.items()}


def _paired(put_together: Callable[[Decimal, Decimal], Decimal], one: Values, two: Values) -> Values:
    """Combine two parts element by element; a single value goes with each element of the other."""
    if () in one:
        return {places: put_together(one[()], value) for places, value in two.items()}
    if () in two:
        return {places: put_together(value, two[()]) for places, value in one.items()}
    if one.keys() != two.keys():
        raise Indeterminate("two lists do not have the same elements")
    return {places: put_together(value, two[places]) for places, value in one.items()}


def _count(node: Node, bodies: Bodies) -> int:
    assert isinstance(node, Pointer)  # noqa: S101 - the grammar takes nothing else
    found = [value for _, value in _find(node, bodies) if value is not _ABSENT]
    if None in node.steps:
        return len(found)
    if not found or not isinstance(found[0], dict | list):
        raise Indeterminate(f"{node.text} is no list")
    return len(found[0])


def _find(pointer: Pointer, bodies: Bodies) -> Iterator[tuple[Places, Any]]:
    """Yield the values at a pointer, for each element where it has wildcards; what is missing as _ABSENT."""
    found: list[tuple[Places, Any]] = [((), bodies.of(pointer.side))]
    for step in pointer.steps:
        if step is None:
            found = [((*places, key), member) for places, value in found for key, member in _members(value, pointer)]
        else:
            found = [(places, _member(value, step)) for places, value in found]
    yield from found


def _members(value: Any, pointer: Pointer) -> Iterator[tuple[int | str, Any]]:
    match value:
        case list():
            yield from enumerate(value)
        case dict():
            yield from value.items()
        case _:
            raise Indeterminate(f"{pointer.text} runs over what is no list")


def _member(value: Any, step: str) -> Any:
    match value:
        case dict():
            return value.get(step, _ABSENT)
        case list() if re.fullmatch(r"0|[1-9]\d{0,8}", step, re.ASCII) and int(step) < len(value):
            return value[int(step)]
        case _:
            return _ABSENT


def _decimal(value: Any, text: str) -> Decimal:
    if isinstance(value, _Literal) or (isinstance(value, str) and _PLAIN.fullmatch(value)):
        return _EXACT.create_decimal(str(value))
    raise Indeterminate(f"{text} is missing" if value is _ABSENT else f"{text} is no number")


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _read(body: bytes | None) -> Any:
    if body is None:
        return _ABSENT
    try:
        value = json.loads(body, parse_float=_Literal, parse_int=_Literal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _ABSENT
    return _ABSENT if is_deeper(value) else value


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
    """The result of an invariant for one pair: `held`, `violated` or `indeterminate`, in `detail` why.

    `left` and `right` are the values compared, as text; empty where there are none.
    """

    state: str
    detail: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class CompiledInvariant:
    """An invariant ready to be checked; `needs` are the sides it names: without one of them it has no result."""

    invariant: Invariant
    claim: Claim
    needs: frozenset[str]

    def check(self, legacy: bytes | None, modern: bytes | None) -> Outcome:
        """Check the invariant on two decoded bodies, None for a side without a response."""
        return self.judge(Bodies(legacy, modern))

    def judge(self, bodies: Bodies) -> Outcome:
        """Check the invariant on bodies that other invariants read as well."""
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


def compile_invariant(invariant: Invariant) -> CompiledInvariant:
    """Read an invariant's expression; InvariantError (with a `hint`) for one that cannot be understood."""
    claim = parse(invariant.expr)
    named = {place.side for side in (claim.left, claim.right) for place in pointers(side)}
    return CompiledInvariant(invariant, claim, frozenset(named - {""}))


def check_all(
    invariants: Iterable[CompiledInvariant], legacy: bytes | None, modern: bytes | None
) -> tuple[Outcome, ...]:
    """Check several invariants on one pair, in their order; each body is read once."""
    bodies = Bodies(legacy, modern)
    return tuple(invariant.judge(bodies) for invariant in invariants)


def _shown(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
