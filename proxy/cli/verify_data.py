"""`strangler verify-data`: both databases compared, what was found printed."""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from proxy.cli.common import print_json, print_problems, progress, read
from proxy.cli.data_printing import print_outcome
from proxy.settings import EXIT_NO, EXIT_UNREACHABLE, EXIT_USAGE, EXIT_YES, ProxyError
from rules.config.units import UnitError, duration
from rules.data_settings import DataSettings

if TYPE_CHECKING:
    from proxy.data.run_state import RunState

FOLLOW_EVERY = 10.0
OVERLAP = 300.0
"""Seconds that a run over what changed reaches back behind the last one: transactions that ended late."""


class UsageError(ProxyError):
    """The command cannot be done as it was given."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True)
class Mode:
    """Which rows: changed `since` then (a duration; none: every row), from the first (`full`), again and again."""

    since: str = ""
    full: bool = False
    follow: bool = False


@dataclass(slots=True)
class Outcome:
    """What one run came to; it grows while the run goes on."""

    tables: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """Unreachable before broken before different."""
        if self.failures:
            return EXIT_UNREACHABLE if any(one["unreachable"] for one in self.failures) else EXIT_USAGE
        same = all(one["same"] for one in self.tables) and not self.stopped
        return EXIT_YES if same and all(one["state"] != "violated" for one in self.checks) else EXIT_NO


def verify_data(config: str, tables: Sequence[str], mode: Mode, *, as_json: bool) -> int:
    """Verify, print what was found; the exit code says how it went."""
    since = _since(mode)
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    if not as_json:
        print_problems(prepared.warnings)
    settings = prepared.snapshot.data
    if settings is None:
        raise UsageError(f"{config} has no `data` section: `data.legacy` and `data.modern` name both databases")
    _needs_drivers()
    with _stopping() as stop, _state(prepared.snapshot.store, config) as state:
        if mode.full:
            _forget(settings, tables, state)
        run = _run_of(settings, tables, prepared.snapshot.diffs.redact, state, stop)
        outcome = run(since)
        _print_outcome(outcome, as_json=as_json)
        while mode.follow and outcome.exit_code in (EXIT_YES, EXIT_NO, EXIT_UNREACHABLE):
            began = time.time()
            if stop.wait(FOLLOW_EVERY):
                break
            outcome = run(began - OVERLAP)
            _print_outcome(outcome, as_json=as_json)
    return outcome.exit_code


def _since(mode: Mode) -> float | None:
    if mode.full and mode.since:
        raise UsageError("`--full` reads every row, `--since` only what changed: one of them")
    if not mode.since:
        return time.time() - OVERLAP if mode.follow and not mode.full else None
    try:
        return time.time() - duration(mode.since)
    except UnitError as error:
        raise UsageError(f"--since: {error}") from error


def _needs_drivers() -> ModuleType:
    try:
        import sqlalchemy
    except ImportError as error:
        raise UsageError("verify-data needs database drivers: pip install 'strangler-proxy[data]'") from error
    return sqlalchemy


@contextmanager
def _state(store: str, config: str) -> Iterator[RunState]:
    from proxy.data.run_state import state_in

    state = state_in(store, Path(config).absolute().parent)
    try:
        yield state
    finally:
        state.close()


def _forget(settings: DataSettings, tables: Sequence[str], state: RunState) -> None:
    """Have a run begin with the first row, whatever an earlier one has done."""
    from proxy.data.runner import chosen

    for table in chosen(settings, tables):
        state.forget(table)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield what is set by Ctrl-C or TERM: a run ends between two queries and keeps its place."""
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _run_of(
    settings: DataSettings, tables: Sequence[str], fields: Sequence[str], state: RunState, stop: threading.Event
) -> Callable[[float | None], Outcome]:
    from proxy.data.pace import StoppedError
    from proxy.data.redaction import redacting
    from proxy.data.results import TableResult
    from proxy.data.runner import Runner, TableFailure, Wanted, chosen, opened

    chosen(settings, tables)
    redact = redacting(secrets.token_bytes(32), fields)

    def run(since: float | None) -> Outcome:
        outcome = Outcome()
        done = (0, 0)
        with opened(settings, os.environ) as databases, progress("verifying", "rows") as told:

            def report(result: TableResult, _last: int | None, share: float) -> None:
                nonlocal done
                done = result.compared, round(result.compared / share) if share else 0
                told(*done)

            def paused(reason: str) -> None:
                told(*done, waits=reason)

            runner = Runner(settings, databases, time.time, stop, report, redact, state, paused)
            try:
                for one in runner.tables(Wanted(tuple(tables), since)):
                    if isinstance(one, TableFailure):
                        outcome.failures.append(asdict(one))
                    else:
                        outcome.tables.append(one.document())
                if not outcome.failures:
                    outcome.warnings.extend(runner.warnings())
                outcome.checks.extend(one.document() for one in (() if tables else runner.checks()))
            except StoppedError:
                outcome.stopped = True
        if state.trouble:
            outcome.warnings.append(f"the store keeps nothing of this run: {state.trouble}")
        return outcome

    return run


def _print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    document = {**asdict(outcome), "exit": outcome.exit_code}
    if as_json:
        print_json(document)
    else:
        print_outcome(document)
