"""Every message that processes send each other, grouped by sender and receiver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from proxy.settings import Settings
from proxy.telemetry.aggregation import Exemplar

if TYPE_CHECKING:
    from dataclasses import dataclass as made_often
else:

    def made_often(*, frozen: bool, slots: bool) -> Any:
        """Make a dataclass that is frozen for those who check types alone.

        At run time the guard takes whoever makes one five times as long: 4 µs for a pair with its responses.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)


class Message:
    """A message between processes.

    `shed` ones are dropped when more than `shed_above` bytes wait for a slow receiver already; `carries` counts
    descriptors; `attached` names the members (dotted, where one is inside another) that travel as raw bytes.
    """

    __slots__ = ()
    shed: ClassVar[bool] = False
    shed_above: ClassVar[int] = 8 << 20
    carries: ClassVar[int] = 0
    attached: ClassVar[tuple[str, ...]] = ("payload",)


# ── supervisor to its children, over the lifeline ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Begin(Message):
    """The first message to a child: its role, the last good configuration, the overrides since (both opaque)."""

    slot: int
    incarnation: int
    settings: Settings
    addresses: tuple[str, ...]
    payload: bytes
    effects: bytes = b""
    attached: ClassVar[tuple[str, ...]] = ("payload", "effects")


@dataclass(frozen=True, slots=True)
class Listen(Message):
    """A child's listening socket comes with this message, just before `Begin`."""

    carries: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Attach(Message):
    """A fresh connection between worker `slot` and control comes with this message."""

    slot: int
    incarnation: int
    carries: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Drain(Message):
    """Stop accepting, finish what is in flight within `seconds`, exit; with `handover` a successor accepts already."""

    seconds: float
    handover: bool = False


@dataclass(frozen=True, slots=True)
class Leave(Message):
    """Exit now."""


@dataclass(frozen=True, slots=True)
class Reread(Message):
    """`who` asked for the file to be read again."""

    who: str


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker as the supervisor sees it; `pid` 0 while it is being replaced."""

    slot: int
    incarnation: int
    pid: int
    accepting: bool


@dataclass(frozen=True, slots=True)
class Census(Message):
    """All worker slots, sent to control whenever one changes."""

    workers: tuple[WorkerState, ...]
    worker_restarts: int
    control_restarts: int


# ── children to the supervisor, over the lifeline ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Beat(Message):
    """The event loop of this child runs; `lag` is how many seconds late this beat was."""

    lag: float


@dataclass(frozen=True, slots=True)
class Accepting(Message):
    """This worker accepts connections, running `generation`."""

    generation: int


@dataclass(frozen=True, slots=True)
class Leaving(Message):
    """This worker was ordered by another process to drain: a successor may start at once."""


@dataclass(frozen=True, slots=True)
class Readiness(Message):
    """The present answer of /readyz."""

    ready: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keep(Message):
    """The configuration that every later child begins with, as opaque bytes, plus the drain time it names."""

    generation: int
    drain: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class KeepEffects(Message):
    """What was set at run time on top of the configuration kept last, as opaque bytes: later children begin with it."""

    generation: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Replace(Message):
    """This worker does not apply what it is sent: end it, start another in its place."""

    slot: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Rereading(Message):
    """A reload begins (`done` false) or has ended."""

    done: bool
    ok: bool
    detail: str


# ── control to a worker ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Prepare(Message):
    """Build the generation described by `payload`, keep it aside, answer with Prepared."""

    generation: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Commit(Message):
    """Run the generation prepared under this number, answer with Applied."""

    generation: int


@dataclass(frozen=True, slots=True)
class Effects(Message):
    """Run the current file with these overrides (all there are) as this generation, at once; answer with Applied."""

    generation: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Drill(Message):
    """Fail the modern attempts of requests to `route` that bear `mark`, for so many seconds; 0 ends the drill."""

    route: str
    mark: str = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions one reader wants; empty members take all. `statuses` are ranges, both ends included.

    `user` is compared in the worker alone: it is in no decision that is sent.
    """

    number: int
    route: str = ""
    side: str = ""
    statuses: tuple[tuple[int, int], ...] = ()
    user: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SendDecisions(Message):
    """Send the decisions that one of these filters takes; they replace all earlier ones, none at all ends it."""

    filters: tuple[DecisionFilter, ...]


GREETED: Final = 0
"""The ticket of the `Ask` with which control ends its greeting: all that was set has been sent before it.

No message of its own: a worker or control process of an earlier version, beside a later one, knows `Ask` as well.
"""


