"""What a crowd of slow clients does to others: `python -m bench.crowds [--rounds 5] [--write]`.

One worker on its own processor; the crowd, fifty other requests a second and the backends on the other, each in a
process of its own. A crowd is on other machines, so it leaves the processor to anything else that wants it (SCHED_IDLE;
with a niceness of 5 its bursts were half of what others waited for). Others are measured alone, then beside each crowd,
then alone again: what the two quiet rows differ by is noise. The same crowd sent to a backend directly, past the proxy,
shows what sharing the machine costs by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench import machine, results, strangler
from bench.processes import LOAD_CPU, PROXY_CPU, Running, memory_folder, prepare_process, started
from bench.tables import grid, spread

CROWD = 640
COMES_WITHIN = 0.5
SECONDS = 20.0
ARRIVED = 1.0
"""Seconds after which the crowd is there: taking up 640 requests at once is work of its own."""
PAUSE = 0.02
TURN = 0.005
TURNS = 200
"""Of a second, in each of which some of those that trickle send their byte, and those that were ended come again."""
TIMES = 2.0
TOTAL_MIB = 64
"""`listen.buffer.total`, unless configured otherwise."""
QUIET, AGAIN, UNREAD, STALLED, TRICKLING = "alone", "alone again", "6 MB unread", "80 of 100 kB", "a byte a second"
PAST = "a byte a second, past the proxy"
_UPLOAD = b"POST /upload HTTP/1.1\r\nHost: bench.test\r\nContent-Length: 100000\r\n\r\n"
REQUESTS: Mapping[str, bytes] = {
    UNREAD: b"GET /large HTTP/1.1\r\nHost: bench.test\r\n\r\n",
    STALLED: _UPLOAD + b"x" * 80_000,
    TRICKLING: _UPLOAD,
    PAST: _UPLOAD,
}
_OTHER = b"GET /api/me HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n"
_FILE = """\
version: 1
listen: {{address: 127.0.0.1:0, workers: 1, drain: 1s}}
admin: {{address: 127.0.0.1:0}}
store: memory
backends:
  legacy: {{url: "http://127.0.0.1:{legacy}"}}
  modern: {{url: "http://127.0.0.1:{modern}"}}
