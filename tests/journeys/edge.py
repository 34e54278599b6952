"""Runs a real nginx with the deployed site file in front of two addresses."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
from pathlib import Path
from typing import Self

from examples.paymenter.sides import find_program
from tests.support.running import ROOT

CONF = ROOT / "deploy" / "nginx.conf"

BELIEVING = """\
version: 1
listen: {{address: "127.0.0.1:0", trusted_proxies: [127.0.0.1/32]}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
identity: ["header:X-User-Id", "cookie:uid"]
routes:
  - name: half
    match: {{path: "/half/**"}}
    rollout: {{weight: 50, include: [evil-insider, insider], exclude: [outsider], force_header: X-Strangler-Force}}
  - name: new
    match: {{path: "/new/**"}}
    rollout: {{weight: 100, by: request}}
"""
"""A proxy that believes nginx, which connects from the one trusted address."""


class Edge:
    """deploy/nginx.conf with its three addresses replaced; `address` is where users arrive."""

    def __init__(self, folder: Path, proxy: tuple[str, int], legacy: tuple[str, int]) -> None:
        self.folder = folder
        self.address = ("127.0.0.1", free_port())
        site = CONF.read_text()
        for old, new in (
            ("listen 127.0.0.1:80;", f"listen 127.0.0.1:{self.address[1]};"),
            ("server 127.0.0.1:8080 ", f"server {proxy[0]}:{proxy[1]} "),
            ("server 127.0.0.1:9001 ", f"server {legacy[0]}:{legacy[1]} "),
        ):
            assert site.count(old) == 1, old
            site = site.replace(old, new)
        (folder / "site.conf").write_text(site)
        self._main = folder / "nginx.conf"
        self._main.write_text(self._around())
        self._process: asyncio.subprocess.Process

    def _around(self) -> str:
        parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{part}_temp_path {self.folder}/{part}; " for part in parts)
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        return (
            f"{user} daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{}}\nhttp {{ access_log {self.folder}/access.log;\n{temporary}\n"
            f"include {self.folder}/site.conf; }}\n"
        )

    async def __aenter__(self) -> Self:
        nginx = find_program("nginx", package="nginx-light")
        self._process = await asyncio.create_subprocess_exec(
            nginx, "-c", str(self._main), "-e", str(self.folder / "error.log"), start_new_session=True
        )
        for _ in range(400):
            if self._process.returncode is not None:
                break
            try:
                _, writer = await asyncio.open_connection(*self.address)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return self
        raise AssertionError(f"nginx does not listen:\n{self.log}")

    async def __aexit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text()


def free_port() -> int:
    """A port that is free now; nginx cannot be asked for any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Relay:
    """Passes bytes on to an address; counts the connections that came."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.address: tuple[str, int]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self.address = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, onward = await asyncio.open_connection(*self.target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, onward))
                group.create_task(_pump(there, writer))
        finally:
            for each in (writer, onward):
                each.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
