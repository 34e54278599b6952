"""Runs `strangler` with the proxy.yaml of this repository in front of the two sides."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.paymenter.side import SideError

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_WITHIN = 20.0
_addresses = re.compile(r"(https?://\S+).*?(https?://\S+)")


@dataclass(frozen=True)
class Ports:
    """Where the four listen; 0 or None is a free one."""

    users: int = 0
    admin: int = 0
    legacy: int | None = None
    modern: int | None = None


OF_THE_FILE = Ports(users=8080, admin=9180, legacy=9001, modern=8000)


@dataclass(frozen=True)
class Proxy:
    """A running proxy: where users are served, where operators are."""

    users: str
    admin: str
    log: Path


def free(wanted: Ports) -> Ports:
    """Return these ports without those in use."""
    return Ports(
        users=wanted.users if _is_free(wanted.users) else 0,
        admin=wanted.admin if _is_free(wanted.admin) else 0,
        legacy=wanted.legacy if _is_free(wanted.legacy) else None,
        modern=wanted.modern if _is_free(wanted.modern) else None,
    )


def _is_free(port: int | None) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except OSError:
            return False
    return True


@asynccontextmanager
async def running_proxy(legacy: str, modern: str, folder: Path, ports: Ports | None = None) -> AsyncIterator[Proxy]:
    """Run the proxy between these addresses, on free ports unless given.

    A SideError with its log if it is not ready.
    """
    ports = ports or Ports()
    environment = {
        **os.environ,
        "STRANGLER_LISTEN__ADDRESS": f"{HOST}:{ports.users}",
        "STRANGLER_ADMIN__ADDRESS": f"{HOST}:{ports.admin}",
        "STRANGLER_BACKENDS__LEGACY__URL": legacy,
        "STRANGLER_BACKENDS__MODERN__URL": modern,
        "STRANGLER_STORE": f"sqlite:{folder}/strangler.db",
        "STRANGLER_ACCESS_LOG": str(folder / "access.log"),
    }
    command = [sys.executable, "-m", "proxy", "run", "-c", str(ROOT / "proxy.yaml")]
    with (folder / "proxy.telemetry").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    try:
        async with asyncio.timeout(READY_WITHIN):
            users, admin = await _ready(process)
        yield Proxy(users, admin, folder / "access.log")
    except TimeoutError:
        raise SideError(f"the proxy was not ready in time:\n{(folder / 'proxy.telemetry').read_text()}") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Read the ready line."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        found = _addresses.search(line)
        if found and "ready" in line:
            return found[1], found[2]
    raise SideError(f"the proxy ended with exit code {await process.wait()}")
