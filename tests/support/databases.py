"""MariaDB and PostgreSQL of Debian, started for the tests on free ports, gone when they are over."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_UP_WITHIN = 60.0
_MARIADB = "/usr/sbin/mariadbd"
_INSTALL_MARIADB = "/usr/bin/mariadb-install-db"


class Program:
    """A server's process, which can be ended in order and started again on the same port."""

    def __init__(self, command: list[str], port: int, ending: signal.Signals, ready: list[str]) -> None:
        self._command, self._port, self._ending, self._ready = command, port, ending, ready
        self.process = self._begun()

    def start(self) -> None:
        self.process = self._begun()

    def end(self, signal_: signal.Signals) -> None:
        """End it at once: what it holds is needed by no test any more, and putting it in order takes seconds."""
        self.process.send_signal(signal_)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.send_signal(self._ending)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _begun(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        _eventually_listens(self._port, process)
        _eventually_is_ready(self._ready)
        return process


@dataclass(frozen=True)
class Server:
    """A running database server. `url` leads to the database `name` as its owner, without a password."""

    scheme: str
    port: int
    user: str
    program: Program

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.program.process

    def url(self, name: str, user: str = "") -> str:
        return f"{self.scheme}://{user or self.user}@127.0.0.1:{self.port}/{name}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def mariadb() -> Iterator[Server]:
    """Run MariaDB with small buffers and no durability: its data lives as long as the tests."""
    with _folder("mysql") as (folder, as_user):
        data = folder / "data"
        install = [_INSTALL_MARIADB, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        subprocess.run([*as_user, *install, "--skip-test-db"], check=True, capture_output=True, timeout=_UP_WITHIN)
        port = free_port()
        command = [
            _MARIADB, "--no-defaults", f"--datadir={data}", f"--socket={folder}/s", f"--pid-file={folder}/pid",
            "--bind-address=127.0.0.1", f"--port={port}", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=128M", "--character-set-server=utf8mb4", "--skip-name-resolve",
            "--sql-mode=", "--innodb-doublewrite=0",
        ]  # fmt: skip
        with _running([*as_user, *command], port, signal.SIGTERM) as program:
            _eventually_accepts(f"{folder}/s")
            grant = "CREATE USER 'test'@'%'; GRANT ALL ON *.* TO 'test'@'%' WITH GRANT OPTION;"
            subprocess.run(
                ["/usr/bin/mariadb", "--no-defaults", "-u", "root", f"--socket={folder}/s", "-e", grant],
                check=True, timeout=_UP_WITHIN,
            )  # fmt: skip
            yield Server("mysql", port, "test", program)


@contextmanager
def postgresql() -> Iterator[Server]:
    """Run PostgreSQL that trusts its own machine and forgets at the end."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    with _folder("postgres") as (folder, as_user):
        data = folder / "data"
        init = [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        init.append("--no-sync")
        subprocess.run([*as_user, *init], check=True, capture_output=True, timeout=_UP_WITHIN)
        port = free_port()
        settings = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "127.0.0.1", "port": port,
                    "unix_socket_directories": folder, "synchronous_commit": "off"}  # fmt: skip
        # it accepts connections before it takes queries
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        command = [programs / "postgres", "-D", data]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _running([*as_user, *map(str, command)], port, signal.SIGINT, ready) as program:
            yield Server("postgresql", port, "test", program)


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder of its own for a server's files, and what starts a program as its owner: neither runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="strangler-db-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        as_user = ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]
    try:
        yield folder, as_user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: list[str], port: int, ending: signal.Signals, ready: Sequence[str] = ("true",)
) -> Iterator[Program]:
    program = Program([str(part) for part in command], port, ending, list(ready))
    try:
        yield program
    finally:
        if program.process.poll() is None:
            # PostgreSQL's own processes end with it, whichever way; in this one it gives back its shared memory
            program.end(signal.SIGQUIT if ending == signal.SIGINT else signal.SIGKILL)


def _eventually_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _UP_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the database ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no database at port {port} after {_UP_WITHIN:g} s")


def _eventually_is_ready(command: list[str]) -> None:
    until = time.monotonic() + _UP_WITHIN
    while subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
        if time.monotonic() > until:
            raise AssertionError(f"the database takes no queries after {_UP_WITHIN:g} s")
        time.sleep(0.05)


def _eventually_accepts(path: str) -> None:
    until = time.monotonic() + _UP_WITHIN
    while not Path(path).exists() and time.monotonic() < until:
        time.sleep(0.05)
