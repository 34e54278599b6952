"""The port of the exchange between instances; its payload format.

Nothing here is kept for long, and no request depends on it. Every method may raise StoreError; an instance that
receives nothing decides alone.
"""

from __future__ import annotations

import struct
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

from proxy.ipc.codec import CodecError, from_json, to_json
from proxy.ipc.messages import PairCounts, SideOutcomes
from rules.guard.window import ComparedTally, PairTally, Tally
from rules.model import LEGACY, MODERN

LEASE_SECONDS = 3.0
"""Seconds that the leader may be silent before another instance leads."""
FORGOTTEN_AFTER = 600.0
"""Seconds after which a silent instance is dropped from the list."""

TOLD_FOR = 30.0
"""Seconds for which the store keeps messages: an instance that reads nothing for longer has missed some."""


@dataclass(frozen=True, slots=True)
class Version:
    """The state of the stored overrides: `number` grows with each change.

    Another `epoch` means that all of it was lost.
    Without a change yet there is no epoch.
    """

    epoch: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one instance last reported of itself (`document`, JSON), `ago` seconds before by the store's clock."""

    name: str
    ago: float
    document: bytes


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a heart-beat: the store's time in epoch seconds, the leader, all instances that sent one lately."""

    at: float
    leader: str
    instances: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """One message of one run of an instance; `number` grows by one from message to message.

    `ago` is how many seconds old its contents are: on the way out since they were packed, on the way in since then by
    the store's clock, so that clocks of two instances are never compared.
    """

    run: str
    number: int
    ago: float
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    """The messages since the requested `place`, our own included, in order; the next call starts at `place`."""

    place: str
    reports: tuple[InstanceReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How often one group of differences (`group`, see `diffs`) was met; the times are epoch seconds.

    `state` is empty for an open one, else `known` or `equal` (the current file excuses it). In an update, `count` is
    what came in addition, a `state` of `UNSAID` leaves it unchanged.
    """

    group: str
    route: str
    path: str
    kind: str
    count: int
    first_seen: float
    last_seen: float
    state: str = ""


UNSAID = "-"


@dataclass(frozen=True, slots=True)
class Counts:
    """What all instances have counted; `version` differs after each change."""

    version: str
    groups: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What one run of an instance has to add, under a `number` that grows: the same number counts once."""

    run: str
    number: int
    groups: tuple[Counted, ...] = ()


class Fleet(Protocol):
    """The exchange with other instances."""

    async def version(self) -> Version:
        """Return a value that changes with each stored override."""

    async def hint(self, seconds: float) -> None:
        """Return when an override may have changed, after `seconds` at the latest."""

    async def beat(self, name: str, document: bytes, *, lead: bool) -> Pulse:
        """Send a heart-beat of `name`; with `lead` it leads as long as it sends them, unless another leads."""

    async def exchange(self, own: Sequence[InstanceReport], after: str) -> ExchangeResult:
        """Publish messages, and return those since the place `after` (empty: all).

        A failed call may have published all the same. Repeat it under the same number: readers drop repeated ones.
        """

    async def count(self, news: News, since: str, oldest: float, keep: float) -> Counts | None:
        """Add to the counts of differences; return those of all instances, None when they still are those of `since`.

        What was last met before `oldest` (epoch seconds) is dropped; so is everything, `keep` seconds after the last
        change.
        """

    async def leave(self, name: str) -> None:
        """Report that `name` stops in good order: it is dropped from the list, another leads at once."""

    async def close(self) -> None:
        """Close the connections."""


# Packs one instance's outcomes of a second or two, for the other instances to add to theirs.
#
# Messages hold increments, never sums: reading each message once counts nothing twice. They hold no clock times;
# their age is given by the store (see above).


FORMAT: Final = 1
"""Another number is another layout, or another accuracy of the sketch: unknown ones are left out."""
MOST_ROUTES: Final = 64
"""Routes in one message; the others wait for the next, merged by then."""
MOST_STEPS: Final = 96
"""Counters of one sketch: neighbours are merged, upwards, until there are no more."""
MOST_UNPACKED: Final = 1 << 20
Sketch = tuple[tuple[int, int], ...]
_COMPARED: Final = 5
_WIDTH: Final = 6
_MOST: Final = (1 << 32) - 1
PAIR_COLUMNS: Final = tuple(field.name for field in fields(PairTally))


class SideShare(NamedTuple):
    """One side: counts, the sketch of its latencies, that of the ages of waiting requests.

    Both packed, see `sketch`.
    """

    requests: int = 0
    errors: int = 0
    client_errors: int = 0
    latencies: str = ""
    waiting: str = ""


class RouteShare(NamedTuple):
    """One route. `rules` is the digest of its configuration, `revision` that of its override.

    `pairs` are the columns of `PairTally`; `compared` equal, different, noise, transient, eligible.
    """

    route: str
    rules: str
    revision: int
    legacy: SideShare = SideShare()
    modern: SideShare = SideShare()
    pairs: tuple[int, ...] = ()
    compared: tuple[int, ...] = ()
    not_compared: tuple[tuple[str, int], ...] = ()


class Share(NamedTuple):
    """The outcomes of the instance called `name`."""

    format: int
    name: str
    routes: tuple[RouteShare, ...]


def pack(name: str, routes: Sequence[RouteShare]) -> bytes:
    """Return the bytes that `unpack` understands: some 60 to 400 for each route, by its traffic."""
    return zlib.compress(to_json(Share(FORMAT, name, tuple(routes))), 1)


def unpack_share(payload: bytes) -> Share:
    """Return what was packed, or raise CodecError."""
    bounded = zlib.decompressobj()
    try:
        plain = bounded.decompress(payload, MOST_UNPACKED)
    except zlib.error as error:
        raise CodecError(f"share: {error}") from error
    if not bounded.eof:
        raise CodecError("share: longer than any may be, or cut off")
    share = from_json(plain, Share)
    if share.format != FORMAT:
        raise CodecError(f"share: format {share.format} is not known here")
    if any(
        len(row.pairs) not in (0, len(PAIR_COLUMNS)) or len(row.compared) not in (0, _COMPARED) for row in share.routes
    ):
        raise CodecError("share: too few or too many columns")
    return share


def side_share(tally: Tally, waiting: Mapping[int, int]) -> SideShare:
    """Return one side in packed form."""
    return SideShare(tally.requests, tally.errors, tally.client_errors, _packed(tally.latencies), _packed(waiting))


def compared_share(tally: ComparedTally) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
    """Return the members `compared` and `not_compared`, both empty for nothing."""
    counts = tally.equal, tally.different, tally.noise, tally.transient, tally.eligible
    reasons = tuple((reason, count) for reason, count in tally.not_compared.items() if count)
    return (counts if any(counts) else ()), reasons


def compared_of(share: RouteShare) -> ComparedTally:
    """Return the counts of mirrored requests."""
    equal, different, noise, transient, eligible = share.compared or (0,) * _COMPARED
    return ComparedTally(equal, different, noise, transient, dict(share.not_compared), eligible)


def outcomes_of(share: RouteShare, generation: int) -> tuple[SideOutcomes, ...]:
    """Return both sides as a worker would have reported them, or raise CodecError."""
    return tuple(
        SideOutcomes(
            share.route,
            side,
            generation,
            told.requests,
            told.errors,
            told.client_errors,
            sketch(told.latencies),
            waiting=sketch(told.waiting),
        )
        for side, told in ((LEGACY, share.legacy), (MODERN, share.modern))
        if told != SideShare()
    )


def pairs_of(share: RouteShare, generation: int) -> tuple[PairCounts, ...]:
    """Return the table of pairs in the same way, none for an empty one."""
    if not share.pairs:
        return ()
    columns: dict[str, Any] = dict(zip(PAIR_COLUMNS, share.pairs, strict=True))
    return (PairCounts(share.route, generation, **columns),)


def sketch(text: str) -> Sketch:
    """Return steps with their counts, or raise CodecError.

    Packed are base64 of all steps, two bytes each, then all counts, four each: read a thousand times a second,
    numbers in JSON would cost ten times as much.
    """
    try:
        raw = a2b_base64(text, strict_mode=True)
        many = len(raw) // _WIDTH
        numbers = struct.unpack(f"<{many}h{many}I", raw)
    except (ValueError, struct.error) as error:
        raise CodecError(f"share: no sketch: {error}") from error
    return tuple(zip(numbers[:many], numbers[many:], strict=True))


def _packed(latencies: Mapping[int, int]) -> str:
    steps = coarse(latencies)
    many = len(steps)
    columns = (step for step, _ in steps), (min(count, _MOST) for _, count in steps)
    return str(b2a_base64(struct.pack(f"<{many}h{many}I", *chain(*columns)), newline=False), "ascii")


def coarse(latencies: Mapping[int, int]) -> Sketch:
    """Return a sketch of at most `MOST_STEPS` counters: merged steps count as the slowest of them."""
    width, steps = 1, dict(latencies)
    while len(steps) > MOST_STEPS:
        width *= 2
        steps = {}
        for step, count in latencies.items():
            upper = -(-step // width) * width
            steps[upper] = steps.get(upper, 0) + count
    return tuple(sorted(steps.items()))
