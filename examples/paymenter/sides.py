"""Starts the two real sides of the example on one seeded database, ending all their processes afterwards.

    with Database() as database, Legacy(database) as legacy, Modern(database) as modern:
        ...legacy.url, modern.url...

By hand: `python -m examples.paymenter.sides` prints the addresses and stays until Ctrl-C.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import hashlib
import hmac
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from examples.paymenter.seed import seed

HERE = Path(__file__).resolve().parent
LEGACY_CODE = HERE / "legacy-php"
MODERN_CODE = HERE / "modern-python"

_START_LIMIT = 20.0  # seconds until a side must answer /health
_END_LIMIT = 3.0  # seconds that a side has for an orderly end
_TRIES = 3  # a free port may be taken by somebody else before the side has bound it


class SideError(RuntimeError):
    """A side that cannot run, with what would help."""


def token_for(user_id: int, key: str, role: str = "client", life: int = 3600) -> str:
    """A bearer token that both sides take for this user, signed with `key` and good for `life` seconds."""
    now = int(time.time())
    head = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": str(user_id), "role": role, "iat": now, "exp": now + life}
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
    return (signed + b"." + _base64url(hmac.digest(key.encode(), signed, hashlib.sha256))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def find_program(*names: str, package: str) -> str:
    """The path of the first of these programs; a SideError that names the Debian package if there is none."""
    # The directories of system programs are missing from an ordinary user's PATH.
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise SideError(f"{names[0]} is not installed; on Debian: apt-get install {package}")


class Database:
    """A seeded database: a temporary SQLite file, or the empty one that `url` names.

    `key` is the JWT key of this run; both sides take it from here. Nothing changes after `__enter__`.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self._given = url
        self._folder = ExitStack()
        self.key = key or os.environ.get("PAYMENTER_JWT_KEY") or secrets.token_hex(32)
        self.url = ""

    def __enter__(self) -> Self:
        """Make it and fill it."""
        if self._given:
            self.url = self._given
        else:
            folder = self._folder.enter_context(tempfile.TemporaryDirectory(prefix="paymenter-"))
            self.url = f"sqlite:///{folder}/billing.db"
        seed(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the temporary file; a database of somebody else stays as it is."""
        self._folder.close()

    @property
    def environment(self) -> dict[str, str]:
        """What both sides must be told."""
        return {"DATABASE_URL": self.url, "PAYMENTER_JWT_KEY": self.key}


class _Side:
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
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

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


class Legacy(_Side):
    """The PHP side: its own server with several workers, or php-fpm behind nginx (`mode="fpm"`)."""

    name = "legacy"

    def __init__(
        self,
        database: Database,
        *,
        port: int | None = None,
        host: str = "127.0.0.1",
        mode: Literal["builtin", "fpm"] = "builtin",
        workers: int = 4,
    ) -> None:
        super().__init__(database, port=port, host=host)
        self._mode = mode
        self._workers = workers

    def start(self) -> None:
        """Start PHP in the chosen way."""
        (self.folder / "sessions").mkdir(mode=0o700, exist_ok=True)
        if self._mode == "fpm":
            self._start_fpm()
        else:
            self._start_builtin()

    def _settings(self) -> dict[str, str]:
        return {
            "session.save_path": str(self.folder / "sessions"),
            "display_errors": "0",
            "log_errors": "1",
            "error_log": str(self.folder / "php-errors.log"),
            "date.timezone": "UTC",
        }

    def _start_builtin(self) -> None:
        php = find_program("php", "php8.2", package="php-cli php-sqlite3 php-mbstring")
        flags = [flag for name, value in self._settings().items() for flag in ("-d", f"{name}={value}")]
        flags += ["-d", "opcache.enable=1", "-d", "opcache.enable_cli=1"]
        # -q: without it each connection is two lines in the log.
        command = [
            php,
            "-q",
            *flags,
            "-S",
            self.address,
            "-t",
            str(LEGACY_CODE),
            str(LEGACY_CODE / "index.php"),
        ]
        self._run(command, {"PHP_CLI_SERVER_WORKERS": str(self._workers)}, "php.log")

    def _start_fpm(self) -> None:
        fpm = find_program("php-fpm8.2", "php-fpm", package="php-fpm php-sqlite3 php-mbstring")
        nginx = find_program("nginx", package="nginx-light")
        pool, site = self.folder / "fpm.conf", self.folder / "nginx.conf"
        pool.write_text(_fpm_conf(self.folder, self._settings(), self._workers))
        site.write_text(_nginx_conf(self.folder, self.address))
        as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        self._run([fpm, "--nodaemonize", "--fpm-config", str(pool), *as_root], {}, "fpm.log")
        self._run([nginx, "-c", str(site), "-p", str(self.folder), "-e", "stderr"], {}, "nginx.log")


class Modern(_Side):
    """The Python side: one uvicorn process, because the fault switches hold for one process."""

    name = "modern"

    def start(self) -> None:
        """Start uvicorn with this interpreter."""
        command = [sys.executable, "-m", "uvicorn", "--factory", "paymenter.app:create_app"]
        command += ["--app-dir", str(MODERN_CODE), "--host", self.host, "--port", str(self.port)]
        # The answer to a long-idle connection must not race its closing: longer than any proxy keeps one.
        command += ["--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "120"]
        self._run(command, {}, "uvicorn.log")

    def faults(self, **switches: object) -> None:
        """Set the faults named here (see README.md); without any, all are off."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            body = json.dumps(switches)
            connection.request("PUT", "/_example/faults", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise SideError(f"the modern side refused the faults {body}: {answer.read().decode()}")
        finally:
            connection.close()


def _fpm_conf(folder: Path, settings: Mapping[str, str], workers: int) -> str:
    values = "\n".join(f"php_admin_value[{name}] = {value}" for name, value in settings.items())
    # user is required of root, and passed over with a notice for everybody else.
    user = f"user = {getpass.getuser()}" if os.geteuid() == 0 else ""
    return f"""[global]
error_log = {folder}/php-fpm.log
daemonize = no
[legacy]
{user}
listen = {folder}/fpm.sock
pm = static
pm.max_children = {workers}
clear_env = no
catch_workers_output = yes
{values}
"""


def _nginx_conf(folder: Path, address: str) -> str:
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"    {part}_temp_path {folder}/{part};" for part in parts)
    return f"""{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
{temporary}
    keepalive_timeout 120s;
    keepalive_requests 100000;
    client_max_body_size 64m;
    large_client_header_buffers 8 32k;
    server {{
        listen {address};
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {LEGACY_CODE}/index.php;
            fastcgi_param SCRIPT_NAME /index.php;
            # Debian's file leaves the port out of HTTP_HOST; the application prints addresses with it.
            fastcgi_param HTTP_HOST $http_host;
            fastcgi_pass unix:{folder}/fpm.sock;
        }}
    }}
}}
"""


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _free_port(host: str, wanted: int) -> int:
    """The wanted port, or any for 0. Asked beforehand: whoever has it might well answer /health."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise SideError(f"port {wanted} of {host} is in use or not allowed: {error.strerror}") from error
        return int(probe.getsockname()[1])


def _wait_until_closed(host: str, port: int) -> None:
    """Workers whose parent is gone cannot be waited for; the last of them closes the port."""
    deadline = time.monotonic() + _END_LIMIT
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) != 0:
                return
        time.sleep(0.01)


def main() -> None:
    """Run both sides until Ctrl-C, on the ports of proxy.yaml unless told otherwise (0: a free one)."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--legacy-port", type=int, default=9001)
    options.add_argument("--modern-port", type=int, default=8000)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        database = stack.enter_context(Database(os.environ.get("DATABASE_URL")))
        legacy = stack.enter_context(Legacy(database, port=chosen.legacy_port))
        modern = stack.enter_context(Modern(database, port=chosen.modern_port))
        print(f"legacy {legacy.url}\nmodern {modern.url}\ndatabase {database.url}", flush=True)
        print(f"token of user 1: {token_for(1, database.key, 'admin')}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
