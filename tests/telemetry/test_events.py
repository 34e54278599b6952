"""Events have one form from every process: JSON for programs, text for terminals."""

from __future__ import annotations

import logging
import os

import orjson
import pytest

from proxy.telemetry import events as telemetry_events
from proxy.telemetry.events import Events, events, render_human, render_json, timestamp
from proxy.telemetry.log_writer import LineWriter
from proxy.telemetry.structured_log import events_through_structlog


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_800_000_000.9999, "2027-01-15T08:00:00.999Z"),
        (1_800_000_000.0005, "2027-01-15T08:00:00.000Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(at: float, said: str):
    assert timestamp(at) == said


def test_an_event_is_one_json_object_with_its_name_level_and_fields():
    line = render_json("now", "warning", "reload", {"slot": 1, "settings": ("a", "b"), "error": ValueError("x")})

    assert line.endswith(b"\n")
    assert orjson.loads(line) == {
        "ts": "now",
        "level": "warning",
        "event": "reload",
        "slot": 1,
        "settings": ["a", "b"],
        "error": "x",
    }


def test_a_field_cannot_draw_on_the_terminal():
    line = render_human("now", "info", "reload", {"path": "/a\x1b[2J\nfake"})

    assert b"\x1b" not in line
    assert line.count(b"\n") == 1


def test_structlog_and_the_plain_way_write_the_same_line():
    plain, structured = told_by(events), told_by(events_through_structlog)

    assert plain == structured


def test_what_a_library_logs_is_an_event_too():
    read, write = os.pipe()
    emit = redirected(events_through_structlog, write)
    logging.getLogger("some.library").error("it %s", "broke")
    emit.close()
    os.close(write)

    (line,) = os.read(read, 65536).splitlines()
    os.close(read)
    event = orjson.loads(line)
    assert (event["event"], event["logger"], event["message"]) == (
        telemetry_events.UNEXPECTED,
        "some.library",
        "it broke",
    )


def told_by(make) -> dict:
    read, write = os.pipe()
    emit = redirected(make, write)
    emit(telemetry_events.RELOAD, "error", generation=3, settings=("a",))
    emit.close()
    os.close(write)
    event = orjson.loads(os.read(read, 65536))
    os.close(read)
    event.pop("ts")
    return event


def redirected(make, descriptor: int):
    return make("control", descriptor)


def test_a_terminal_gets_words_and_a_pipe_gets_json():
    leader, follower = os.openpty()
    writer = LineWriter(follower, lambda _: b"")
    human = Events(writer, human=os.isatty(follower), bound={"process": "worker"})

    human(telemetry_events.READY)
    human.close()

    assert b"ready" in os.read(leader, 4096)
    os.close(leader)
    os.close(follower)
