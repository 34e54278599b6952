"""Messages between control and a judge; pairs come from workers (`pair_frames`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from proxy.ipc.codec import Wire
from proxy.ipc.messages import Message, Pair


@dataclass(frozen=True, slots=True)
class Found:
    """One difference of one pair: `path` points at it, `legacy` with `modern` are its literals, cut, redacted.

    `group` is its fingerprint, `pattern` the path with `*` for numbers, `rule` the rule that nearly excused it.
    """

    group: str
    path: str
    pattern: str
    kind: str
    legacy: str
    modern: str
    rule: str = ""


MOST_FOUND = 50
"""Differences of one pair that are listed; bodies without anything in common differ in thousands."""


@dataclass(frozen=True, slots=True)
class Seated(Message):
    """The first message of a judge: it has loaded what it needs."""


@dataclass(frozen=True, slots=True)
class Rulebook(Message):
    """Judge by these rules from now on; the payload is a `proxy.judge.policies.Rules`."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Case(Message):
    """Judge this pair. `stored` ones were redacted before: their responses are neither redacted again nor packed."""

    ticket: int
    pair: Pair
    stored: bool = False
    attached: ClassVar[tuple[str, ...]] = ("pair.legacy.body", "pair.modern.body", "pair.secondary.body")


@dataclass(frozen=True, slots=True)
class Exhibit(Message):
    """Explain this packed pair to an operator."""

    ticket: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one invariant for a pair: `state` is held, violated or indeterminate."""

    name: str
    state: str
    detail: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Opinion(Message):
    """A judge's answer to a case. `verdict` is equal, different, noise or not_compared, the last with its reason.

    `observed` is what noise is learned from (JSON), empty where legacy's two responses are the same; `sampled` says
    that there were two. The payload is the pair, redacted, packed, as the store keeps
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
    """A judge's answer to an `Explain`: a JSON document for the console and the command line."""

    ticket: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Serve(Message):
    """Judge the pairs that this worker sends over the connection that comes with this message.

    With it comes a shared memory page: its first eight bytes hold the number of the pair that is being judged.
    """

    slot: int
    incarnation: int
    carries: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Judged(Message):
    """The result for a worker's pair that control must decide about; the pair is without its responses."""

    slot: int
    incarnation: int
    pair: Pair
    opinion: Opinion
    attached: ClassVar[tuple[str, ...]] = (
        "pair.legacy.body", "pair.modern.body", "opinion.observed", "opinion.payload",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repeated(Message):
    """So many pairs that differ in the same groups as one that came whole a moment ago: they are only counted.

    `pair` is the last of them, without its responses; `opinion` that of the one that came, with what was forgiven in
    all of these; `rated` in how many of them a rule applied.
    """

    pair: Pair
    opinion: Opinion
    count: int
    rated: tuple[tuple[str, int], ...] = ()
    attached: ClassVar[tuple[str, ...]] = Judged.attached


@dataclass(frozen=True, slots=True)
class RouteTally:
    """The results of pairs that need no decision, of one route under one generation.

    `results` are result, reason, number of pairs; `checked` invariants with their state; `kinds` kinds of request, each
    sent once (`telemetry.request_kinds`); `compared` pairs with a verdict, `rated` in how many of them a rule applied;
    `sampled` in how many legacy's two responses were the same.
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
    """Pairs that were judged since the last message of this kind; it ends each report of a judge.

    `done` says of each worker (slot, incarnation) how many of its pairs are counted with this report: all or none.
    """

    routes: tuple[RouteTally, ...]
    done: tuple[tuple[int, int, int], ...] = ()


JUDGE = Wire(Seated, Rulebook, Case, Exhibit, Opinion, Explained, Serve, Judged, Repeated, Tallied)
"""Control and judge, both ways."""
STORED = Wire(Pair)
"""A pair as it is stored."""
