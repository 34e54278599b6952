"""For a route that modern serves wholly, what legacy still has of it is shown wherever an operator looks."""

from __future__ import annotations

from pathlib import Path

from tests.processes.asking import does, file, side
from tests.support.backend import Backend
from tests.support.running import running


async def test_status_report_and_console_say_what_of_legacy_is_still_waited_for(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, file(legacy, modern)) as proxy:
        answered = await side(proxy)
        found = (await proxy.json("/api/v1/routes/profile"))["retirement"]
        report = (await proxy.admin("/api/v1/report?format=md")).body.decode()
        page = (await proxy.admin("/routes/profile", "Accept: text/html")).body.decode()
        await does(proxy, "rollback", reason="odd")
        after = (await proxy.json("/api/v1/routes/profile"))["retirement"]

    assert answered == b"modern"
    assert (found["safe"], found["what"][0]) == (False, "GET /api/me on backend legacy")
    assert "7.0 more quiet days" in found["waits_for"]
    assert "- profile: not yet to be deleted from legacy: 7.0 more quiet days" in report
    assert "<li>7.0 more quiet days</li>" in page
    assert after is None
