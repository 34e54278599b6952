"""The whole proxy as an operator runs it: the command, its processes, its ports, its log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
from prometheus_client.parser import text_string_to_metric_families

from tests.support import raw
from tests.support.messages import Message

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 180.0
"""Starting four Python processes on a busy machine takes seconds."""

CONFIG = """\
version: 1
listen: {{address: "{listen}", workers: {workers}, drain: {drain}}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
identity: ["cookie:uid"]
routes:
  - name: profile
    match: {{path: /api/me, methods: [GET]}}
    rollout: {{weight: {weight}}}
    modern: {{backend: modern}}
"""


def config(
    legacy: str,
    modern: str = "http://127.0.0.1:1",
    *,
    workers: int = 1,
    weight: float = 0,
    drain: str = "10s",
    listen: str = "127.0.0.1:0",
) -> str:
    """A small configuration; ports are chosen by the kernel."""
    return CONFIG.format(legacy=legacy, modern=modern, workers=workers, weight=weight, drain=drain, listen=listen)


def command(*arguments: str) -> list[str]:
    """The command line of `strangler` in this interpreter."""
    return [sys.executable, "-m", "proxy", *arguments]


class Running:
    """One `strangler run`; `events` are the JSON lines it logged, `access` those about requests.

    `program` is the command, that of this very tree unless a subclass has another.
    """

    program: Sequence[str] = (sys.executable, "-m", "proxy")

    def __init__(self, folder: Path, text: str, **environ: str) -> None:
        self.folder = folder
        self.file = folder / "proxy.yaml"
        self.file.write_text(text)
        self.events: list[dict[str, Any]] = []
        self.access: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.users = ""
        self.admin_url = ""
        self.environ = environ
        self._clients: list[raw.RawClient] = []
        self._news = asyncio.Event()
        self._readers: list[asyncio.Task[None]] = []
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        await self.start()
        try:
            await self.until_ready()
        except BaseException:
            await self.end()  # a block that was not entered is not exited
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.end()
        if kind is not None:
            print(*self.errors, *self.events, sep="\n")

    @contextlib.asynccontextmanager
    async def started(self, *more: str) -> AsyncIterator[Self]:
        """The command with `more` arguments, whether it gets ready or not."""
        await self.start(*more)
        try:
            yield self
        finally:
            await self.end()

    async def start(self, *more: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
        self.process = await asyncio.create_subprocess_exec(
            *self.program,
            "run",
            "-c",
            str(self.file),
            *more,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environ, **self.environ},
            cwd=ROOT,
            limit=1 << 20,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self.process.stdout, self._out)),
            asyncio.create_task(self._read(self.process.stderr, self._err)),
        ]

    async def again(self) -> None:
        """Start it once more after its end, as a service manager does, and wait until it is ready."""
        self.lines.clear()
        await self.start()
        await self.until_ready()

    async def until_ready(self) -> None:
        line = await self._wait(lambda: next((each for each in self.lines if "ready:" in each), None), "ready line")
        found = re.fullmatch(r"strangler ready: (\S+) \(users\) (\S+) \(admin\)", line)
        assert found, line
        self.users, self.admin_url = found.groups()
        await self._wait(lambda: self.pids("worker") or None, "first worker in the log")  # a moment after that line

    async def event(self, name: str, count: int = 1, **fields: object) -> dict[str, Any]:
        """Wait until the log has `name` with these fields so many times; return the last."""

        def seen() -> dict[str, Any] | None:
            found = [
                event
                for event in self.events
                if event["event"] == name and all(event.get(key) == value for key, value in fields.items())
            ]
            return found[count - 1] if len(found) >= count else None

        return await self._wait(seen, f"event {name} {fields}")

    # ── ending ──

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def exit_code(self, seconds: float = STARTS_WITHIN) -> int:
        """Wait for the end; everything it said is read."""
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
            await asyncio.gather(*self._readers)
        return code

    async def end(self) -> None:
        """Make sure that nothing is left, whatever the test did."""
        for client in self._clients:
            client.transport.abort()
        pids = self.pids()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        # children first: asyncio waits for the pipes they share before it believes in an end
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.gather(*self._readers)

    # ── processes ──

    def pids(self, role: str = "") -> list[int]:
        """The children that were started and have not been seen to exit."""
        gone = {event["pid"] for event in self.events if event["event"] == "child_exited"}
        return [
            event["pid"]
            for event in self.events
            if event["event"] == "child_started" and event["role"].startswith(role) and event["pid"] not in gone
        ]

    # ── asking ──

    async def client(self) -> raw.RawClient:
        """A fresh connection to the users' port."""
        address = self.users.removeprefix("http://")
        host, _, port = address.rpartition(":")
        client = await raw.connect(address.removeprefix("unix:") if address.startswith("unix:") else (host, int(port)))
        self._clients.append(client)
        return client

    async def get(self, target: str = "/", *lines: str) -> Message:
        """One answer over a connection of its own."""
        client = await self.client()
        try:
            return await client.ask(raw.get(target, *lines))
        finally:
            client.close()

    async def admin(
        self, path: str, *lines: str, method: str = "GET", body: Mapping[str, Any] | None = None
    ) -> Message:
        """One answer of the admin port."""
        host, _, port = self.admin_url.removeprefix("http://").rpartition(":")
        client = await raw.connect((host, int(port)))
        fields = [*lines, "Connection: close"]
        data = b"" if body is None else orjson.dumps(body)
        if body is not None:
            fields += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        try:
            return await client.ask(raw.get(path, *fields, host="127.0.0.1", method=method) + data)
        finally:
            client.close()

    async def json(self, path: str) -> Any:
        return orjson.loads((await self.admin(path)).body)

    async def reload(self) -> Message:
        return await self.admin("/api/v1/reload", method="POST", body={"wait": True})

    async def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample of a scrape."""
        text = (await self.admin("/metrics")).body.decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def metric(self, name: str, **labels: str) -> float:
        """One sample of a fresh scrape."""
        return (await self.metrics())[name, frozenset(labels.items())]

    # ── reading what it says ──

    async def _read(self, stream: asyncio.StreamReader, take: Any) -> None:
        async for line in stream:
            take(line.decode(errors="replace").rstrip("\n"))
            self._news.set()

    def _out(self, line: str) -> None:
        if line.startswith("{"):
            self.access.append(orjson.loads(line))
        else:
            self.lines.append(line)

    def _err(self, line: str) -> None:
        if line.startswith("{"):
            self.events.append(orjson.loads(line))
        else:
            self.errors.append(line)

    async def _wait(self, seen: Any, what: str) -> Any:
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while not (found := seen()):
                    if self.process.returncode is not None and not any(not task.done() for task in self._readers):
                        break
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.5)
                else:
                    return found
        except TimeoutError:
            pass
        raise AssertionError(f"never happened: {what}\n" + "\n".join(map(str, [*self.errors, *self.events[-20:]])))


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def run_command(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run one command to its end; exit code, standard output, standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
    process = await asyncio.create_subprocess_exec(
        *command(*arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean, **environ},
        cwd=ROOT,
    )
    async with asyncio.timeout(STARTS_WITHIN):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def running(folder: Path, text: str, **environ: str) -> AsyncIterator[Running]:
    """The proxy on a configuration, ready."""
    async with Running(folder, text, **environ) as proxy:
        yield proxy
