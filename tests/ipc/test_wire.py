"""Frames survive every split; a malformed frame ends the connection."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ipc.codec import LARGEST, LIFELINE, VERSION, WORKER, CodecError, Inbox, Wire, WireError
from proxy.ipc.messages import Answer, Applied, Ask, Commit, Drain, Pair, Prepare
from tests.support.pairs import a_pair

MESSAGES = st.lists(
    st.builds(Commit, st.integers(0, 99))
    | st.builds(Ask, st.integers(0, 99))
    | st.builds(Prepare, st.integers(0, 99), st.binary(max_size=300))
)


@given(MESSAGES, st.integers(1, 40))
def test_messages_arrive_whole_and_in_order_however_the_bytes_are_cut(messages: list, size: int):
    data = b"".join(map(WORKER.pack, messages))
    inbox = Inbox(WORKER)
    received = []

    for at in range(0, len(data), size):
        inbox.feed(data[at : at + size])
        while (message := inbox.next_message()) is not None:
            received.append(message)

    assert received == messages


def test_a_payload_travels_as_it_is_without_being_escaped():
    payload = bytes(range(256)) * 4

    frame = WORKER.pack(Prepare(1, payload))

    assert payload in frame


def test_the_bodies_of_a_pair_travel_as_they_are_each_to_its_place():
    pair = a_pair(bytes(range(256)), b"modern's", Answer(200, (("A", "\xe9"),), b"once more"))

    frame = WORKER.pack(pair)
    inbox = Inbox(WORKER)
    inbox.feed(frame)

    assert bytes(range(256)) + b"modern'sonce more" in frame
    assert inbox.next_message() == pair


@pytest.mark.parametrize("secondary", [None, Answer()])
def test_an_answer_that_is_absent_is_not_one_that_is_empty(secondary: Answer | None):
    inbox = Inbox(WORKER)
    inbox.feed(WORKER.pack(a_pair(secondary=secondary)))

    received = inbox.next_message()

    assert isinstance(received, Pair)
    assert received.secondary == secondary


def test_a_message_goes_only_over_the_link_it_belongs_to():
    with pytest.raises(WireError, match="Drain does not belong"):
        WORKER.pack(Drain(1.0))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (struct.pack("!B3xII", VERSION + 1, 2, 0) + b"[]", "version 2 on the link"),
        (struct.pack("!B3xII", VERSION, LARGEST, 1), "too large"),
        (LIFELINE.pack(Drain(1.0)), "unexpected message Drain"),
        (struct.pack("!B3xII", VERSION, 3, 0) + b"{{{", "not a message"),
        (struct.pack("!B3xII", VERSION, 15, 1) + b'["Ask",{},[-1]]' + b"x", "not what the message says"),
        (Wire(Applied).pack(Applied(1)).replace(b'"generation"', b'"generatiom"'), "Applied has no generatiom"),
    ],
)
def test_what_is_no_message_of_this_link_is_an_error(data: bytes, why: str):
    inbox = Inbox(WORKER)
    inbox.feed(data)

    with pytest.raises(CodecError, match=why):
        inbox.next_message()