@dataclass(frozen=True, slots=True)
class Ask(Message):
    """Send fresh numbers, marked with this ticket."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Again(Message):
    """Ask both sides once more what the pair of this id was about, answer with that Pair or with AgainFailed."""

    pair: str


# ── a worker to control ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The first message of a worker on a fresh connection; `file` is the generation that brought the file it runs."""

    slot: int
    incarnation: int
    pid: int
    generation: int
    file: int = 0


@dataclass(frozen=True, slots=True)
class Prepared(Message):
    """The generation is ready, or `error` says why it cannot be: the worker stays with the file it has."""

    generation: int
    error: str


@dataclass(frozen=True, slots=True)
class Applied(Message):
    """Requests that start from now on use this generation; `file` is the one that brought the file they are under."""

    generation: int
    file: int = 0


@dataclass(frozen=True, slots=True)
class Trip(Message):
    """This worker has sent all users of `route` to legacy by itself, at `at` (epoch seconds), for `detail` (JSON).

    `revision` is that of the override it knew: one that is newer has the last word. Where it may not act by itself
    (`acted` is false) it only reports that it would have.
    """

    route: str
    generation: int
    at: float
    detail: str
    revision: int = 0
    acted: bool = True


@dataclass(frozen=True, slots=True)
class DrillCount(Message):
    """Attempts that a drill has failed here so far, the first and the last of them (monotonic seconds of the host)."""

    route: str
    failed: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Numbers(Message):
    """Metric rows that changed since the last report; each value is the sum since this worker began.

    `exemplars` are requests that were counted recently; they may be lost.
    """

    ticket: int
    rows: tuple[tuple[str, tuple[str, ...], tuple[float, ...]], ...]
    exemplars: tuple[Exemplar, ...] = ()
    shed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RouteUsers:
    """Users newly in a worker's sample of one route, each with the seconds since then; `bound` as the sketch's."""

    route: str
    bound: int
    users: tuple[tuple[str, float], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Users(Message):
    """The users that were seen recently. Control keeps them in memory; they are never logged, never stored."""

    routes: tuple[RouteUsers, ...] = field(repr=False)
    shed: ClassVar[bool] = True


class Write(NamedTuple):
    """One write that modern has done, `at` epoch seconds; `path` is without its query."""

    at: float
    method: str
    path: str
    status: int
    request_id: str


@dataclass(frozen=True, slots=True)
class RouteWrites:
    """The last writes of one route on modern, the oldest first; `since` is the time of the first ever."""

    route: str
    since: float
    last: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Writes(Message):
    """The writes that a rollback would lose, as one worker knows them; replaces its earlier message."""

    routes: tuple[RouteWrites, ...]
    shed: ClassVar[bool] = True


class DecisionRecord(NamedTuple):
    """One decision with what became of the request; `filters` are the numbers of those that took it.

    `answered` is the side whose response the client got, `none` for the proxy's own; `seconds` is the whole request.
    `path` is without its query; `bucket` None where no bucket was needed.
    """

    filters: tuple[int, ...]
    at: float
    request_id: str
    method: str
    path: str
    route: str
    generation: int
    side: str
    reason: str
    bucket: float | None
    weight: float
    answered: str
    status: int
    target: str
    fallback: str
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Decisions(Message):
    """Decisions in their order; `dropped` counts by filter those that were too many to be sent."""

    records: tuple[DecisionRecord, ...]
    dropped: tuple[tuple[int, int], ...] = ()
    shed: ClassVar[bool] = True
    shed_above: ClassVar[int] = 1 << 20


@dataclass(frozen=True, slots=True)
class AddressState:
    """One looked-up address of a target: consecutive failures, consecutive look-ups without it."""

    address: str
    failures: int
    missed: int


@dataclass(frozen=True, slots=True)
class TargetState:
    """One target as a worker sees it; `probe_in` are seconds until it is tried again where it is left `out`."""

    backend: str
    target: str
    healthy: bool
    out: bool
    probe_in: float
    in_flight: int
    idle: int
    waiting: int
    errors: int
    last_error: str
    addresses: tuple[AddressState, ...]


@dataclass(frozen=True, slots=True)
class Targets(Message):
    """Every target of a worker; replaces its earlier message."""

    targets: tuple[TargetState, ...]
    shed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SideOutcomes:
    """What one side of one route did within one second; `latencies` maps sketch index to count.

    `waiting` does so for requests that have not had their first byte yet though they should: their age as the
    second ended. `role` is `live`, or `shadow` for copies that no user waits for.
    """

    route: str
    side: str
    generation: int
    requests: int
    errors: int
    client_errors: int
    latencies: tuple[tuple[int, int], ...]
    role: str = "live"
    waiting: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PairCounts:
    """The results of one route's mirrored requests within one second, each counted exactly once.

    `eligible` is the sum of `equal`, `sent` (control decides), `transient`, the counts of `not_compared` by reason.
    The table of failures counts mirrored requests that both sides got, whichever was live. Requests that legacy got
    because modern had failed are counted apart, because they cannot clear modern: `rescued`, or `lost` as well.
    `kinds` are kinds of request that users sent, `kinds_compared` those found equal, each sent once
    (`telemetry.request_kinds`). `forgiven` counts by rule what made equal pairs equal.
    """

    route: str
    generation: int
    eligible: int = 0
    equal: int = 0
    sent: int = 0
    transient: int = 0
    not_compared: tuple[tuple[str, int], ...] = ()
    both_fine: int = 0
    modern_failed: int = 0
    legacy_failed: int = 0
    both_failed: int = 0
    rescued: int = 0
    lost: int = 0
    kinds: tuple[str, ...] = ()
    kinds_compared: tuple[str, ...] = ()
    forgiven: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcomes(Message):
    """The outcomes of every side in the second that ended at `second` on the machine's monotonic clock."""

    second: int
    sides: tuple[SideOutcomes, ...]
    pairs: tuple[PairCounts, ...] = ()
    shed: ClassVar[bool] = True


@made_often(frozen=True, slots=True)
class Answer:
    """One side's response as the client would get it: translated, without framing, `body` still encoded.

    `failed` is empty for a complete response, else why there is none (`absent`: this side was not asked).
    `truncated` says that the body exceeded the route's cap; `seconds` is the wait for the first byte, `at` the time
    since the epoch at which the head was received, 0 where that is not known.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False
    seconds: float = 0.0
    failed: str = ""
    at: float = 0.0


@made_often(frozen=True, slots=True)
class Pair(Message):
    """Two responses to one request, to be compared; `live_side` is the side whose response the user got.

    `id` names the pair while the worker can still send the request again; `again` is 0 for the first responses, 1 for
    those of a re-check. `at` is the request's time since the epoch, `user` a keyed hash. `reason` says why it was sent:
    `status`, `headers`, `body`, `raced` (it differs beside a write), `session` (legacy missed it), `invariants`,
    `noise` (equal, but legacy was asked twice), `again`, `alone` (modern only). `secondary` is a second response of
    legacy, the first one where the pair is a re-check's. Nothing of it is redacted yet.
    """

    id: str
    at: float
    route: str
    generation: int
    user: str
    method: str
    path: str
    query: str | None = field(repr=False)
    live_side: str
    again: int
    reason: str
    legacy: Answer
    modern: Answer
    secondary: Answer | None = None
    request_id: str = ""
    sequence: int = 0
    shed: ClassVar[bool] = True
    shed_above: ClassVar[int] = 4 << 20
    attached: ClassVar[tuple[str, ...]] = ("legacy.body", "modern.body", "secondary.body")


@dataclass(frozen=True, slots=True)
class JudgeLink(Message):
    """With this message come a connection to the judge of this number and a page with the number of its present pair.

    Control has given the judge the other ends (`judging.Serve`).
    """

    judge: int
    carries: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class JudgeWanted(Message):
    """The number of pairs that wait in this worker, more than its judges take; it may have none."""

    waiting: int


@dataclass(frozen=True, slots=True)
class JudgeSilent(Message):
    """The judge of this number has made no progress for far longer than a pair may take."""

    judge: int


@dataclass(frozen=True, slots=True)
class JudgeEnded(Message):
    """The judge of this number has ended; control has counted the first `counted` pairs that this worker sent it.

    `reason` is why: `time`, `crash`, empty where control ended it and no pair is to blame.
    """

    judge: int
    counted: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unjudged(Message):
    """The number of sent pairs that could not be judged, by reason: `queue` (too much waited), `time`, `crash`.

    `cost` says that one of them has ended its judge.
    """

    route: str
    generation: int
    reason: str
    count: int
    cost: bool = False


@dataclass(frozen=True, slots=True)
class Rest(Message):
    """Pairs of this route are not judged for some seconds, because they crash judges."""

    route: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AgainFailed(Message):
    """The pair of this id cannot be sent again: `gone`, `budget`, `busy`, `failed`; `raced` when a write was near."""

    pair: str
    reason: str
