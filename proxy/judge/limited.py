"""Compares two answers in a child process that has the limits of a judge: for commands, which have no judge.

A hostile pair ends the child, by the kernel, never the command: what a regular expression or a parser does in C cannot
be stopped from within.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from comparators.comparison import compare
from comparators.model import Capture, Comparison, Finding
from proxy.judge.confinement import ALARM_SECONDS, MEMORY, PROCESSOR_SECONDS, confine
from proxy.judge.policies import Compiled, body_of
from rules.invariants import Outcome, check_all

TOO_LONG: Final = f"it took more than the {PROCESSOR_SECONDS:.0f} s of processor (or {ALARM_SECONDS:.0f} s) a judge has"
TOO_LARGE: Final = f"it took more than the {MEMORY >> 20} MiB of memory a judge has"
_CHUNK: Final = 1 << 16
_NO_MEMORY: Final = 3
_TIMERS: Final = (signal.SIGPROF, signal.SIGALRM)


Judged = tuple[Comparison, tuple[Outcome, ...]]


class _BeyondLimitsError(Exception):
    """The work ended at a limit, which the text names."""


def judged(rules: Compiled, legacy: Capture, modern: Capture) -> Judged:
    """Return what comes of two answers, and of the invariants; not compared, with a note, where a judge would end."""
    try:
        return _read(_done(lambda: _written(_compared(rules, legacy, modern))))
    except _BeyondLimitsError as error:
        return Comparison("not_compared", reason="time", notes=(f"ended: {error}",)), ()


def _compared(rules: Compiled, legacy: Capture, modern: Capture) -> Judged:
    comparison = compare(legacy, modern, rules.policy)
    if comparison.reason == "error" and any(MemoryError.__name__ in note for note in comparison.notes):
        raise MemoryError
    outcomes = check_all(rules.invariants, body_of(legacy), body_of(modern))
    return comparison, tuple(outcomes)


def _written(found: Judged) -> bytes:
    """Return as JSON what came of two answers; there was no second one, so nothing was observed."""
    comparison, outcomes = found
    told = {**comparison._asdict(), "forgiven": dict(comparison.forgiven), "observations": ()}
    return json.dumps([told, [asdict(each) for each in outcomes]]).encode()


def _read(text: bytes) -> Judged:
    told, outcomes = json.loads(text)
    told["findings"] = tuple(Finding(*each) for each in told["findings"])
    told |= {name: tuple(told[name]) for name in ("notes", "observations")}
    return Comparison(**told), tuple(Outcome(**each) for each in outcomes)


def _done(work: Callable[[], bytes]) -> bytes:
    """Return what `work` returns."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    found = _whole(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        signalled = os.WTERMSIG(status)
        raise _BeyondLimitsError(TOO_LONG if signalled in _TIMERS else f"its process ended by signal {signalled}")
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise _BeyondLimitsError(TOO_LARGE if code == _NO_MEMORY else f"its process ended with {code}")
    return found


def _work(work: Callable[[], bytes], writing: int) -> None:
    """Do the work under a judge's limits and leave; a child never returns to what the parent does."""
    code = 1
    try:
        confine()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for each in _TIMERS:
            signal.signal(each, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(work())
        code = 0
    except MemoryError:
        code = _NO_MEMORY
    finally:
        os._exit(code)


def _whole(reading: int) -> bytes:
    chunks: list[bytes] = []
    while chunk := os.read(reading, _CHUNK):
        chunks.append(chunk)
    os.close(reading)
    return b"".join(chunks)