routes:
  - {{name: files, match: {{path: /large}}, rollout: {{weight: 50, by: request}}}}
  - {{name: uploads, match: {{path: /upload}}, rollout: {{weight: 50, by: request}}}}
  - {{name: rest, match: {{path: /**}}, rollout: {{weight: 50, by: request}}}}
"""

Seen = list[tuple[float, float]]
"""When each of the others' requests began, after the first; the milliseconds that it took."""


# ── processes of the load ────────────────────────────────────────────────────────────────────────────────


async def others(port: int, seconds: float) -> Seen:
    """Send fifty requests a second, whenever the answers come, each on a connection of its own."""
    begun, asking = time.perf_counter(), []
    while (at := time.perf_counter() - begun) < seconds:
        asking.append(asyncio.create_task(_other(port, at)))
        await asyncio.sleep(PAUSE)
    return await asyncio.gather(*asking)


async def _other(port: int, at: float) -> tuple[float, float]:
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_OTHER)
    answer = await asyncio.wait_for(reader.read(), 10)
    took = (time.perf_counter() - begun) * 1e3
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"another request was answered {answer[:80]!r}")
    return at, took


def crowd(port: int, request: bytes, seconds: float) -> None:
    """Keep 640 slow clients at it: those that trickle send a byte a second, those that were ended come again."""
    end, turn = time.perf_counter() + seconds, 0
    clients, ended = [_client(port) for _ in range(CROWD)], select.poll()
    for number, client in enumerate(clients):
        _send(client, request)
        ended.register(client, select.POLLRDHUP)
        if number % 16 == 0:
            time.sleep(COMES_WITHIN * 16 / CROWD)
    while time.perf_counter() < end:
        time.sleep(TURN)
        turn += 1
        gone = {number for number, _ in ended.poll(0)}
        for at in range(turn % TURNS, CROWD, TURNS):
            client = clients[at]
            if client.fileno() in gone:
                ended.unregister(client)
                client.close()
                clients[at] = client = _client(port)
                ended.register(client, select.POLLRDHUP)
                _send(client, request)
            elif request is _UPLOAD:
                _send(client, b"x")


def _client(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(0)
    return client


def _send(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # it was ended, or takes no more
        client.send(data)


# ── one measurement ──────────────────────────────────────────────────────────────────────────────────────


def measure(proxy: Running, past: int, name: str) -> tuple[Seen, int]:
    """Return what others saw beside the crowd `name`, or alone; the KiB that the worker held at most."""
    request = REQUESTS.get(name)
    slow = None if request is None else _child("crowd", past if name == PAST else proxy.port, name)
    watched = _child("others", proxy.port, name)
    most = 0
    while watched.poll() is None:
        most = max(most, *(_resident(pid) for pid in proxy.role("worker")))
        time.sleep(0.02)
    output, _ = watched.communicate()
    if slow is not None:
        slow.wait()
    if watched.returncode:
        raise RuntimeError(f"others failed beside {name}")
    return [(at, took) for at, took in json.loads(output)], most


def p99(seen: Seen, since: float = 0.0) -> float:
    """Return the 99th of a hundred, in milliseconds, of those that began after `since` seconds."""
    took = sorted(each for at, each in seen if at >= since)
    return took[int(len(took) * 0.99)]


def _child(what: str, port: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.crowds", f"--{what}", str(port), "--kind", name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=strangler.ROOT)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() // 1024


@contextlib.contextmanager
def _backends(folder: Path) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-m", "tests.support.large_answers"]
    with contextlib.ExitStack() as running:
        ports = []
        for name in ("legacy", "modern"):
            (folder / name).mkdir()
            ports.append(
                running.enter_context(
                    started(
                        command,
                        LOAD_CPU,
                        folder / name,
                        port_of=lambda output: int(output.read_text().strip() or 0) or None,
                        environ={**os.environ, "PYTHONPATH": str(strangler.ROOT)},
                    )
                ).port
            )
        yield ports[0], ports[1]


def rounds(count: int, folder: Path) -> dict[str, list[tuple[Seen, int]]]:
    """Measure everything `count` times, each time with a worker that has just begun."""
    found: dict[str, list[tuple[Seen, int]]] = {name: [] for name in (QUIET, UNREAD, STALLED, TRICKLING, PAST, AGAIN)}
    for number in range(count):
        place = folder / str(number)
        place.mkdir()
        with _backends(place) as (legacy, modern):
            (place / "proxy.yaml").write_text(_FILE.format(legacy=legacy, modern=modern))
            with started(
                strangler.command(place / "proxy.yaml"),
                PROXY_CPU,
                place,
                port_of=strangler.port_of,
                environ=strangler.environ(strangler.ROOT),
            ) as proxy:
                measure(proxy, legacy, QUIET)
                for name, each in found.items():
                    each.append(measure(proxy, legacy, name))
                    time.sleep(1)  # until the last of them is gone
        print("  ".join(f"{name} {p99(each[-1][0], ARRIVED):.1f}" for name, each in found.items()), file=sys.stderr)
    return found


def report(found: Mapping[str, Sequence[tuple[Seen, int]]]) -> str:
    """Return the section of the results."""
    quiet = [_quiet(found, at) for at in range(len(found[QUIET]))]
    resting = [most for _, most in found[QUIET]]
    rows = []
    for name, each in found.items():
        there = [p99(seen, ARRIVED) for seen, _ in each]
        rows.append(
            [
                name,
                spread([p99(seen) for seen, _ in each], 1),
                spread(there, 1),
                spread([one / beside for one, beside in zip(there, quiet, strict=True)], 2),
                f"{median((most - rest) / 1024 for (_, most), rest in zip(each, resting, strict=True)):.0f}",
            ]
        )
    text = grid(["others' p99, ms", "with its arrival", "once it is there", "times alone", "MiB more"], rows)
    return (
        f"{CROWD} clients that come within {COMES_WITHIN:g} s, and again when they were ended, beside 50 requests a "
        f"second, each on a connection of its own; {SECONDS:g} s each, {len(quiet)} rounds; median (least-most). "
        f"Wanted: within {TIMES:g} times what others take alone, within {TOTAL_MIB} MiB. Every one of the others was "
        f"answered 200.\n\n{text}"
    )


def _quiet(found: Mapping[str, Sequence[tuple[Seen, int]]], at: int) -> float:
    return (p99(found[QUIET][at][0], ARRIVED) + p99(found[AGAIN][at][0], ARRIVED)) / 2


def main(arguments: Sequence[str]) -> int:
    """Measure and print, or be one of the processes of the load."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowds", description="Slow clients beside others.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the section into bench/RESULTS.md")
    parser.add_argument("--others", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--crowd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    if wanted.others:
        print(json.dumps(asyncio.run(others(wanted.others, SECONDS))))
        return 0
    if wanted.crowd:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        crowd(wanted.crowd, REQUESTS[wanted.kind], SECONDS)
        return 0
    prepare_process()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        text = report(rounds(wanted.rounds, Path(folder)))
    print(text)
    if wanted.write:
        made = machine.about(arguments)
        results.write("crowds", f"### Crowds of slow clients\n\n{made}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
