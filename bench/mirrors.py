"""The rows of the mirroring bench: all forward to legacy, some mirror to modern as well."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import strangler, templates, usage
from bench.backends import Backends
from bench.processes import PROXY_CPU, Running, free_port, started
from bench.rows import COMPILED
from bench.tools import program

SHADOW = "shadow: {sample: 100%, secondary: 0%}, compare: {preset: php}, "
SETTLE_SECONDS = 8.0
_LINE = re.compile(r"^strangler_(requests|comparisons)_total\{([^}]*)\} (\d+(?:\.\d+)?)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Start = Callable[[Backends, Path], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Row:
    """One proxy; `sides`: the responses of both sides, one of `SIDES`; `ours`: it reports what it has compared."""

    name: str
    start: Start
    sides: str = ""
    ours: bool = False


def respelled(body: bytes) -> bytes:
    """Return the same JSON in other bytes: no spaces, members in another order, numbers with a point."""
    document = json.loads(body)
    items = document["items"]
    document["items"] = [{**dict(reversed(item.items())), "quantity": float(item["quantity"])} for item in items]
    return json.dumps(document, separators=(",", ":")).encode()


def priced(body: bytes) -> bytes:
    """Return the document with a price and a flag in each of its rows, as Python writes them."""
    document = json.loads(body)
    document["rest"] = "x" * 300  # no shorter than requested, without spaces either
    for item in document["items"]:
        item |= {"quantity": item["quantity"] + 0.5, "colour": item["quantity"] % 2 == 0}
    return json.dumps(document).encode()


def as_php(body: bytes) -> bytes:
    """Return the same as PHP writes it: numbers as texts, 0 and 1 for booleans, no spaces."""
    document = json.loads(priced(body))
    for item in document["items"]:
        item |= {"quantity": f"{item['quantity']:.2f}", "colour": int(item["colour"])}
    return json.dumps(document, separators=(",", ":")).encode()


def dated(body: bytes) -> bytes:
    """Return the document with a time as Python writes it, which only a judge can compare with PHP's."""
    return json.dumps({**json.loads(body), "more": "x" * 100, "at": "2026-11-21T03:05:28Z"}).encode()


def dated_by_php(body: bytes) -> bytes:
    """Return the same as PHP writes it."""
    return json.dumps(
        {**json.loads(body), "more": "x" * 100, "at": "2026-11-21 03:05:28"}, separators=(",", ":")
    ).encode()


SIDES: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "spelled otherwise": {"spelled": respelled},
    "spelled otherwise, no pair twice": {"spelled": respelled, "own": True},
    "PHP at work": {"spelled": priced, "meant": as_php},
    "PHP at work, 5% different": {"spelled": priced, "meant": as_php, "odd": "5%"},
    "times, for judges": {"spelled": dated, "meant": dated_by_php},
}
"""The responses of both sides, by the end of a row's name."""


def rows() -> list[Row]:
    """Return every row; ours with a shadow is listed twice: the difference of the two is noise."""
    here = partial(ours, strangler.ROOT)
    found = [
        Row("nginx", partial(_nginx, "")),
        Row("nginx mirror", partial(_nginx, "mirror /mirror;")),
        Row("Envoy", partial(_envoy, "")),
        Row("Envoy mirror", partial(_envoy, "request_mirror_policies: [{cluster: modern}]")),
        Row("strangler", partial(here, ""), ours=True),
        Row("strangler shadow", partial(here, SHADOW), ours=True),
        Row("strangler shadow again", partial(here, SHADOW), ours=True),
        Row("strangler shadow, spelled otherwise", partial(here, SHADOW), "spelled otherwise", ours=True),
    ]
    if folder := os.environ.get(COMPILED):
        built = partial(ours, Path(folder).resolve())
        found.append(Row("strangler compiled", partial(built, ""), ours=True))
        found.append(Row("strangler compiled shadow", partial(built, SHADOW), ours=True))
        found.append(Row("strangler compiled shadow again", partial(built, SHADOW), ours=True))
        name, shadowed = "strangler compiled shadow", partial(built, SHADOW)
        found += [Row(f"{name}, {sides}", shadowed, sides, ours=True) for sides in SIDES if sides]
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of requests: `live`, `shadow`, results with reasons; seconds that asking cost, by process."""

    results: Counter[str]
    asking: Mapping[int, float]


NOTHING = Counted(Counter(), {})


def counted(running: Running, answered: int) -> Counted:
    """Return what became of `answered` requests once all are settled."""
    port = strangler.admin_of(running.output)
    end = time.monotonic() + SETTLE_SECONDS
    asking: Counter[int] = Counter()
    while True:
        before = usage.cpu_nanoseconds(running.tree())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            found = _read(answer.read().decode())
        for (pid, thread), spent in usage.cpu_nanoseconds(running.tree()).items():
            asking[pid] += spent - before.get((pid, thread), spent)
        settled = sum(count for name, count in found.items() if name not in ("live", "shadow"))
        if (found["live"] >= answered and settled in (0, found["live"])) or time.monotonic() > end:
            return Counted(found, {pid: spent / 1e9 for pid, spent in asking.items()})
        time.sleep(0.2)


def _read(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for metric, written, value in _LINE.findall(text):
        labels = dict(_LABEL.findall(written))
        key = labels["role"] if metric == "requests" else f"{labels['result']} {labels['reason']}".strip()
        found[key] += int(float(value))
    return found


def _nginx(mirror: str, backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port, conf = _filled("nginx-mirror.conf", mirror, backends, folder)
    return _pinned([program("nginx"), "-p", str(folder), "-c", str(conf)], port, folder)


def _envoy(mirror: str, backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    port, conf = _filled("envoy-mirror.yaml", mirror, backends, folder)
    one_core = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return _pinned([program("envoy"), *one_core, "-c", str(conf)], port, folder)


def ours(source: Path, shadow: str, backends: Backends, folder: Path) -> AbstractContextManager[Running]:
    config = folder / "proxy.yaml"
    text = strangler.configuration(backends).replace("rollout: {weight: 50,", f"{shadow}rollout: {{weight: 0,")
    config.write_text(text)
    return started(
        strangler.command(config),
        PROXY_CPU,
        folder,
        port_of=strangler.port_of,
        environ=strangler.environ(source),
    )


def _filled(name: str, mirror: str, backends: Backends, folder: Path) -> tuple[int, Path]:
    port = free_port()
    where = {"PORT": port, "LEGACY": backends.legacy, "MODERN": backends.modern}
    return port, templates.fill(name, folder, MIRROR=mirror, **where)


def _pinned(words: list[str], port: int, folder: Path) -> AbstractContextManager[Running]:
    return started(words, PROXY_CPU, folder, port_of=lambda _: port)
