"""Every message that processes send each other, grouped by who talks to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from proxy.settings import Settings


@dataclass(frozen=True, slots=True)
class Message:
    """What crosses a link. `shed` ones may be dropped when the other side is slow; `carries` counts descriptors."""

    shed: ClassVar[bool] = False
    carries: ClassVar[int] = 0


# ── supervisor to its children, over the lifeline ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Begin(Message):
    """First words to a child: who it is, the last good configuration (opaque to the supervisor)."""

    slot: int
    incarnation: int
    settings: Settings
    addresses: tuple[str, ...]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Attach(Message):
    """A fresh connection between worker `slot` and control comes with this message."""

    slot: int
    incarnation: int
    carries: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Drain(Message):
    """Stop accepting, finish what is in flight within `seconds`, leave."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Leave(Message):
    """Go now."""


@dataclass(frozen=True, slots=True)
class Reread(Message):
    """Somebody (`who`) asked for the file to be read again."""

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
    """The event loop of this child turns; `lag` is how many seconds late this beat was."""

    lag: float


@dataclass(frozen=True, slots=True)
class Accepting(Message):
    """This worker accepts connections, running `generation`."""

    generation: int


@dataclass(frozen=True, slots=True)
class Leaving(Message):
    """This worker was told by somebody else to drain: a successor may start at once."""


@dataclass(frozen=True, slots=True)
class Readiness(Message):
    """What /readyz says now."""

    ready: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keep(Message):
    """The configuration that every later child begins with, as opaque bytes, plus the drain time it names."""

    generation: int
    drain: float
    payload: bytes


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
class Ask(Message):
    """Send fresh numbers, marked with this ticket."""

    ticket: int


# ── a worker to control ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """First words of a worker on a fresh connection."""

    slot: int
    incarnation: int
    pid: int
    generation: int


@dataclass(frozen=True, slots=True)
class Prepared(Message):
    """The generation is ready, or `error` says why it cannot be."""

    generation: int
    error: str


@dataclass(frozen=True, slots=True)
class Applied(Message):
    """Requests that start from now on use this generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class Numbers(Message):
    """Metric rows that changed since the last report; each value is the sum since this worker began."""

    ticket: int
    rows: tuple[tuple[str, tuple[str, ...], tuple[float, ...]], ...]
    shed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RouteUsers:
    """Users newly in a worker's sample of one route, each with the seconds since then; `bound` as the sketch's."""

    route: str
    bound: int
    users: tuple[tuple[str, float], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Users(Message):
    """Who was seen lately. Control keeps them in memory; they are never logged, never stored."""

    routes: tuple[RouteUsers, ...] = field(repr=False)
    shed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SideOutcomes:
    """What one side of one route did within one second; `latencies` maps sketch index to count."""

    route: str
    side: str
    generation: int
    requests: int
    errors: int
    client_errors: int
    latencies: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Outcomes(Message):
    """What every side did in the second that ended at `second` on the machine's monotonic clock."""

    second: int
    sides: tuple[SideOutcomes, ...]
    shed: ClassVar[bool] = True
