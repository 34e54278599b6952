"""A judge is a process: whatever a pair does to it, the next pair is judged."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.control.comparison.judge_pool import JudgePool, JudgeProcess, NotJudgedError, judge_environment
from proxy.ipc.judge_messages import Case, Opinion, Rulebook
from proxy.ipc.messages import Pair
from proxy.judge import main as module
from proxy.judge.policies import RouteRules, Rules
from tests.support.pairs import a_pair
from tests.support.running import alive
from tests.support.waiting import until

HOOK = """
import time, os, sys
def judge(legacy, modern):
    if legacy.body == b"hang":
        time.sleep(100)
    if legacy.body == b"spin":
        while True:
            pass
    if legacy.body == b"die":
        os._exit(3)
    if legacy.body == b"print":
        print("from a hook")
    if legacy.body == b"secrets":
        names = [name for name in os.environ if name.startswith("STRANGLER_") or name in ("APP_KEY", "MY_TOKEN")]
        assert not names, names
    if legacy.body == b"confined":
        import resource
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        told = (
            status["NoNewPrivs"].strip(), open("/proc/self/oom_score_adj").read().strip(),
            resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_CORE)[1],
            resource.getrlimit(resource.RLIMIT_NOFILE)[1], len(os.listdir("/proc/self/fd")) < 12,
        )
        assert told == ("1", "1000", 384 << 20, 0, 512, True), told
    if legacy.body == b"memory":
        bytearray(8 << 30)
    return None
"""


class Court:
    def __init__(self, folder: Path) -> None:
        (folder / "ju_hook.py").write_text(HOOK)
        self.pids: list[int] = []
        self.told: list[object] = []
        self.judges = JudgePool(self._start, 1, lambda *_, **fields: self.told.append(fields))
        routes = {
            "profile": RouteRules({"custom": "ju_hook:judge"}),
            "credits": RouteRules({}),
            "pages": RouteRules({"preset": "php"}),
        }
        self.judges.rule(Rulebook(Rules(routes, "2026-11-21", str(folder)).pack()))

    def _start(self, heard: Callable, gone: Callable) -> JudgeProcess:
        made = JudgeProcess(judge_environment(("MY_TOKEN",)), heard, gone)
        self.pids.append(made.pid)
        return made

    async def judged(self, pair: Pair) -> Opinion:
        answer = await asyncio.wait_for(self.judges.put(Case(self.judges.ticket(), pair), 10), 60)
        assert isinstance(answer, Opinion)
        return answer

    async def reason(self, body: bytes) -> str:
        with pytest.raises(NotJudgedError) as refused:
            await self.judged(a_pair(body))
        return refused.value.reason


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    made = Court(tmp_path)
    yield made
    made.judges.close()
    await until(lambda: not any(alive(pid) for pid in made.pids), "the end of every judge")


async def test_pairs_are_judged_in_another_process_by_the_rules_of_their_route(court: Court):
    different = await court.judged(a_pair(b'{"a":1}', b'{"a":2}'))
    equal = await court.judged(a_pair(b'{"a":1}', b'{ "a": 1 }', route="credits"))

    assert (different.verdict, equal.verdict) == ("different", "equal")
    assert len(court.pids) == 1
    assert court.pids[0] != os.getpid()


@pytest.mark.parametrize(("body", "reason"), [(b"spin", "time"), (b"die", "crash")])
async def test_a_hook_that_never_ends_or_ends_everything_costs_its_own_pair_only(
    court: Court, body: bytes, reason: str
):
    said = await court.reason(body)
    after = await court.judged(a_pair(route="credits"))

    assert said == reason
    assert after.verdict == "equal"
    assert len(court.pids) == 2


async def test_one_that_sleeps_is_ended_by_the_clock(court: Court, monkeypatch: pytest.MonkeyPatch):
    await court.judged(a_pair(route="credits"))
    monkeypatch.setattr("proxy.control.comparison.judge_pool.WITHIN", 0.2)

    assert await court.reason(b"hang") == "time"
    assert (await court.judged(a_pair(route="credits"))).verdict == "equal"


async def test_a_hook_sees_no_secret_of_ours_nor_writes_among_the_access_lines(
    court: Court, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    for name in ("STRANGLER_ADMIN_TOKEN", "APP_KEY", "MY_TOKEN"):
        monkeypatch.setenv(name, "secret")

    saw = await court.judged(a_pair(b"secrets", b"secrets"))
    await court.judged(a_pair(b"print", b"print"))
    out, _ = capfd.readouterr()

    assert saw.verdict == "equal"
    assert "from a hook" not in out


async def test_a_judge_has_given_up_what_it_does_not_need(court: Court):
    opinion = await court.judged(a_pair(b"confined", b"confined"))

    assert (opinion.verdict, opinion.notes) == ("equal", ())


@pytest.mark.parametrize("media", ["application/json", "text/html", "application/xml"])
async def test_bodies_of_a_mebibyte_fit_bombs_cost_their_own_pair(court: Court, media: str):
    piece = {"application/json": b'{"a":[1,"b",null]},', "text/html": b"<p>a<b>b</b>", "application/xml": b"<p>a</p>"}
    unit = piece[media]
    whole = {"application/json": b"[%s0]", "text/html": b"<body>%s", "application/xml": b"<r>%s</r>"}[media]
    body = whole % (unit * ((1 << 20) // len(unit) - 4))
    bomb = gzip.compress(whole % (unit * ((15 << 20) // len(unit))), 1)
    fields = (("Content-Type", media),)
    pair = a_pair(body, body + b" ", route="pages")
    large = replace(pair, legacy=replace(pair.legacy, headers=fields), modern=replace(pair.modern, headers=fields))
    packed = (*fields, ("Content-Encoding", "gzip"))
    bombs = replace(
        pair,
        legacy=replace(pair.legacy, headers=packed, body=bomb),
        modern=replace(pair.modern, headers=fields, body=body),
    )

    fits = await court.judged(large)
    try:
        bombed = (await court.judged(bombs)).verdict
    except NotJudgedError as error:
        bombed = error.reason
    after = await court.judged(a_pair(route="credits"))

    assert (fits.verdict, fits.reason) == ("equal", "")
    assert bombed in ("not_compared", "different", "crash", "time")
    assert after.verdict == "equal"


async def test_memory_is_bounded(court: Court):
    opinion = await court.judged(a_pair(b"memory", b"memory"))

    assert (opinion.verdict, opinion.reason) == ("not_compared", "error")


def test_a_judge_ends_itself_long_before_nobody_is_there_to_end_it():
    assert module.PROCESSOR_SECONDS < module.ALARM_SECONDS <= 30
