"""The process that verifies data, as a child of control: started, sent orders, replaced when it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from proxy.control.comparison.judge_links import Judge
from proxy.control.comparison.judge_pool import JudgeProcess, judge_environment
from proxy.ipc.child_process import Backoff
from proxy.ipc.codec import to_json
from proxy.ipc.messages import Message
from proxy.ipc.verifying import DATA, VerifyData
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.data_settings import DataOrders, DataSettings

STORE_PASSWORD, STORE_DEPLOYMENT = "STRANGLER_REDIS_PASSWORD", "STRANGLER_DEPLOYMENT"
Start = Callable[[DataSettings, Callable[[Message], None], Callable[[bool], None]], Judge]


@dataclass(slots=True)
class _Seat:
    """The process that runs; `began` is when it was started, `orders` the last that it was sent."""

    process: Judge
    began: float
    orders: DataOrders
    asked_to_end: bool = False


class DataProcess:
    """The process or its absence.

    `_orders` are those of the file, `_seat` is the running process, `_retry` a start that waits.
    """

    def __init__(self, start: Start, emit: Emit, heard: Callable[[Message], None]) -> None:
        self._start = start
        self._emit = emit
        self._heard = heard
        self._orders: DataOrders | None = None
        self._seat: _Seat | None = None
        self._backoff = Backoff()
        self._retry: asyncio.TimerHandle | None = None

    def apply_orders(self, orders: DataOrders | None) -> None:
        """Run the process with these orders; None: run none."""
        self._orders = orders
        if orders is None and self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._seat is None:
            if self._retry is None:
                self._begin()
        elif orders is None or _variables(orders.settings) != _variables(self._seat.orders.settings):
            self._seat.asked_to_end = True
            self._seat.process.end()  # another starts when this one has ended, with the passwords that it needs
        else:
            self._seat.orders = orders
            self._seat.process.send(_packed(orders))

    def _begin(self) -> None:
        self._retry = None
        if self._orders is None or self._seat is not None:
            return
        try:
            process = self._start(self._orders.settings, self._heard, self._gone)
        except OSError as error:
            self._emit(events.DATA_LOST, "error", reason=repr(error))
            self._later(0.0)
            return
        self._seat = _Seat(process, monotonic(), self._orders)
        process.send(_packed(self._orders))

    def _gone(self, _late: bool) -> None:  # noqa: FBT001 - as a judge says it
        seat, self._seat = self._seat, None
        if seat is None or self._orders is None:
            return
        if not seat.asked_to_end:
            self._emit(events.DATA_LOST, "warning", reason="the process ended")
        self._later(monotonic() - seat.began)

    def _later(self, lived: float) -> None:
        self._retry = asyncio.get_running_loop().call_later(self._backoff.after(lived), self._begin)


def _packed(orders: DataOrders) -> VerifyData:
    return VerifyData(to_json(orders))


def _variables(settings: DataSettings) -> tuple[str | None, ...]:
    return (settings.legacy.password_env, settings.modern.password_env)


def started(settings: DataSettings, heard: Callable[[Message], None], gone: Callable[[bool], None]) -> Judge:
    """Start the process, with the passwords that it needs and no other secret."""
    return JudgeProcess(environment_of(settings, os.environ), heard, gone, "data", DATA)


def environment_of(settings: DataSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the process's environment: the passwords of both databases and of the store, and its name there."""
    wanted = (*_variables(settings), STORE_PASSWORD, STORE_DEPLOYMENT)
    kept = {name: environ[name] for name in wanted if name is not None and name in environ}
    return {**judge_environment(()), **kept}
