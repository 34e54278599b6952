"""Compares two answers in a child process that has the limits of a judge: for commands, which have no judge.

A hostile pair ends the child, by the kernel, never the command: what a regular expression or a parser does in C cannot
be stopped from within.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from comparators.comparison import compare
from comparators.model import Capture, Comparison
from proxy.judge.confinement import ALARM_SECONDS, MEMORY, PROCESSOR_SECONDS, confine
from proxy.judge.policies import Compiled, body_of
from rules.invariants import Outcome, check_all

TOO_LONG: Final = f"it took more than the {PROCESSOR_SECONDS:.0f} s of processor (or {ALARM_SECONDS:.0f} s) a judge has"
TOO_LARGE: Final = f"it took more than the {MEMORY >> 20} MiB of memory a judge has"
_CHUNK: Final = 1 << 16
_TIMERS: Final = (signal.SIGPROF, signal.SIGALRM)


Judged = tuple[Comparison, tuple[Outcome, ...]]


class _BeyondLimitsError(Exception):
    """The work ended at a limit, which the text names."""


def judged(rules: Compiled, legacy: Capture, modern: Capture) -> Judged:
    """Return what comes of two answers, and of the invariants; not compared, with a note, where a judge would end."""
    try:
        found: Judged = _done(lambda: _compared(rules, legacy, modern))
    except _BeyondLimitsError as error:
        return Comparison("not_compared", reason="time", notes=(f"ended: {error}",)), ()
    return found


def _compared(rules: Compiled, legacy: Capture, modern: Capture) -> Judged:
    comparison = compare(legacy, modern, rules.policy)
    if comparison.reason == "error" and any(MemoryError.__name__ in note for note in comparison.notes):
        raise MemoryError
    outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
    return comparison._replace(forgiven=dict(comparison.forgiven)), tuple(outcomes)


def _done(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, which has to be picklable."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    found = _read(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        signalled = os.WTERMSIG(status)
        raise _BeyondLimitsError(TOO_LONG if signalled in _TIMERS else f"its process ended by signal {signalled}")
    if not found:
        raise _BeyondLimitsError(TOO_LARGE)
    return pickle.loads(found)  # noqa: S301 - written by our own child


def _work(work: Callable[[], Any], writing: int) -> None:
    """Do the work under a judge's limits and leave; a child never returns to what the parent does."""
    with suppress(BaseException):
        confine()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for each in _TIMERS:
            signal.signal(each, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(work()))
    os._exit(0)


def _read(reading: int) -> bytes:
    chunks: list[bytes] = []
    while chunk := os.read(reading, _CHUNK):
        chunks.append(chunk)
    os.close(reading)
    return b"".join(chunks)
