"""Starts the processes of one side, waits until it is healthy, ends them all again."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from examples.paymenter.database import Database

_START_LIMIT = 20.0  # seconds until a side must answer /health
_END_LIMIT = 3.0  # seconds that a side has for an orderly end
_TRIES = 3  # a free port may be taken by another process before the side has bound it
_PORTS = range(20_000, 32_000)


class SideError(RuntimeError):
    """A side that cannot run, with what would help."""


def find_program(name: str, *, package: str) -> str:
    """The path of this program, of the newest that `name` matches; a SideError that names the Debian package if none.

    A pattern is for programs with their version in the name: `php-fpm*` is php-fpm8.2 or php-fpm8.4.
    """
    # The directories of system programs are missing from an ordinary user's PATH.
    folders = (*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/local/sbin", "/usr/sbin", "/sbin")
    for folder in folders:
        found = sorted(path for path in Path(folder).glob(name) if os.access(path, os.X_OK) and path.is_file())
        if found and folder:
            return str(found[-1])
    raise SideError(f"{name.rstrip('*')} is not installed; on Debian: apt-get install {package}")


class Side:
    """One side: its processes, its address, its folder for logs. Starting and ending it change these."""

    name = "side"

    def __init__(self, database: Database, *, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.database = database
        self.host = host
        self._wanted_port = port
        self.port = port or 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self._folder = ExitStack()
        self.folder = Path()

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Start every process of this side on `self.port`."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start, and come back when `/health` answers; a SideError with the log if it never does."""
        self.folder = Path(self._folder.enter_context(tempfile.TemporaryDirectory(prefix="paymenter-")))
        try:
            self._start_somewhere()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process group, then remove the folder."""
        self.stop()

    def stop(self) -> None:
        """End every process of this side; harmless when it has ended already."""
        self._end_processes()
        self._folder.close()

    def kill(self) -> None:
        """End this side as a crash would: at once, without a word; `revive` brings it back."""
        for process in self._processes:
            _signal_group(process, signal.SIGKILL)
        self._end_processes()

    def revive(self) -> None:
        """Start again on the same port after `kill`."""
        self.start()
        self._wait_until_healthy()

    def log(self) -> str:
        """What the processes of this side wrote."""
        texts = (path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))
        return "".join(texts)

    def _start_somewhere(self) -> None:
        for left in reversed(range(_TRIES)):
            self.port = _free_port(self.host, self._wanted_port or 0)
            self.start()
            try:
                self._wait_until_healthy()
            except SideError:
                self._end_processes()
                if self._wanted_port or not left or "in use" not in self.log():
                    raise
            else:
                return

    def _run(self, command: Sequence[str], environment: Mapping[str, str], log: str) -> None:
        with (self.folder / log).open("ab") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.database.environment, **environment},
                # A group of its own: PHP's server leaves its workers behind when the parent alone is killed.
                start_new_session=True,
            )
        self._processes.append(process)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                raise SideError(f"{self.name} ended while starting:\n{self.log()}")
            if self._is_healthy():
                return
            time.sleep(0.03)
        raise SideError(f"{self.name}: no answer from {self.url}/health in {_START_LIMIT:.0f} s:\n{self.log()}")

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        # A side that lacks something prints a sentence about it; waiting does not help.
        if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE and (sentence := _sentence(body)):
            raise SideError(sentence)
        return answer.status == http.HTTPStatus.OK

    def _end_processes(self) -> None:
        for process in self._processes:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _END_LIMIT
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            # Also after an orderly end: a worker that outlived its parent is still in the group.
            _signal_group(process, signal.SIGKILL)
            process.wait()
        if self._processes:
            _wait_until_closed(self.host, self.port)
        self._processes.clear()


def _sentence(body: bytes) -> str:
    """The `message` of a JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("message", "")) if isinstance(found, dict) else ""


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _free_port(host: str, wanted: int) -> int:
    """The wanted port, or a free one for 0. Checked beforehand: another server on it might answer /health.

    Free ones lie below those that the system hands out, so that a side that was killed finds its port again.
    """
    for port in (wanted,) if wanted else random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if wanted:
                    text = f"port {wanted} of {host} is in use or not allowed: {error.strerror}"
                    raise SideError(text) from error
            else:
                return port
    raise SideError(f"no free port on {host}")


def _wait_until_closed(host: str, port: int) -> None:
    """Workers whose parent is gone cannot be waited for; the last of them closes the port."""
    deadline = time.monotonic() + _END_LIMIT
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) != 0:
                return
        time.sleep(0.01)
