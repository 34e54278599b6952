"""The worker process: composition and life cycle.

1. the supervisor says who we are, with the last good configuration
2. control, where there is one, says what was set since
3. the data path starts on the inherited socket
4. control is connected, replaced, gone again: requests never notice
5. on the order to drain, or after the supervisor died: finish what is in flight, exit
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from proxy.ipc import messages
from proxy.ipc.channel import Channel
from proxy.ipc.child_process import ExceptionHandler, Lifeline, Tasks, beat, run
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Message
from proxy.settings import EXIT_YES, CannotStartError
from proxy.state.bindable import UnbindableError, client_tls, renew
from proxy.state.identity_keys import keys_from
from proxy.state.live import Live, unpack, with_effects
from proxy.state.request_outcomes import LastWrites, Outcomes, lossy_in
from proxy.state.user_sample import Recent
from proxy.telemetry import events as telemetry_events
from proxy.telemetry.access_log import AccessLines
from proxy.telemetry.events import Emit, events
from proxy.telemetry.metric_names import LOG_LINES_LOST, OBSERVER_FAILURES, SPANS_LOST, Metric
from proxy.telemetry.records import Exchange, Observers
from proxy.telemetry.span_exporter import Sender, SpanExporter
from proxy.telemetry.spans import is_installed, is_wanted, share
from proxy.telemetry.untranslated import Untranslated
from proxy.telemetry.worker_metrics import Counts, ModernWrites
from proxy.worker import garbage
from proxy.worker.circuit_breaker import CircuitBreaker
from proxy.worker.config_updates import ConfigUpdates, LocalRollback, build
from proxy.worker.decision_tail import DecisionTail
from proxy.worker.fault_injection import drilling
from proxy.worker.reporting import MirroringReport, Reporting
from proxy.worker.server import Server, announce
from rules.model import DEFAULT_ROUTE, ListenTls
from rules.routing.decide import Generation

# Makes the context that users' TLS connections are accepted with.


def server_context(tls: ListenTls, base_dir: Path) -> ssl.SSLContext:
    """Return a context with certificate chain and key of `tls`; CannotStartError without one."""
    try:
        return client_tls(tls, base_dir)
    except (OSError, UnbindableError) as error:
        raise CannotStartError(f"the certificate cannot be used: {error} (listen.tls)") from error


# Lets a worker record its part of each trace, where that is wanted and can be done.


LAST_WORDS = 1.0
"""Seconds that a worker which leaves may spend on spans."""


class Traces:
    """Nothing at all, unless the environment asks for traces: then a recorder that receives everything."""

    def __init__(self, environ: Mapping[str, str], server: Server, observers: Observers[Exchange], emit: Emit) -> None:
        self._recorder: SpanExporter | None = None
        if not is_wanted(environ):
            return
        if not is_installed():
            emit(
                telemetry_events.SPANS_LOST,
                "warning",
                error="the extra is not installed: pip install strangler-proxy[otel]",
            )
            return
        loop = asyncio.get_running_loop()

        def failed(error: BaseException | None) -> None:
            cause = repr(error) if error is not None else "no collector took them"
            loop.call_soon_threadsafe(partial(emit, telemetry_events.SPANS_LOST, "warning", error=cause))

        recorder = self._recorder = SpanExporter(_sender, failed, share(environ))
        server.traced = recorder.wants
        server.shadows.sender.trace = recorder.observe_leg
        observers.add_batch(recorder.observe_all)
        recorder.start()

    @property
    def lost(self) -> int:
        """Requests and copies whose spans were lost."""
        return self._recorder.lost if self._recorder is not None else 0

    async def close(self) -> None:
        """Send what waits."""
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close, LAST_WORDS)


def _sender() -> Sender:
    """Load OpenTelemetry, in the thread that needs it."""
    from proxy.telemetry.otlp import Otlp

    return Otlp()


GREETED_WITHIN = 0.5
"""Seconds that a worker waits, before it accepts anybody, for what control has to say.

