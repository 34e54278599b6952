"""A worker that takes another's place serves nobody by what was true when it was started.

The worker is the real process; the test holds the other ends of its two links. Between its start and its first
user a rollback is set: whoever set it has been told that it is in effect.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import LIFELINE, WORKER
from proxy.ipc.messages import (
    GREETED,
    Accepting,
    Ask,
    Attach,
    Begin,
    Commit,
    Drain,
    Effects,
    Hello,
    Listen,
    Message,
    Prepare,
)
from proxy.state.live import RunTime, unpack
from proxy.supervisor.launch import Launched, launch, start_loading
from proxy.supervisor.main import load
from proxy.worker import main as module
from rules.model import Override
from tests.support.backend import Backend, always, ok
from tests.support.raw import get
from tests.support.waiting import PATIENCE, breathe, until

FILE = """\
version: 1
listen: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
routes:
  - name: profile
    match: {{path: /}}
    rollout: {{weight: 100, by: request}}
    modern: {{backend: modern}}
"""
OVERRIDES = (Override("profile", rolled_back=True, revision=1),)
ROLLED_BACK = Effects(7, RunTime(7, OVERRIDES).pack())


class Started:
    """A worker process, between a supervisor and a control process that say what the test has them say."""

    def __init__(self, child: Launched, listener: socket.socket) -> None:
        self.child, self.listener = child, listener
        self.lifeline, self.told = self._end(child.lifeline)
        self.heard: list[Message] = []
        self.control: Channel | None = None

    def _end(self, sock: socket.socket) -> tuple[Channel, list[Message]]:
        told: list[Message] = []
        return Channel(sock, LIFELINE, lambda message, _: told.append(message), lambda _: None), told

    def begin(self, begin: Begin) -> None:
        self.lifeline.send(Listen(), (os.dup(self.listener.fileno()),))
        self.lifeline.send(begin)
        self.payload = begin.payload

    def attach(self, incarnation: int) -> None:
        ours, theirs = socket.socketpair()
        self.control = Channel(ours, WORKER, lambda message, _: self.heard.append(message), lambda _: None)
        self.lifeline.send(Attach(0, incarnation), (theirs.detach(),))

    def says(self, *messages: Message) -> None:
        assert self.control is not None
        for message in messages:
            self.control.send(message)

    def accepting(self) -> list[int]:
        return [message.generation for message in self.told if isinstance(message, Accepting)]

    async def side(self) -> bytes:
        """Who answers a user."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*self.listener.getsockname())
            writer.write(get("/"))
            await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(6)
            writer.close()
        return answer

    async def end(self) -> None:
        self.lifeline.send(Drain(0.0))
        await until(lambda: self.child.process.poll() is not None)
        self.lifeline.close()
        if self.control is not None:
            self.control.close()
        self.listener.close()

    def newer_file(self) -> tuple[Message, ...]:
        """Another file, under which the rollback already holds."""
        newer = replace(unpack(self.payload), number=7, overrides=OVERRIDES)
        return Prepare(7, newer.pack()), Commit(7)


@asynccontextmanager
async def worker(folder: Path, incarnation: int = 2) -> AsyncIterator[Started]:
    legacy, modern = Backend(always(ok(b"legacy"))), Backend(always(ok(b"modern")))
    for backend in (legacy, modern):
        await backend.start()
    file = folder / "proxy.yaml"
    file.write_text(FILE.format(legacy=legacy.url, modern=modern.url))
    loaded = await asyncio.to_thread(lambda: load(start_loading(str(file), "1")))
    assert not isinstance(loaded, int)
    started = Started(launch("worker"), socket.create_server(("127.0.0.1", 0)))
    started.begin(Begin(0, incarnation, loaded.settings, ("", ""), loaded.payload))
    try:
        yield started
    finally:
        await started.end()
        for backend in (legacy, modern):
            await backend.stop()


async def test_it_accepts_only_when_control_has_said_what_was_set_since(tmp_path: Path):
    async with worker(tmp_path) as started:
        started.attach(2)
        user = asyncio.create_task(started.side())
        await until(lambda: any(isinstance(message, Hello) for message in started.heard))
        await breathe()
        before = (started.accepting(), user.done())
        started.says(ROLLED_BACK, Ask(GREETED))

        assert await user == b"legacy"
        assert before == ([], False)
        assert started.accepting() == [7]


@pytest.mark.parametrize("file", [False, True], ids=["override", "file"])
async def test_what_was_said_before_its_first_turn_is_heard_as_well(tmp_path: Path, file: bool):
    async with worker(tmp_path) as started:
        started.attach(2)
        started.says(*(started.newer_file() if file else (ROLLED_BACK,)), Ask(GREETED))

        assert await started.side() == b"legacy"
        assert started.accepting() == [7]


@pytest.mark.parametrize("attached", [False, True], ids=["no-control", "control-stands-still"])
async def test_without_a_word_of_control_it_serves_by_what_it_has(tmp_path: Path, attached: bool):
    async with worker(tmp_path) as started:
        if attached:
            started.attach(2)

        assert await started.side() == b"modern"
        assert started.accepting() == [1]


async def test_one_that_is_sent_away_meanwhile_does_not_wait(tmp_path: Path):
    async with worker(tmp_path) as started:
        started.attach(2)
        await until(lambda: started.heard)
        started.lifeline.send(Drain(0.0))
        await until(lambda: started.child.process.poll() is not None)

    assert started.child.process.returncode == 0


def test_the_wait_for_control_is_shorter_than_users_would_notice():
    assert 0 < module.GREETED_WITHIN <= 0.5
