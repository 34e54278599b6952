"""The place from which the audit log is read can be given in three ways."""

from __future__ import annotations

import orjson
import pytest

from proxy.control.api.events import event_id, spelled
from proxy.control.errors import RefusedError
from proxy.storage.store import Event

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", -1),
        ("17", 17),
        ("1h", 1_799_996_400_000_000),
        ("90s", 1_799_999_910_000_000),
        ("2d", 1_799_827_200_000_000),
        ("1.5h", 1_799_994_600_000_000),
        ("500ms", 1_799_999_999_500_000),
        ("999999d", 0),
        ("2027-01-15T08:00:00Z", 1_800_000_000_000_000),
        ("2027-01-15T09:00:00+01:00", 1_800_000_000_000_000),
        ("2027-01-15T09:00:00 01:00", 1_800_000_000_000_000),
    ],
)
def test_an_id_a_duration_back_or_a_time_name_an_event(text: str, number: int):
    assert event_id(text, NOW) == number


@pytest.mark.parametrize("text", ["yesterday", "-5", "1w", "2027-01-15T08:00:00"])
def test_anything_else_is_refused_with_what_would_do(text: str):
    with pytest.raises(RefusedError, match="since must") as refused:
        event_id(text, NOW)

    assert refused.value.status == 422


def test_an_event_of_a_stream_is_one_block_whatever_a_person_wrote():
    event = Event(7, NOW, "hold", "a", "ann", "two\nlines\n\nevent: rollback", "")

    data = spelled(event)

    assert data.startswith(b"id: 7\nevent: hold\ndata: {")
    assert data.count(b"\n") == 4
    assert orjson.loads(data.split(b"data: ")[1])["reason"] == event.reason
