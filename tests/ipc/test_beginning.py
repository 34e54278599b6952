"""A child learns what to run, and on which socket, over its lifeline."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.child_process import Lifeline
from proxy.ipc.codec import LIFELINE
from proxy.ipc.messages import Begin, Listen
from proxy.settings import Settings


def begin(folder: Path) -> Begin:
    settings = Settings(str(folder / "proxy.yaml"), "a", "b", "memory", 1, 1, 1.0, tls=False, legacy_only=False)
    return Begin(0, 1, settings, ("a", "b"), b"payload", b"effects")


def lifeline() -> tuple[Channel, Lifeline]:
    ours, theirs = socket.socketpair()
    return Channel(ours, LIFELINE, lambda *_: None, lambda _: None), Lifeline(theirs.detach())


@pytest.mark.parametrize("by_an_earlier_version", [False, True])
async def test_the_socket_comes_over_it_or_on_the_command_line(tmp_path: Path, by_an_earlier_version: bool):
    supervisor, child = lifeline()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        passed = os.dup(listener.fileno())
        os.set_inheritable(passed, True)
        if not by_an_earlier_version:
            supervisor.send(Listen(), (passed,))
        supervisor.send(begin(tmp_path))

        beginning = await child.beginning([str(passed)] if by_an_earlier_version else [])

        assert beginning is not None
        message, mine = beginning
        with mine:
            assert message == begin(tmp_path)
            assert mine.getsockname() == listener.getsockname()
            assert not mine.get_inheritable()
    child.channel.close()
    supervisor.close()


@pytest.mark.parametrize("sent", [0, 1], ids=["nothing", "the-socket-alone"])
async def test_a_supervisor_that_goes_away_before_leaves_nothing_to_run(sent: int):
    supervisor, child = lifeline()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(sent):
            supervisor.send(Listen(), (os.dup(listener.fileno()),))
        supervisor.close()

        assert await child.beginning([]) is None
    child.channel.close()
