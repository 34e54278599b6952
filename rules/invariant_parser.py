"""A business rule, text to tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# The parts an invariant's expression is made of, with what its wildcards run over.


Steps = tuple[str | None, ...]
"""A pointer split into its steps; None stands for `*`."""

Spread = frozenset[tuple[str, Steps]]
"""The lists for whose elements a part yields one value each, by side; empty where it yields a single value."""

REDUCING = ("sum", "count", "min", "max")
"""The functions that reduce many values to one."""


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
    """Terms added up; the first of each pair says whether the term is subtracted."""

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
    """Return the operands of a part."""
    match node:
        case Sum(terms):
            return tuple(term for _, term in terms)
        case Product(parts) | Call(_, parts):
            return parts
        case _:
            return ()


def pointers(node: Node) -> Iterator[Pointer]:
    """Yield every place a part reads."""
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


LONGEST: Final = 1000
DEEPEST: Final = 20
SIGNS: Final = ("<", "<=", "==", ">=", ">")
FUNCTIONS: Final = (*REDUCING, "abs")

_TOKEN = re.compile(
    r"\s*(?:(?P<pointer>(?:\w+:)?/[^\s),]*)|(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark><=|>=|==|[-+*(),<>]))",
    re.ASCII,
)
_EATEN = re.compile(r"[<>=(]|legacy:|modern:|[-+]/")
_SPACED = "a pointer ends at white space, `)` or `,`: put a space before what follows"


def parse(text: str) -> Claim:
    """Read `LEFT SIGN RIGHT`; InvariantError says in the operator's words what is wrong."""
    if len(text) > LONGEST:
        raise InvariantError(f"the expression has {len(text)} characters, {LONGEST} are read", "make two of it")
    reader = _Reader(_tokens(text))
    left = reader.sum()
    sign = reader.accept("mark", *SIGNS)
    if not sign:
        found = f"`{reader.left_over()}` stands" if reader.left_over() else "nothing stands"
        raise InvariantError(f"{found} where a comparison must", "written LEFT <= RIGHT with < <= == >= or >")
    right = reader.sum()
    if reader.left_over():
        message = f"`{reader.left_over()}` is too much"
        raise InvariantError(message, "an expression is one comparison; write a second invariant for the next")
    for value in (left, right):
        if spread(value):
            raise InvariantError("`*` yields many values where one is compared", "wrap them in sum, min, max or count")
    return Claim(left, sign, right)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            rest = text[at:].split(maxsplit=1)[0]
            hint = f"there are + - * ( ) {' '.join(SIGNS)} {' '.join(FUNCTIONS)}, plain numbers, pointers like /total"
            raise InvariantError(f"`{rest}` cannot be read", hint)
        kind = token.lastgroup or ""
        found.append((kind, token.group(kind)))
        at = token.end()
    return found


class _Reader:
    """One walk over the tokens; `_at` moves forward with `accept`, `_depth` counts open brackets."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._at = 0
        self._depth = 0

    def left_over(self) -> str:
        """Return the next token, empty at the end."""
        return self._tokens[self._at][1]

    def accept(self, kind: str, *wanted: str) -> str:
        """Take the next token when it is of this kind and one of those wanted; empty when it is not."""
        found, text = self._tokens[self._at]
        if found != kind or (wanted and text not in wanted):
            return ""
        self._at += 1
        return text

    def sum(self) -> Node:
        terms: list[tuple[bool, Node]] = [(self.accept("mark", "-") == "-", self.product())]
        while sign := self.accept("mark", "+", "-"):
            terms.append((sign == "-", self.product()))
        return terms[0][1] if terms == [(False, terms[0][1])] else Sum(tuple(terms))

    def product(self) -> Node:
        factors = [self.one()]
        while self.accept("mark", "*"):
            factors.append(self.one())
        return factors[0] if len(factors) == 1 else Product(tuple(factors))

    def one(self) -> Node:
        """Read a number, a pointer, a function's call, or something in brackets."""
        if number := self.accept("number"):
            return Number(Decimal(number))
        if pointer := self.accept("pointer"):
            return _pointer(pointer)
        if name := self.accept("name"):
            return self.call(name)
        if self.accept("mark", "("):
            return self.bracketed()[0]
        found = self.left_over()
        message = f"`{found}` stands where a value must" if found else "the expression ends where a value must stand"
        raise InvariantError(message, "a value is a number, a pointer like modern:/total, sum(…), count(…), abs(…)")

    def call(self, name: str) -> Call:
        if name not in FUNCTIONS:
            hint = f"there are {', '.join(FUNCTIONS)}; a pointer begins with /, legacy:/ or modern:/"
            raise InvariantError(f"there is no `{name}`", hint)
        if not self.accept("mark", "("):
            raise InvariantError(f"`{name}` needs brackets", f"written {name}(/items/*/amount)")
        arguments = self.bracketed()
        if len(arguments) > 1 and name not in {"min", "max"}:
            raise InvariantError(f"`{name}` takes one value", "min and max take several")
        if name == "count" and not isinstance(arguments[0], Pointer):
            raise InvariantError("`count` takes a pointer", "written count(/items/*) or count(/items)")
        return Call(name, arguments)

    def bracketed(self) -> tuple[Node, ...]:
        """Read the arguments up to the closing bracket, separated by commas."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise InvariantError(f"brackets stand {DEEPEST} deep", "make two invariants of it")
        found = [self.sum()]
        while self.accept("mark", ","):
            found.append(self.sum())
        if not self.accept("mark", ")"):
            raise InvariantError("a bracket is not closed", "every ( has its )")
        self._depth -= 1
        return tuple(found)


def _pointer(text: str) -> Pointer:
    side, _, path = text.partition(":/") if not text.startswith("/") else ("", "", text[1:])
    if side not in {"", "legacy", "modern"}:
        raise InvariantError(f"there is no side `{side}`", "legacy:/… or modern:/…")
    if not path:
        raise InvariantError(f"`{text}` names no member", "a pointer like /total; there is no division")
    if _EATEN.search(path):
        raise InvariantError(f"the pointer `{text}` goes on too long", _SPACED)
    return Pointer(side, tuple(_step(step, text) for step in path.split("/")), text)


def _step(step: str, text: str) -> str | None:
    if step == "*":
        return None
    if "*" in step:
        whole = f"`*` is a whole step like /items/*/price; {_SPACED}"
        hint = "name each place that is meant" if step == "**" else whole
        raise InvariantError(f"`{step}` in `{text}` is no name", hint)
    if re.search(r"~(?![01])", step):
        raise InvariantError(f"`{text}` has a lone `~`", "in a pointer `~` is written ~0, `/` inside a name ~1")
    return step.replace("~1", "/").replace("~0", "~")
