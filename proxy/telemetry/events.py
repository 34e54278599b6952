"""Event names and the function that emits them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from proxy.telemetry.log_writer import LineWriter

# The name of every event, each with when it is emitted.


REQUEST = "request"
"""A request is finished; the access line is the record of its decision."""
LINES_LOST = "log_lines_lost"
"""So many lines are missing here: the reader of the log was too slow, or the disk was full."""
LINES_UNWRITTEN = "log_lines_unwritten"
"""Access lines cannot be written now; they are counted, requests are not affected."""

STARTING = "starting"
"""The supervisor has its sockets, its children start next."""
READY = "ready"
"""/readyz returned 200 for the first time."""
STOPPING = "stopping"
"""A stop was asked for: requests in flight may finish."""
UPGRADING = "upgrading"
"""USR2 asked for the new program beside this one."""
UPGRADE_FAILED = "upgrade_failed"
"""The new program ended before it was ready; this one goes on."""
STOPPED = "stopped"
"""The supervisor exits, nothing runs any more."""
DRAIN_CUT = "drain_cut"
"""The drain time was over before these requests were."""
CHILD_STARTED = "child_started"
"""A worker or the control process was started."""
CHILD_EXITED = "child_exited"
"""A child ended; `wait` seconds until its successor starts."""
CHILD_SILENT = "child_silent"
"""A child's event loop hung; it is killed and replaced."""
ACCEPTING = "accepting"
"""A worker takes connections."""
DRAINING = "draining"
"""A worker takes no more connections."""

RELOAD = "reload"
"""Another configuration is live in every worker."""
RELOAD_ASKED = "reload_asked"
"""A signal, the API or a changed file asked for the file to be read again."""
RELOAD_IGNORED = "reload_ignored"
"""No process is there that could reload."""
CONFIG_REFUSED = "config_refused"
"""The file is broken; the old configuration stays."""
CONFIG_WARNING = "config_warning"
"""The file is accepted, but has a problem that an operator should know."""
CONFIG_NEEDS_RESTART = "config_needs_restart"
"""These settings changed in the file, they take effect at the next start."""
GENERATION_APPLIED = "generation_applied"
"""A worker runs another generation."""
GENERATION_REFUSED = "generation_refused"
"""A worker could not build a generation that control could."""
CERTIFICATE_REFUSED = "certificate_refused"
"""The renewed certificate cannot be used; connections go on with the old one."""
WORKER_LATE = "worker_late"
"""A worker did not acknowledge a generation in time; it gets it again when it reconnects."""
FILE_DEADLY = "file_deadly"
"""A worker died with the latest configuration before it served; the next one begins with the one before."""
TASK_FAILED = "task_failed"
"""A permanent task of control has failed; it goes on. After a minute of failures control is replaced."""
WORKER_REPLACED = "worker_replaced"
"""A worker has not applied an override, or no longer responds; it is killed and replaced."""
SPANS_LOST = "spans_lost"
"""Spans cannot be sent to the collector; how many is counted."""
POOL_FULL = "pool_full"
"""A request waits in our own pool: every connection to its backend is in use. Emitted once a minute."""
LOOP = "loop"
"""A request came back to this instance and was answered 508: this backend leads here. Emitted once a minute."""
NAME_SILENT = "name_silent"
"""The name server does not answer for a backend's name, or has nothing; the last good addresses stay."""
NAME_ANSWERED = "name_answered"
"""The name server answers for a backend's name again."""
TARGET_OUT = "target_out"
"""A target failed too often in a row: a worker leaves it out until a probe succeeds."""
TARGET_BACK = "target_back"
"""A probe of a target that was left out succeeded."""
LINK_LOST = "link_lost"
"""The connection between control and worker broke."""
JUDGE_LOST = "judge_lost"
"""A process that compares pairs exceeded its limit, crashed, or did not start; another takes its place."""
JUDGE_SURPLUS = "judge_surplus"
"""`judges` allows fewer processes now: one was ended, others judge what it was at."""
DATA_LOST = "data_lost"
"""The process that verifies both databases ended; another takes its place."""
DATA_DIFFERS = "data_differs"
"""Both databases do not hold the same rows of a table, read again after `settle`."""
DATA_VERIFIED = "data_verified"
"""Both databases hold the same rows of a table, which was unknown or not so before."""
DATA_FAILED = "data_failed"
"""A table could not be verified: a database is unreachable, or the tables do not match the configuration."""
DATA_PAUSED = "data_paused"
"""Reading a table of both databases waits: a replica is behind (`replica_lag`), or a side is busy (`load`)."""
DATA_CHECK = "data_check"
"""A check of both databases is violated in three readings, or could not be queried."""
DIFFERENCES_LOST = "differences_lost"
"""Differences cannot be stored now; they are still counted."""
DIFFERENCES_KEPT = "differences_kept"
"""Differences are stored again."""
DIFFERENCE = "difference"
"""A group of differences that is new since control started; its values are in the store."""
INVARIANT_VIOLATED = "invariant_violated"
"""A business rule does not hold for a pair, and did not when both sides were sent the request again."""
CHANGED = "changed"
"""An operator or the guard changed how a route is served; `what` is the event of the audit log."""
FOLLOWED = "followed"
"""What another instance set for a route is in effect here too."""
ALERT = "alert"
"""The guard cannot decide, or may not act: an operator should look."""
TRIPPED = "tripped"
"""A worker sent all users of a route to legacy by itself: modern failed too often in a row."""
STORE_DOWN = "store_down"
"""The store does not answer; writes to it wait, promotions are refused."""
STORE_UP = "store_up"
"""The store answers again."""
HOOK_FAILED = "hook_failed"
"""A webhook did not take an event; `final` when there is no further try."""
NOISE_LEARNED = "noise_learned"
"""What legacy varies by itself at these paths is no longer a difference."""
SHADOW_SUSPENDED = "shadow_suspended"
"""A worker stops mirroring this route until its configuration changes: a response shows side effects of its reads."""
COVERAGE_SESSION = "coverage_session"
"""Most of a route's pairs are not compared: legacy gets copies without the user's session. `cure` is the remedy."""
SHADOW_THINNED = "shadow_thinned"
"""A side gave copies of a route no whole answer, or 5xx, ten in a row: it gets one a second until one succeeds."""
SHADOW_WRITES_OFF = "shadow_writes_off"
"""A worker copies no more writes to this backend until the next reload: it did not confirm that it discards them."""
UNTRANSLATED = "untranslated"
"""The response to a write was delivered unmapped: the write was done, but `response` could not map it."""
LOGIN = "login"
"""A token was shown at the console's login; `role` and `name` say for whom."""
LOGIN_FAILED = "login_failed"
"""A wrong token was shown, at the login or as a bearer; from the 21st on tokens are neither compared nor reported."""
ADMIN_REQUEST = "admin_request"
"""The admin port answered a request that may change something; its access line."""
OBSERVER_FAILED = "observer_failed"
"""A metric, window or log line could not be made; emitted once."""
UNEXPECTED = "unexpected"
"""A fault of the proxy itself that did not affect a user."""


