"""A worker's connections, control's judges: real processes, real sockets, one event loop for control and worker."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from proxy.control.comparison.judge_links import JudgeLinks as Connections
from proxy.control.comparison.judge_pool import JudgePool, JudgeProcess, judge_environment
from proxy.ipc.judge_messages import Judged, Rulebook, Tallied
from proxy.ipc.messages import Hello, JudgeEnded, JudgeLink, JudgeSilent, JudgeWanted, Message, Unjudged
from proxy.judge.policies import RouteRules, Rules
from proxy.telemetry.aggregation import Worker
from proxy.worker.shadow import judge_links
from proxy.worker.shadow.judge_links import Link
from tests.support.clock import Clock
from tests.support.pairs import a_pair
from tests.support.running import alive
from tests.support.waiting import PATIENCE, until

WORKER: Worker = (0, 1)
HOOK = """
import os, signal, sys
from pathlib import Path

def first_time():
    try:
        Path(__file__).with_name("once").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True

def end_before(name):
    def on_call(_frame, event, called):
        if event == "c_call" and called.__name__ == name:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(on_call)

def judge(legacy, modern):
    word, _, rest = legacy.body.decode().partition(" ")
    if word == "die":
        os._exit(3)
    if word == "end" and first_time():
        end_before(rest)
    if word == "pause" and first_time():
        signal.pause()
    return None
"""
"""What an operator's function does by the body of legacy's response.

`die`: it ends its judge. `end NAME`: the kernel ends the judge right before it next calls a function of that name in C,
`pause`: it never returns; the first pair of these has its judge do so, the same pair with the next judge does not.
"""


class Court:
    """A worker's connections, control's judges.

    `results` counts the judges' results, `told` are the worker's messages, `ended` how many judges have ended.
    Messages wait while control `is_busy`.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "li_hook.py").write_text(HOOK)
        routes = {"profile": RouteRules({"custom": "li_hook:judge"}), "credits": RouteRules({"preset": "php"})}
        self._rules = Rulebook(Rules(routes, "2026-11-21", str(folder)).pack())
        self.clock = Clock()
        self.told: list[Message] = []
        self.results: Counter[str] = Counter()
        self.judged: list[Judged] = []
        self.processes: list[JudgeProcess] = []
        self.ended = 0
        self.is_busy = False
        self._waiting: list[Message] = []
        self.others: dict[Worker, Callable[[Message, Sequence[int]], None]] = {}
        self.worker = judge_links.JudgeLinks(self._hear, self.clock)
        self.start_control()

    def start_control(self) -> None:
        """Have judges of a control process that knows of nothing."""
        self.judges = JudgePool(self._start, 2, lambda *_, **__: None)
        self.judges.rule(self._rules)
        self.connections = Connections(self._hand)
        self.judges.link(self.connections, self._take)
        self.connections.on_message(WORKER, Hello(*WORKER, 1, 1))

    def connect(self, worker: Worker, told: Callable[[Message, Sequence[int]], None]) -> None:
        """Have another worker, which is `told` what control says."""
        self.others[worker] = told
        self.connections.on_message(worker, Hello(*worker, 1, 1))

    async def close(self) -> None:
        self.worker.close()
        self.judges.close()
        await until(lambda: not any(alive(process.pid) for process in self.processes), "the end of every judge")

    def _start(self, heard: Callable[[Message], None], gone: Callable[[bool], None]) -> JudgeProcess:
        def ended(late: bool) -> None:
            gone(late)
            self.ended += 1

        self.processes.append(JudgeProcess(judge_environment(()), heard, ended))
        return self.processes[-1]

    def _hand(self, message: Message, to: Worker, descriptors: Sequence[int]) -> bool:
        if to in self.others:
            self.others[to](message, descriptors)
        elif isinstance(message, JudgeLink):
            self.worker.connect(message.judge, *descriptors)
        elif isinstance(message, JudgeEnded):
            self.worker.judge_ended(message)
        return True

    def _hear(self, message: Message) -> bool:
        self.told.append(message)
        self._waiting.append(message)
        if not self.is_busy:
            self.catch_up()
        return True

    def catch_up(self) -> None:
        """Have control read what the worker told it, in order."""
        self.is_busy = False
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            if isinstance(message, JudgeWanted):
                self.judges.want()
            if isinstance(message, JudgeSilent):
                self.judges.end(message.judge)

    def _take(self, message: Message) -> None:
        if isinstance(message, Judged):
            self.judged.append(message)
            self.results["different"] += 1
            return
        assert isinstance(message, Tallied)
        for row in message.routes:
            for result, reason, pairs in row.results:
                self.results[reason or result] += pairs

    @property
    def unjudged(self) -> list[Unjudged]:
        return [message for message in self.told if isinstance(message, Unjudged)]

    @property
    def link(self) -> Link:
        """The worker's connection to the one judge that is there."""
        (link,) = self.worker._links
        return link

    async def hold(self, many: int) -> None:
        """Wait for so many results."""
        await until(lambda: self.results.total() >= many, f"{many} results, not {self.results}")

    async def first_judge(self) -> None:
        """Wait until a judge is there that is done with all it was sent."""
        put(self, 1)
        await self.hold(1)
        await until(lambda: not self.link.sent, "the judge's word")

    async def loss(self, many: int = 1) -> None:
        """Wait until so many judges have ended, have another one started."""
        await until(lambda: self.ended >= many, f"the end of {many} judges")
        self.want_another()

    def want_another(self) -> None:
        """Let the time come at which another judge is asked for."""
        self.clock.turn(judge_links.WANTED_EVERY)
        self.worker.sweep()

    def put_at_once(self, many: int, legacy: bytes = b"[1]", modern: bytes = b"[ 1]", route: str = "credits") -> None:
        """Have the judge sent so many pairs before the event loop looks at anything else."""
        put(self, many, legacy, modern, route)
        self.worker._pump()


def put(court: Court, many: int, legacy: bytes = b"[1]", modern: bytes = b"[ 1]", route: str = "credits") -> None:
    for number in range(many):
        court.worker.put(a_pair(legacy, modern, route=route, id=f"p{number}"))


def stand_still(until_true: Callable[[], object], what: str) -> None:
    """Wait for what a judge does while control and worker, which share this event loop, do nothing at all."""
    end = time.monotonic() + PATIENCE
    while not until_true():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.001)


def state(pid: int) -> str:
    """What the kernel says that a process does: R runs, S sleeps, Z has ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def end_at_once(pid: int) -> None:
    """Kill a process, return when it has ended; the event loop has not noticed yet."""
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
