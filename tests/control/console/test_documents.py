"""Pages are drawn from documents that are fetched once a second, however many viewers there are."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from proxy.control.console.data import Documents
from proxy.control.errors import RefusedError
from proxy.control.history import History
from proxy.control.reload import Current, current
from proxy.state.live import Configuration
from rules.model import GuardPolicy
from tests.support import snapshots
from tests.support.clock import Clock

ROUTE = snapshots.route("/a", name="profile", guard=GuardPolicy(error_rate=0.05, p95=0.0), line=7)
SNAPSHOT = snapshots.snapshot({"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}, routes=(ROUTE,))
STATUS: dict[str, Any] = {"config": {"digest": "d", "error": None}, "instances": [], "routes": []}


class Source:
    """A control whose store of differences does not answer; `asked` counts."""

    history = History(0.0)

    def __init__(self) -> None:
        self.asked = 0

    def current(self) -> Current:
        return current(Configuration(1, SNAPSHOT, ()))

    async def status(self) -> dict[str, Any]:
        self.asked += 1
        return STATUS

    async def report(self) -> dict[str, Any]:
        return {}

    async def latest_events(self, route: str, limit: int) -> list[dict[str, Any]]:
        return [{"route": route}] * limit

    async def differences(
        self, route: str, since: str, after: str, limit: int, *, transient: bool = False
    ) -> dict[str, Any]:
        del route, since, after, limit, transient
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the disk is full")

    async def difference(self, group: str) -> None:
        del group


async def test_the_status_is_asked_for_once_a_second_and_after_every_change():
    source, clock = Source(), Clock()
    documents = Documents(source, clock)

    for _ in range(10):
        await documents.status()
    clock.turn(1.5)
    await documents.status()
    documents.forget()
    await documents.status()

    assert source.asked == 3


async def test_a_store_that_does_not_answer_leaves_the_rest_of_a_page_alone():
    assert await Documents(Source()).groups_if_any("profile") == ()


def test_charts_get_the_limits_that_there_are_and_pages_the_place_in_the_file():
    documents = Documents(Source())

    assert documents.limits("profile") == {"error_rate": 0.05, "mismatch_rate": GuardPolicy().mismatch_rate}
    assert documents.limits("_default") == {}
    assert documents.place("profile").endswith(", line 7")
    assert documents.place("_default") == ""


async def test_the_lines_of_the_file_are_shown_as_long_as_the_file_is_what_runs(tmp_path: Path):
    file = tmp_path / "proxy.yaml"
    file.write_text(
        "version: 1\nroutes:\n  - name: profile\n    match: {path: /a}\n\n    guard: none\n\n"
        "  # another\n  - name: other\n    match: {path: /b}\nlimits: {}\n"
    )
    named = [replace(ROUTE, line=3), snapshots.route("/b", name="other", line=9)]
    snapshot = replace(SNAPSHOT, source=str(file), routes=tuple(named))
    source = Source()
    source.current = lambda: current(  # type: ignore[method-assign]
        Configuration(1, snapshot, (), content=sha256(file.read_bytes()).hexdigest())
    )
    runs = source.current()
    documents = Documents(source)

    assert list(await documents.lines("profile")) == [
        (3, "  - name: profile"), (4, "    match: {path: /a}"), (5, ""), (6, "    guard: none"),
    ]  # fmt: skip
    assert [number for number, _ in await documents.lines("other")] == [9, 10]
    assert await documents.lines("_default") == ()
    file.write_text("another: file\n")
    source.current = lambda: runs  # type: ignore[method-assign]
    assert await documents.lines("profile") == []
    file.unlink()
    assert await documents.lines("profile") == []