Whoever set a rollback while this process started has been told that it is in effect: nobody served here yet. A control
process that is silent for longer could not have told anybody.
"""
LAST_CALL = 0.1
"""Seconds between the order to drain and the end of accepting."""


def main(arguments: list[str]) -> int:
    """Serve over the lifeline named by `arguments`; the listening socket follows over it."""
    lifeline, *given = arguments
    return run(lambda: _main(int(lifeline), given))


async def _main(lifeline_fd: int, given: list[str]) -> int:
    lifeline = Lifeline(lifeline_fd)
    beginning = await lifeline.beginning(given)
    if beginning is None:
        return EXIT_YES  # the supervisor went away before its first word
    begin, listener = beginning
    return await Worker(lifeline, listener, begin).run()


class Worker:
    """Everything one serving process consists of. `_link` changes with control."""

    def __init__(self, lifeline: Lifeline, listener: socket.socket, begin: messages.Begin) -> None:
        self._lifeline = lifeline
        self._listener = listener
        self._begin = begin
        self._base_dir = begin.settings.base_dir
        self._emit = events("worker", slot=begin.slot, pid=os.getpid())
        kept = unpack(begin.payload)
        configuration = with_effects(kept, begin.effects)
        self._keys = keys_from(os.environ, self._base_dir, configuration.sticky_key, configuration.jwt_key)
        self._live = Live(build(configuration))
        self._tls = self._tls_context(self._live.generation)
        self._counts = Counts()
        self._writes = LastWrites(lossy_in(self._live))
        self._outcomes = Outcomes()
        self._lines = AccessLines(os.environ, self._base_dir, self._emit)
        self._observers: Observers[Exchange] = Observers(
            lambda error: self._emit(telemetry_events.OBSERVER_FAILED, "error", error=repr(error))
        )
        self._server = self._compose()
        self._server.emit = self._emit
        self._traces = Traces(os.environ, self._server, self._observers, self._emit)
        self._mirroring = MirroringReport()
        self._mirroring.watch(self._server, self._observers, self._outcomes, self._emit)
        self._recent = Recent(configuration.sticky_key, _route_names(self._live.generation), self._server.noted)
        self._reporting = Reporting(
            self._counts,
            self._outcomes,
            self._server.stats,
            self._losses,
            self._recent,
            self._mirroring,
            self._writes,
            targets=self._server.targets,
            counted=self._server.counted,
        )
        self._config_updates = ConfigUpdates(
            self._live, self._emit, self._refresh, file=kept.number, base=self._base_dir, keys=self._keys
        )
        self._local_rollback = LocalRollback(self._live, self._config_updates, begin.slot, self._emit)
        self._observers.add_batch(CircuitBreaker(self._live, self._local_rollback.roll_back).observe_all)
        self._tail = DecisionTail(self._server)
        self._link: Channel | None = None
        self._tasks = Tasks()
        self._preparation: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()

    async def run(self) -> int:
        """Serve until the order to leave; returns the exit code."""
        asyncio.get_running_loop().set_exception_handler(ExceptionHandler(self._emit))
        self._tasks.start(beat(self._lifeline.channel, self._reporting.note_lag), "heart-beat")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._leave_by_signal)
        stop = self._tasks.awaitable(self._wait_for_stop(), "supervisor")
        await self._wait_for_greeting(stop)
        await self._server.start(self._listener)
        self._tasks.start(self._reporting.run(), "reporting")
        self._lifeline.channel.send(messages.Accepting(self._live.generation.number))
        self._emit(telemetry_events.ACCEPTING, generation=self._live.generation.number)
        garbage.set_up()
        self._tasks.start(garbage.FullCollections(self._in_flight).run(), "garbage")
        await self._drain(await stop)
        return EXIT_YES

    async def _wait_for_greeting(self, stop: asyncio.Task[float]) -> None:
        """Return when control has said what was set, when this worker is to leave, or after GREETED_WITHIN."""
        if self._begin.settings.legacy_only:
            return
        greeted = self._tasks.awaitable(self._greeted.wait(), "greeting")
        await asyncio.wait((stop, greeted), timeout=GREETED_WITHIN, return_when=asyncio.FIRST_COMPLETED)

    def _in_flight(self) -> int:
        return sum(self._server.in_flight.values())

    # ── the supervisor's words ─────────────────────────────────────────────────────────────────────────

    async def _wait_for_stop(self) -> float:
        """Follow the supervisor until it sends us away; returns how long that may take."""
        while True:
            message, descriptors = await self._lifeline.next()
            match message:
                case messages.Attach():
                    self._attach(socket.socket(fileno=descriptors[0]))
                case messages.Drain():
                    return message.seconds
                case messages.Leave():
                    # no supervisor is there any more to set a limit
                    return self._live.generation.snapshot.listen.drain
                case _:
                    pass

    def _leave_by_signal(self) -> None:
        self._lifeline.channel.send(messages.Leaving())
        self._lifeline.put(messages.Drain(self._live.generation.snapshot.listen.drain))

    async def _drain(self, seconds: float) -> None:
        # what the kernel has queued is still accepted, its first request read
        await asyncio.sleep(min(LAST_CALL, seconds))
        await announce(self._server, seconds)
        self._server.stop_accepting()
        self._emit(telemetry_events.DRAINING, seconds=seconds)
        cut = await self._server.drained(seconds)
        await self._traces.close()
        if cut:
            self._emit(telemetry_events.DRAIN_CUT, "warning", calls=cut)
        self._mirroring.close()
        self._reporting.send_outcomes()
        self._reporting.send_numbers()
        await self._tasks.close()
        self._lines.close()
        self._emit.close()

    # ── control ────────────────────────────────────────────────────────────────────────────────────────

    def _attach(self, sock: socket.socket) -> None:
        if self._link is not None:
            self._link.close()
        link = Channel(
            sock,
            WORKER,
            lambda message, descriptors: self._on_control_message(link, message, descriptors),
            lambda error: self._lose_control(link, error),
        )
        self._link = link
        begin, number = self._begin, self._live.generation.number
        link.send(messages.Hello(begin.slot, begin.incarnation, os.getpid(), number, self._config_updates.file))
        self._reporting.attach(link)
        self._local_rollback.attach(link)
        self._tail.stop()

    def _lose_control(self, link: Channel, error: Exception | None) -> None:
        if error is not None:
            self._emit(telemetry_events.LINK_LOST, "warning", error=repr(error))
        if link is self._link:
            self._link = None
            self._reporting.attach(None)
            self._local_rollback.attach(None)
            self._tail.stop()

    def _on_control_message(self, link: Channel, message: Message, descriptors: tuple[int, ...]) -> None:
        match message:
            case messages.Prepare():
                self._preparation = self._tasks.awaitable(self._config_updates.prepare(message, link), "prepare")
            case messages.Commit():
                self._config_updates.commit(message, link)
            case messages.Effects():
                self._config_updates.apply_overrides(message, link)
            case messages.JudgeLink():
                self._mirroring.connect_judge(message, descriptors)
            case messages.JudgeEnded():
                self._mirroring.judge_ended(message)
            case messages.Rest():
                self._mirroring.rest(message)
            case messages.Again():
                self._mirroring.again(message.pair)
            case messages.Drill():
                self._server.drill = drilling(self._server.drill, message, self._server.clock, link.send)
            case messages.SendDecisions():
                self._tail.follow(message.filters, link)
            case messages.Ask():
                self._reporting.send_outcomes()
                self._reporting.send_users()
                self._reporting.send_writes()
                self._reporting.send_targets()
                self._reporting.send_numbers(message.ticket)
                if message.ticket == messages.GREETED:
                    self._end_greeting()
            case _:
                pass

    def _end_greeting(self) -> None:
        """All that control had to say was said; a file that came with it is still being built."""
        if self._preparation is not None and not self._preparation.done():
            self._preparation.add_done_callback(lambda _: self._greeted.set())
        else:
            self._greeted.set()

    # ── parts ──────────────────────────────────────────────────────────────────────────────────────────

    def _compose(self) -> Server:
        self._observers.add_batch(self._counts.observe_all)
        self._observers.add_batch(self._outcomes.observe_all)
        self._observers.add_batch(ModernWrites(self._counts).observe_all)
        self._observers.add_batch(self._writes.observe_all)
        self._observers.add_batch(Untranslated(self._counts, self._emit).observe_all)
        if (lines := self._lines.observer()) is not None:
            self._observers.add_batch(lines.observe_all)
        tls, base, own = self._tls, self._base_dir, self._begin.settings.instance
        return Server(self._live, self._observers, tls_context=tls, base_dir=base, keys=self._keys, instance=own)

    def _losses(self) -> Mapping[Metric, float]:
        return {
            LOG_LINES_LOST: self._lines.lost(),
            OBSERVER_FAILURES: self._observers.failures + self._server.shadows.observe.failures,
            SPANS_LOST: self._traces.lost,
        }

    def _tls_context(self, generation: Generation) -> ssl.SSLContext | None:
        tls = generation.snapshot.listen.tls
        return server_context(tls, self._base_dir) if tls else None

    def _refresh(self, generation: Generation) -> None:
        routes = _route_names(generation)
        self._counts.keep_only((*routes, DEFAULT_ROUTE))
        self._mirroring.keep_only(routes)
        self._recent.apply_routes(routes)
        self._writes.keep_only(routes)
        tls = generation.snapshot.listen.tls
        if self._tls is not None and tls is not None:
            try:
                renew(self._tls, tls, self._base_dir)
            except (OSError, UnbindableError) as error:
                self._emit(telemetry_events.CERTIFICATE_REFUSED, "error", error=repr(error))


def _route_names(generation: Generation) -> tuple[str, ...]:
    return tuple(route.name for route in generation.snapshot.routes)
