"""A held route stays as it is, whatever the file says meanwhile, over a restart too."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.journeys.stage import Visits
from tests.journeys.visiting import WORKING, predicted
from tests.support.running import Running, config, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELD, RAISED, LOWERED = 20.0, 100.0, 5.0
MOVED = next(user for user in WORKING if predicted("profile", user, HELD) == "legacy")
"""Would be on modern if the file had its way."""


def _file(backends: tuple[str, str], weight: float) -> str:
    return config(*backends, weight=weight).replace("store: memory", "store: sqlite:strangler.db")


async def _stands(proxy: Running) -> tuple[str, float, float]:
    route = await proxy.json("/api/v1/routes/profile")
    return route["stage"], route["weight"]["intended"], route["weight"]["effective"]


async def _side(visit: Visits, proxy: Running) -> bytes:
    return (await visit(proxy, MOVED).get("/api/me")).body


async def _reload(proxy: Running, text: str) -> None:
    proxy.file.write_text(text)
    answer = await proxy.reload()
    assert answer.status == 200, answer.body


async def test_a_held_route_waits_for_its_resume_before_it_follows_the_file_up(
    backends: tuple[str, str], tmp_path: Path, visit: Visits
):
    raised = _file(backends, RAISED)
    async with running(tmp_path, _file(backends, HELD)) as proxy:
        answer = await proxy.admin("/api/v1/routes/profile/hold", method="POST", body={"reason": "let me look"})
        assert answer.status == 200
        await _reload(proxy, raised)
        reloaded = await _stands(proxy)
        asked = await _side(visit, proxy)
        proxy.signal(signal.SIGTERM)
        assert await proxy.exit_code() == 0

    async with running(tmp_path, raised) as proxy:
        started = await _stands(proxy)
        asked_again = await _side(visit, proxy)
        await _reload(proxy, _file(backends, LOWERED))
        lowered = await _stands(proxy)
        await _reload(proxy, raised)
        wish = {"reason": "looked"}
        assert (await proxy.admin("/api/v1/routes/profile/resume", method="POST", body=wish)).status == 200
        resumed = await _stands(proxy)
        followed = await _side(visit, proxy)

    assert (reloaded, asked) == (("held", RAISED, HELD), b"legacy")
    assert (started, asked_again) == (("held", RAISED, HELD), b"legacy")
    assert lowered == ("held", LOWERED, LOWERED)
    assert (resumed, followed) == (("modern", RAISED, RAISED), b"modern")
