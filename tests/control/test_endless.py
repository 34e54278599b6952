"""A permanent task goes on after a fault; one that keeps failing ends control, which is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from proxy.control.endless import EndlessTasks
from tests.support.clock import Clock
from tests.support.waiting import until


class Stand:
    """Tasks whose pauses turn the clock; a task of `script` fails after so many seconds each, then goes on for ever."""

    def __init__(self, *script: float) -> None:
        self.clock = Clock()
        self.script = list(script)
        self.told: list[dict] = []
        self.given_up: list[str] = []
        self.rounds = 0
        self.tasks = EndlessTasks(self._emit, self.given_up.append, clock=self.clock, pause=self._pause)

    def _emit(self, event: str, _level: str = "info", /, **fields: object) -> None:
        self.told.append({"event": event, **fields})

    async def _pause(self, seconds: float) -> None:
        self.clock.turn(seconds)
        await asyncio.sleep(0)

    async def work(self) -> None:
        self.rounds += 1
        if not self.script:
            await asyncio.Event().wait()
        self.clock.turn(self.script.pop(0))
        raise OSError(24, "Too many open files")


async def run(*script: float) -> Stand:
    stand = Stand(*script)
    stand.tasks.start(stand.work, "watch")
    await until(lambda: stand.given_up or not stand.script, "the script")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stand.tasks.close()
    return stand


async def test_a_fault_is_logged_and_counted_and_the_task_goes_on():
    stand = await run(0, 0, 0)

    assert stand.rounds == 4
    assert stand.given_up == []
    assert stand.tasks.series() == {("strangler_task_failures_total", ("watch",)): (3.0,)}
    assert [told["event"] for told in stand.told] == ["task_failed"] * 3
    assert "Too many open files" in stand.told[0]["error"]


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ([0.0] * 100, True),
        ([5.0] * 100, True),
        ([0.0] * 50, False),
        ([11.0] * 100, False),
        ([0.0] * 55 + [30.0] * 2, False),
    ],
)
async def test_one_that_fails_for_a_minute_without_a_sound_while_ends_control(script: Sequence[float], ends: bool):
    stand = await run(*script)

    assert stand.given_up == (["watch"] if ends else [])


async def test_one_that_may_end_ends():
    stand = Stand()

    async def done() -> None:
        return

    stand.tasks.start(done, "alone")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stand.tasks.close()

    assert stand.told == []