class Emit(Protocol):
    """How a process emits an event: its name from `names`, a level, fields."""

    def __call__(self, event: str, level: str = "info", /, **fields: object) -> None:
        """Emit `event`; never raises, never waits."""


class Events:
    """Writes events to a descriptor; `bound` fields come with each. Immutable."""

    def __init__(self, writer: LineWriter, *, human: bool, bound: Mapping[str, object]) -> None:
        self._writer = writer
        self._render = render_human if human else render_json
        self._bound = bound

    def __call__(self, event: str, level: str = "info", /, **fields: object) -> None:
        """Emit `event` now."""
        self._writer.put(self._render(timestamp(time.time()), level, event, {**self._bound, **fields}))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def events(process: str, descriptor: int = 2, **bound: object) -> Events:
    """Return the events of `process`, written to `descriptor`."""
    human = os.isatty(descriptor)
    writer = LineWriter(descriptor, lambda count: lost_line(process, count))
    return Events(writer, human=human, bound={"process": process, **bound})


def lost_line(process: str, count: int) -> bytes:
    """Return the line that says how many lines are missing before it."""
    return render_json(timestamp(time.time()), "warning", LINES_LOST, {"process": process, "count": count})


def timestamp(at: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC with milliseconds."""
    whole = int(at)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((at - whole) * 1000):03d}Z"


def render_json(ts: str, level: str, event: str, fields: Mapping[str, object]) -> bytes:
    """Return one event as a line of JSON."""
    return orjson.dumps({"ts": ts, "level": level, "event": event, **fields}, default=_say) + b"\n"


def render_human(ts: str, level: str, event: str, fields: Mapping[str, object]) -> bytes:
    """Return one event as a readable line."""
    said = " ".join(f"{name}={_word(value)}" for name, value in fields.items())
    return f"{ts} [{level:<8}] {event:<24} {said}\n".encode(errors="replace")


def _say(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | frozenset | set) else str(value)


def _word(value: object) -> str:
    text = str(value)
    # a field may quote a file's text: it must not send control characters to the terminal
    printable = text.isprintable()
    return text if printable and " " not in text else repr(text)
