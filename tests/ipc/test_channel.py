"""A channel delivers in order, sheds reports first, hands descriptors over."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import LIFELINE, WORKER
from proxy.ipc.messages import Applied, Attach, Commit, Message, Numbers, Outcomes, Pair, Prepare
from tests.support.pairs import a_pair
from tests.support.waiting import breathe, until

pytestmark = pytest.mark.both_loops


def descriptors_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Ends:
    """Both ends of a channel in one process, what arrived at the far one."""

    def __init__(self, wire=WORKER) -> None:
        near, far = socket.socketpair()
        self.received: list[Message] = []
        self.descriptors: list[int] = []
        self.closed: list[Exception | None] = []
        self.near = Channel(near, wire, lambda *_: None, lambda _: None)
        self.far_socket = far
        self.wire = wire
        self.far: Channel | None = None

    def listen(self) -> None:
        self.far = Channel(self.far_socket, self.wire, self._take, self.closed.append)

    def _take(self, message: Message, descriptors: tuple[int, ...]) -> None:
        self.received.append(message)
        self.descriptors += descriptors

    def close(self) -> None:
        self.near.close()
        if self.far is None:
            self.far_socket.close()
        else:
            self.far.close()


async def test_messages_larger_than_any_buffer_arrive_whole_and_in_order():
    ends = Ends()
    ends.listen()
    sent = [Prepare(number, os.urandom(700_000)) for number in range(4)] + [Commit(3)]

    for message in sent:
        ends.near.send(message)
    await until(lambda: len(ends.received) == 5, "all messages")

    assert ends.received == sent
    assert ends.near.waiting == 0
    ends.close()


async def test_reports_are_shed_first_and_configuration_never():
    ends = Ends()
    report = Numbers(0, (("strangler_requests_total", ("x" * 500,), (1.0,)),))
    while ends.near.waiting <= Numbers.shed_above:  # the far end does not read
        ends.near.send(Prepare(1, bytes(1_000_000)))

    shed = ends.near.send(report)
    kept = ends.near.send(Commit(7))
    ends.listen()
    await until(lambda: Commit(7) in ends.received, "the commit")

    assert (shed, kept) == (False, True)
    assert ends.near.dropped == 1
    assert not any(isinstance(message, Numbers) for message in ends.received)
    ends.close()


async def test_a_storm_of_pairs_is_shed_long_before_outcomes_are():
    ends = Ends()
    while ends.near.send(a_pair(bytes(1_000_000))):
        pass
    stormed = ends.near.waiting

    kept = ends.near.send(Outcomes(1, ()))
    ends.listen()
    await until(lambda: Outcomes(1, ()) in ends.received, "the outcomes")

    assert kept
    assert stormed < Pair.shed_above + 3_000_000
    ends.close()


async def test_a_descriptor_arrives_with_the_message_it_was_sent_with():
    ends = Ends(LIFELINE)
    ends.listen()
    before = descriptors_open()
    files = [os.memfd_create(str(number)) for number in range(3)]
    for number, file in enumerate(files):
        os.write(file, str(number).encode())

    for number, file in enumerate(files):
        ends.near.send(Attach(number, 1), (file,))
    await until(lambda: len(ends.received) == 3, "all messages")

    assert [os.pread(descriptor, 9, 0) for descriptor in ends.descriptors] == [b"0", b"1", b"2"]
    assert not os.get_inheritable(ends.descriptors[0])
    assert descriptors_open() == before + 3  # the sender's copies went with the messages
    for descriptor in ends.descriptors:
        os.close(descriptor)
    ends.close()


async def test_the_end_of_the_other_side_is_told_once_and_sending_afterwards_says_no():
    ends = Ends()
    ends.listen()

    ends.near.close()
    await until(lambda: ends.closed, "the end")
    assert ends.far is not None
    sent = ends.far.send(Applied(1))
    ends.far.close()

    assert ends.closed == [None]
    assert sent is False


async def test_garbage_ends_the_link_with_its_reason():
    ends = Ends()
    ends.listen()

    ends.near._socket.send(b"\xff" * 64)
    await until(lambda: ends.closed, "the end")

    assert "version 255" in str(ends.closed[0])
    ends.close()


async def test_one_message_that_fails_does_not_stop_the_next():
    near, far = socket.socketpair()
    seen: list[Message] = []
    mishaps: list[dict] = []

    def take(message: Message, _: tuple[int, ...]) -> None:
        seen.append(message)
        if message == Commit(1):
            raise ValueError("mine alone")

    sender = Channel(near, WORKER, lambda *_: None, lambda _: None)
    receiver = Channel(far, WORKER, take, lambda _: None)
    receiver._loop.set_exception_handler(lambda _, context: mishaps.append(context))

    sender.send(Commit(1))
    sender.send(Commit(2))
    await until(lambda: len(seen) == 2, "both")
    await breathe()

    assert seen == [Commit(1), Commit(2)]
    assert "mine alone" in str(mishaps[0]["exception"])
    sender.close()
    receiver.close()


async def test_what_the_other_side_sent_before_its_end_is_read_however_much_it_is():
    """More than one read takes; nothing was read of it before."""
    near, far = socket.socketpair()
    received: list[Message] = []
    closed: list[Exception | None] = []
    far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    channel = Channel(near, WORKER, lambda message, _: received.append(message), closed.append)
    sent: list[Message] = [Prepare(number, os.urandom(30_000)) for number in range(12)]

    far.sendall(b"".join(WORKER.pack(message) for message in sent))
    far.close()
    channel.finish()

    assert received == sent
    assert (closed, channel.open) == ([None], False)


async def test_a_link_that_another_process_holds_open_is_finished_all_the_same():
    near, far = socket.socketpair()
    received: list[Message] = []
    channel = Channel(near, WORKER, lambda message, _: received.append(message), lambda _: None)

    far.sendall(WORKER.pack(Commit(7)))
    channel.finish()
    far.close()

    assert (received, channel.open) == ([Commit(7)], False)
