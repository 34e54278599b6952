"""Instances of one deployment on loopback addresses of their own, behind one nginx, with one store."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from bench import strangler, templates
from bench.backends import Backends
from bench.processes import LOAD_CPU, PROXY_CPU, Running, free_port, started
from bench.store import Store
from bench.tools import program

ROUTE = "items"
CALM = "guard: {p95: 1m, worse_than_legacy: {errors: 1%, p95: 1000, p95_floor: 1m}}"
"""Slowness of a machine that runs everything at once does not roll back; errors do."""
_READY = re.compile(rb"^strangler ready: \S+ \(users\) http://127\.0\.0\.1:(\d+) \(admin\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Running instances; `port` is where nginx spreads users over them."""

    port: int
    instances: tuple[Running, ...]

    def lines(self) -> list[list[dict[str, Any]]]:
        """Return the access lines of each instance."""
        return [[line for line in _read(one.output) if line["event"] == "request"] for one in self.instances]

    def events(self) -> list[list[dict[str, Any]]]:
        """Return the events of each instance."""
        return [_read(one.errors) for one in self.instances]


@contextlib.contextmanager
def running(count: int, sides: Backends, store: Store, folder: Path) -> Iterator[Fleet]:
    """Run so many instances with weight 50 on one processor, nginx beside the load, until the block ends."""
    with ExitStack() as around:
        addresses = [(f"127.0.0.{number + 2}", free_port()) for number in range(count)]
        instances = [
            around.enter_context(_instance(host, port, sides, store, _made(folder / host))) for host, port in addresses
        ]
        edge = around.enter_context(_nginx(addresses, _made(folder / "edge")))
        yield Fleet(edge.port, tuple(instances))


def moment(line: dict[str, Any]) -> float:
    """Return the epoch seconds of a line."""
    return datetime.fromisoformat(line["ts"]).timestamp()


def _instance(
    host: str, port: int, sides: Backends, store: Store, folder: Path
) -> contextlib.AbstractContextManager[Running]:
    text = strangler.configuration(sides)
    for old, new in (
        ("address: 127.0.0.1:0, workers", f'address: "{host}:{port}", workers'),
        ('store: "sqlite:strangler.db"', f'store: "{store.url}"'),
        (f"{{name: {ROUTE}, ", f"{{name: {ROUTE}, {CALM}, "),
    ):
        if text.count(old) != 1:
            raise LookupError(f"{old} is not in the configuration")
        text = text.replace(old, new)
    config = folder / "proxy.yaml"
    config.write_text(text)
    return started(
        strangler.command(config),
        PROXY_CPU,
        folder,
        port_of=_admin,
        environ=strangler.environ(strangler.ROOT),
    )


def _nginx(addresses: Sequence[tuple[str, int]], folder: Path) -> contextlib.AbstractContextManager[Running]:
    port = free_port()
    servers = "\n        ".join(f"server {host}:{one};" for host, one in addresses)
    conf = templates.fill("fleet.nginx.conf", folder, PORT=port, SERVERS=servers)
    return started([program("nginx"), "-p", str(folder), "-c", str(conf)], LOAD_CPU, folder, port_of=lambda _: port)


def _admin(output: Path) -> int | None:
    found = _READY.search(output.read_bytes())
    return int(found[1]) if found else None


def _read(file: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines() if line.startswith(b"{")]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
