"""Starts, watches, ends the processes of a measurement, each on its own processor."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROXY_CPU = 0
LOAD_CPU = 1
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class DidNotStartError(Exception):
    """A process ended, or was not ready in time; the text holds the end of its output."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started program: the first process of its tree, its port, its two outputs."""

    pid: int
    port: int
    output: Path
    errors: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def tree(self) -> list[int]:
        """Return the ids of the first process with all its descendants."""
        return tree(self.pid)

    def role(self, name: str) -> list[int]:
        """Return those processes of the tree that run our internal command `name` (worker, control)."""
        return [pid for pid in self.tree() if _internal_command(pid) == name]


def tree(pid: int) -> list[int]:
    """Return `pid` with all its descendants."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{current}/task").iterdir():
                waiting.extend(map(int, (task / "children").read_text().split()))
    return found


def _internal_command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    at = words.index(b"-m") if b"-m" in words else len(words)
    return words[at + 2].decode() if words[at + 1 : at + 2] == [b"proxy"] and len(words) > at + 2 else ""


def prepare_process() -> None:
    """Keep the bench off the proxy's processor, raise its limit of connections, end blocks on SIGTERM."""
    os.sched_setaffinity(0, {LOAD_CPU})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def memory_folder() -> str | None:
    """Return a folder in memory for files written while measuring, None where the system has none."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(
    command: Sequence[str],
    cpu: int | str,
    folder: Path,
    *,
    port_of: Callable[[Path], int | None],
    environ: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run `command` on processor `cpu` in `folder` until the block ends, then end its whole process group.

    `cpu` may name several: "0,2".
    `port_of` is called with the file of its standard output until it returns the serving port.
    """
    output, errors = folder / "stdout", folder / "stderr"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            ["taskset", "-c", str(cpu), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env=dict(environ) if environ is not None else None,
            start_new_session=True,
        )
    try:
        port = _wait(process, port_of, output, errors)
        yield Running(process.pid, port, output, errors, process)
    finally:
        _stop(process)
        output.unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], port_of: Callable[[Path], int | None], output: Path, errors: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        port = port_of(output)
        if port is not None and _accepts(port):
            return port
        time.sleep(0.05)
    said = (errors.read_text(errors="replace") + output.read_text(errors="replace")).strip()[-2000:]
    ended = "was not ready in time" if process.poll() is None else f"ended with {process.returncode}"
    raise DidNotStartError(f"{ended}\n{said}")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    # the group is our own (start_new_session): what outlived the first process ends here
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
