"""A collector that is slow or gone costs spans, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

import pytest

from proxy.telemetry import span_exporter as module
from proxy.telemetry.span_exporter import SpanExporter
from proxy.telemetry.spans import Span
from tests.support.exchanges import exchange

RECORDED = exchange(span="a" * 15)
PATIENCE = 10.0


class Sender:
    """Keeps what it is sent; refuses where set so."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.sent: list[Span] = []
        self.closed = Event()

    def send(self, spans: Sequence[Span]) -> bool:
        if self.takes:
            self.sent += spans
        return self.takes

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def usual_turns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.sys, "setswitchinterval", lambda _: None)


def test_what_waits_is_sent_before_the_end():
    sender = Sender()
    recorder = SpanExporter(lambda: sender, lambda _: None)
    recorder.observe_all([RECORDED, exchange(), RECORDED])

    recorder.start()
    recorder.close(PATIENCE)

    assert sender.closed.is_set()
    assert [span.kind for span in sender.sent] == ["server", "client"] * 2
    assert recorder.lost == 0


def test_what_does_not_fit_is_lost_and_counted():
    recorder = SpanExporter(Sender, lambda _: None)

    recorder.observe_all([RECORDED] * (module.WAITING_AT_MOST + 3))

    assert recorder.lost == 3


@pytest.mark.parametrize("broken", [False, True])
def test_what_nobody_takes_is_lost_counted_and_told_once(broken: bool):
    told: list[BaseException | None] = []
    sender = Sender(takes=False)
    if broken:
        sender.sent = None  # type: ignore[assignment]  # what a library may do to us
        sender.takes = True
    recorder = SpanExporter(lambda: sender, told.append)
    recorder.observe_all([RECORDED] * 2)

    recorder.start()
    recorder.close(PATIENCE)

    assert (recorder.lost, len(told)) == (2, 1)


def test_sending_takes_a_fifth_of_the_time_at_most():
    assert module.rest(0.05, more=True) == pytest.approx(0.2)
    assert module.rest(0.05, more=False) == module.EVERY


def test_a_library_that_does_not_load_is_told_of():
    told: list[BaseException | None] = []

    def missing() -> Sender:
        raise ImportError("protobuf")

    recorder = SpanExporter(missing, told.append)
    recorder.start()
    recorder.close(PATIENCE)

    assert [type(each) for each in told] == [ImportError]


def test_a_call_is_recorded_where_its_caller_does_or_by_lot():
    sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    none, every = (SpanExporter(Sender, lambda _: None, share) for share in (0.0, 1.0))

    assert (none.wants(""), every.wants("")) == (False, True)
    assert (none.wants(sampled), every.wants(sampled[:-2] + "00")) == (True, False)
