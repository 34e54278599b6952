"""What is measured: one row for each proxy, with how it is started."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import strangler, templates
from bench.backends import Backends
from bench.processes import PROXY_CPU, Running, free_port, started
from bench.tools import program

COMPILED = "STRANGLER_COMPILED"
"""Variable with the folder of a compiled build; it is put first on PYTHONPATH."""
OURS = "strangler"
AGAIN = "strangler again"
BUILT = "strangler compiled"
NAIVE = Path(__file__).parent / "peers" / "aiohttp_naive.py"

Start = Callable[[Backends, Path], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Row:
    """One proxy under test.

    `sticky`: a user keeps to one side. `source`: the folder of the code where it is ours, `compiled` whether
    the hot modules there must be compiled, must not be, or (None) may be either.
    """

    name: str
    start: Start
    sticky: bool = True
    source: Path | None = None
    compiled: bool | None = None


def all_rows(trees: Mapping[str, Path], commands: Mapping[str, str]) -> list[Row]:
    """Return every row in the order of measuring; `trees` are further builds of ours, `commands` further peers.

    The proxy is listed twice: the difference of the two is noise.
    """
    ours = [_ours(OURS, strangler.ROOT, compiled=False), _ours(AGAIN, strangler.ROOT, compiled=False)]
    if folder := os.environ.get(COMPILED):
        ours.append(_ours(BUILT, Path(folder).resolve(), compiled=True))
    ours += [_ours(name, source, compiled=None) for name, source in trees.items()]
    return [
        Row("nginx", _nginx),
        Row("HAProxy", _haproxy),
        Row("Envoy", _envoy, sticky=False),
        Row("aiohttp", partial(_command, f"{sys.executable} {NAIVE} {{port}} {{a}} {{b}}"), sticky=False),
        *(Row(name, partial(_command, command), sticky=False) for name, command in commands.items()),
        *ours,
    ]


def _ours(name: str, source: Path, *, compiled: bool | None) -> Row:
    return Row(name, partial(_strangler, source), source=source, compiled=compiled)


def _nginx(backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port, conf = _filled("nginx.conf", backends, folder)
    return _pinned([program("nginx"), "-p", str(folder), "-c", str(conf)], port, folder)


def _haproxy(backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port, conf = _filled("haproxy.cfg", backends, folder)
    return _pinned([program("haproxy"), "-db", "-f", str(conf)], port, folder)


def _envoy(backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port, conf = _filled("envoy.yaml", backends, folder)
    one_core = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return _pinned([program("envoy"), *one_core, "-c", str(conf)], port, folder)


def _command(command: str, backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port = free_port()
    words = shlex.split(command.format(port=port, a=backends.legacy, b=backends.modern))
    return _pinned(words, port, folder)


def _strangler(source: Path, backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    config = folder / "proxy.yaml"
    config.write_text(strangler.configuration(backends))
    return started(
        strangler.command(config),
        PROXY_CPU,
        folder,
        port_of=strangler.port_of,
        environ=strangler.environ(source),
    )


def _filled(name: str, backends: Backends, folder: Path) -> tuple[int, Path]:
    port = free_port()
    return port, templates.fill(name, folder, PORT=port, LEGACY=backends.legacy, MODERN=backends.modern)


def _pinned(words: list[str], port: int, folder: Path) -> AbstractContextManager[Running]:
    return started(words, PROXY_CPU, folder, port_of=lambda _: port)
