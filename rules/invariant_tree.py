"""The parts an invariant's expression is made of, with what its wildcards run over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

Steps = tuple[str | None, ...]
"""A pointer taken apart; None stands for `*`."""

Spread = frozenset[tuple[str, Steps]]
"""The lists a part yields one value for each element of, by side; empty where it yields a single value."""

REDUCING = ("sum", "count", "min", "max")
"""The functions that make one value of many."""


class InvariantError(ValueError):
    """An expression that cannot be understood; `hint` says what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written in the expression."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place in a body; `side` is `legacy`, `modern` or empty, `text` what the operator wrote."""

    side: str
    steps: Steps
    text: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up; the first of each pair says whether the term is taken away."""

    terms: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors multiplied, element by element where they run over a list."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One of `sum`, `count`, `abs`, `min`, `max`."""

    name: str
    arguments: tuple[Node, ...]


Node = Number | Pointer | Sum | Product | Call


@dataclass(frozen=True, slots=True)
class Claim:
    """A whole expression: two values with one of `<`, `<=`, `==`, `>=`, `>` between them."""

    left: Node
    sign: str
    right: Node


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts a part is made of."""
    match node:
        case Sum(terms):
            return tuple(term for _, term in terms)
        case Product(parts) | Call(_, parts):
            return parts
        case _:
            return ()


def pointers(node: Node) -> Iterator[Pointer]:
    """Yield every place a part looks at."""
    if isinstance(node, Pointer):
        yield node
    for child in children(node):
        yield from pointers(child)


def spread(node: Node) -> Spread:
    """Return what a part's wildcards run over; InvariantError where two of them do not run side by side."""
    if isinstance(node, Pointer):
        return frozenset({(node.side, _runs_over(node.steps))}) if None in node.steps else frozenset()
    parts = [spread(child) for child in children(node)]
    if isinstance(node, Call) and node.name in REDUCING:
        return frozenset()
    joined: Spread = frozenset().union(*parts)
    lists: dict[str, Steps] = {}
    for side, steps in joined:
        if lists.setdefault(side, steps) != steps:
            raise InvariantError(
                "`*` stands for the elements of two different lists here",
                "only values of one list can be put together element by element; give each list its own sum(…)",
            )
    if len({steps.count(None) for steps in lists.values()}) > 1:
        raise InvariantError("the two sides have a different number of `*` here", "write as many on both sides")
    return joined


def _runs_over(steps: Steps) -> Steps:
    """Return the steps up to the last wildcard."""
    last = max(place for place, step in enumerate(steps) if step is None)
    return steps[: last + 1]
