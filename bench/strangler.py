"""The proxy itself as a row: started as in production, then checked to have done all of its work."""

from __future__ import annotations

import os
import re
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bench.backends import PREFIX, Backends
from bench.processes import Running


class NotWholeError(Exception):
    """The proxy was fast because it left something out, which the text names."""


ROOT = Path(__file__).resolve().parents[1]
ROUTES = 50
_READY = re.compile(
    rb"^strangler ready: http://127\.0\.0\.1:(\d+) \(users\) http://127\.0\.0\.1:(\d+) \(admin\)", re.MULTILINE
)
_COUNTED = re.compile(
    r'^strangler_requests_total\{(?=[^}]*role="live")[^}]*side="(\w+)"[^}]*\} (\d+(?:\.\d+)?)', re.MULTILINE
)
METRICS_SECONDS = 5.0
LINES_SECONDS = 2.0
"""The lines wait for a tenth of a second before they are written."""


def command(config: Path) -> list[str]:
    """Return the command line that operators use, without the launcher that pip writes."""
    return [sys.executable, "-m", "proxy", "run", "-c", str(config)]


def environ(source: Path) -> dict[str, str]:
    """Return an environment in which `source` is the proxy's code, whatever the working directory."""
    return {**os.environ, "PYTHONPATH": str(source), "PYTHONSAFEPATH": "1"}


def configuration(backends: Backends) -> str:
    """Return the file: one worker, everything else at its default, 49 routes before the one that matches."""
    templates = [
        (f"other-{number}", f"/api/v1/things{number}/{{id}}" + "/parts/{part}" * (number % 2))
        for number in range(ROUTES - 1)
    ]
    routes = "\n".join(
        f'  - {{name: {name}, match: {{path: "{path}"}}, rollout: {{weight: 50, by: user}}}}'
        for name, path in [*templates, ("items", f"{PREFIX}{{size}}/{{id}}")]
    )
    return f"""\
version: 1
listen: {{address: 127.0.0.1:0, workers: 1, trusted_proxies: [127.0.0.1/32], drain: 1s}}
admin: {{address: 127.0.0.1:0}}
store: "sqlite:strangler.db"
backends:
  legacy: {{url: "http://127.0.0.1:{backends.legacy}"}}
  modern: {{url: "http://127.0.0.1:{backends.modern}"}}
identity: ["cookie:uid"]
routes:
{routes}
"""


def port_of(output: Path) -> int | None:
    """Return the users' port once the ready line is there."""
    found = _READY.search(_beginning(output))
    return int(found[1]) if found else None


def admin_of(output: Path) -> int:
    """Return the admin port; raises LookupError before the ready line is there."""
    found = _READY.search(_beginning(output))
    if found is None:
        raise LookupError("the ready line is not there")
    return int(found[2])


def demand_whole_work(running: Running, answered: int) -> None:
    """Raise NotWholeError unless `answered` requests are in the metrics, in the access lines, on both sides."""
    sides = _counted(running, answered)
    counted = sum(sides.values())
    if counted < answered:
        raise NotWholeError(f"metrics count {counted} of {answered} requests")
    if min(sides.get("legacy", 0), sides.get("modern", 0)) < counted / 4:
        raise NotWholeError(f"the split is lopsided: {dict(sides)}")
    end = time.monotonic() + LINES_SECONDS
    while (lines := _lines(running.output)) < answered and time.monotonic() < end:
        time.sleep(0.1)
    if lines < answered:
        raise NotWholeError(f"{lines} access lines for {answered} requests")


def demand_build(running: Running, source: Path, *, compiled: bool) -> None:
    """Raise NotWholeError unless the worker runs the code of `source`, compiled or not as the row says."""
    maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in running.role("worker"))
    modules = set(re.findall(rf"{re.escape(str(source))}/(?:proxy|rules)/\S+\.so", maps))
    if bool(modules) != compiled:
        raise NotWholeError(f"{len(modules)} compiled modules from {source}")


def _beginning(output: Path) -> bytes:
    with output.open("rb") as file:
        return file.read(1 << 16)


def _counted(running: Running, answered: int) -> Mapping[str, int]:
    port = admin_of(running.output)
    end = time.monotonic() + METRICS_SECONDS
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        sides: dict[str, int] = {}
        for side, value in _COUNTED.findall(text):
            sides[side] = sides.get(side, 0) + int(float(value))
        if sum(sides.values()) >= answered or time.monotonic() > end:
            return sides
        time.sleep(0.2)


def _lines(output: Path) -> int:
    with output.open("rb") as file:
        return sum(piece.count(b'"event":"request"') for piece in file)
