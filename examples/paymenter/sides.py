"""Starts the two real sides of the example on one seeded database, ending all their processes afterwards.

    with Database() as database, Legacy(database) as legacy, Modern(database) as modern:
        ...legacy.url, modern.url...

By hand: `python -m examples.paymenter.sides` prints the addresses and stays until Ctrl-C.
"""

from __future__ import annotations

import argparse
import configparser
import http.client
import json
import os
import signal
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from examples.paymenter.database import Database
from examples.paymenter.fpm import fpm_conf, nginx_conf
from examples.paymenter.side import Side, SideError, find_program
from examples.paymenter.tokens import token_for

__all__ = ["Database", "Legacy", "Modern", "Side", "SideError", "find_program", "token_for"]

HERE = Path(__file__).resolve().parent
LEGACY_CODE = HERE / "legacy-php"
MODERN_CODE = HERE / "modern-python"


def _extension_packages() -> str:
    """The Debian packages of the extensions that the PHP side needs on SQLite."""
    named = configparser.ConfigParser()
    named.read_string((LEGACY_CODE / "extensions.ini").read_text())
    return " ".join((*named["always"].values(), *named["sqlite"].values()))


class Legacy(Side):
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
        php = find_program("php", package=f"php-cli {_extension_packages()}")
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
        fpm = find_program("php-fpm*", package=f"php-fpm {_extension_packages()}")
        nginx = find_program("nginx", package="nginx-light")
        pool, site = self.folder / "fpm.conf", self.folder / "nginx.conf"
        pool.write_text(fpm_conf(self.folder, self._settings(), self._workers))
        site.write_text(nginx_conf(self.folder, LEGACY_CODE, self.address))
        as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        self._run([fpm, "--nodaemonize", "--fpm-config", str(pool), *as_root], {}, "fpm.log")
        self._run([nginx, "-c", str(site), "-p", str(self.folder), "-e", "stderr"], {}, "nginx.log")


class Modern(Side):
    """The Python side: one uvicorn process, because the fault switches hold for one process."""

    name = "modern"

    def start(self) -> None:
        """Start uvicorn with this interpreter."""
        if find_spec("uvicorn") is None:
            raise SideError("Python lacks uvicorn: pip install uvicorn")
        command = [sys.executable, "-m", "uvicorn", "--factory", "paymenter.main:create_app"]
        command += ["--app-dir", str(MODERN_CODE), "--host", self.host, "--port", str(self.port)]
        # The response on a long-idle connection must not race its closing: longer than any proxy keeps one.
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


def main() -> None:
    """Run both sides until Ctrl-C, on the ports of proxy.yaml unless given otherwise (0: a free one)."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--legacy-port", type=int, default=9001)
    options.add_argument("--modern-port", type=int, default=8000)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        try:
            database = stack.enter_context(Database(os.environ.get("DATABASE_URL")))
            legacy = stack.enter_context(Legacy(database, port=chosen.legacy_port))
            modern = stack.enter_context(Modern(database, port=chosen.modern_port))
        except SideError as error:
            sys.exit(str(error))
        print(f"legacy {legacy.url}\nmodern {modern.url}\ndatabase {database.url}", flush=True)
        print(f"token of user 1: {token_for(1, database.key, 'admin')}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
