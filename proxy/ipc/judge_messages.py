"""What control says to a judge, what a judge answers; pairs come from workers (`pair_frames`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from proxy.ipc.codec import Wire
from proxy.ipc.messages import Message, Pair


@dataclass(frozen=True, slots=True)
class Found:
    """One difference of one pair: `path` points at it, `legacy` with `modern` are its literals, cut, redacted.

    `group` is its fingerprint, `pattern` the path with `*` for numbers, `rule` what nearly forgave it.
    """

    group: str
    path: str
    pattern: str
    kind: str
    legacy: str
    modern: str
    rule: str = ""


MOST_FOUND = 50
"""Differences of one pair that are told apart; a body that is another one altogether differs in thousands."""


@dataclass(frozen=True, slots=True)
class Seated(Message):
    """First words of a judge: it has loaded what it needs."""


@dataclass(frozen=True, slots=True)
class Rulebook(Message):
    """Judge by these rules from now on; the payload is a `proxy.judge.policies.Rules`."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Case(Message):
    """Judge this pair. `stored` ones were redacted before: their answers are not redacted again, nor packed."""

    ticket: int
    pair: Pair
    stored: bool = False
    attached: ClassVar[tuple[str, ...]] = ("pair.legacy.body", "pair.modern.body", "pair.secondary.body")


@dataclass(frozen=True, slots=True)
class Exhibit(Message):
    """Explain this packed pair to a person."""

    ticket: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one invariant says of a pair: `state` is held, violated or indeterminate."""

    name: str
    state: str
    detail: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Opinion(Message):
    """A judge's answer to a case. `verdict` is equal, different, noise or not_compared, then with its reason.

    `observed` is what noise is learned from (JSON), empty where legacy's two answers are the same; `sampled` tells that
    there were two. The payload is the pair, redacted, packed, as the store keeps
    it; empty unless something was found.
    """

    ticket: int
    verdict: str
    reason: str = ""
    found: tuple[Found, ...] = ()
    forgiven: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    checked: tuple[Checked, ...] = ()
    request: str = ""
    sampled: bool = False
    observed: bytes = field(default=b"", repr=False)
    payload: bytes = field(default=b"", repr=False)
    attached: ClassVar[tuple[str, ...]] = ("observed", "payload")


@dataclass(frozen=True, slots=True)
class Explained(Message):
    """A judge's answer to an exhibit: a JSON document for people."""

    ticket: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Serve(Message):
    """Judge the pairs that this worker sends over the connection that comes with this message.

    With it comes a page that both share: its first eight bytes say the how-manieth pair of it is being judged.
    """

    slot: int
    incarnation: int
    carries: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Judged(Message):
    """What is to be said of a worker's pair that control has to decide about; the pair is without its answers."""

    slot: int
    incarnation: int
    pair: Pair
    opinion: Opinion
    attached: ClassVar[tuple[str, ...]] = (
        "pair.legacy.body", "pair.modern.body", "opinion.observed", "opinion.payload",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RouteTally:
    """What became of pairs about which there is nothing to decide, of one route under one generation.

    `results` are result, reason, number of pairs; `checked` invariants with their state; `kinds` kinds of request, each
    told once (`state.kinds`); `compared` pairs with a verdict, `rated` in how many of them a rule forgave something;
    `sampled` in how many legacy's two answers were the same.
    """

    route: str
    generation: int
    results: tuple[tuple[str, str, int], ...] = ()
    forgiven: tuple[tuple[str, int], ...] = ()
    checked: tuple[tuple[str, str, int], ...] = ()
    kinds: tuple[str, ...] = ()
    compared: int = 0
    rated: tuple[tuple[str, int], ...] = ()
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class Tallied(Message):
    """Pairs that were judged since the last message of this kind."""

    routes: tuple[RouteTally, ...]


JUDGE = Wire(Seated, Rulebook, Case, Exhibit, Opinion, Explained, Serve, Judged, Tallied)
"""Control and judge, both ways."""
STORED = Wire(Pair)
"""A pair at rest, in the store."""
