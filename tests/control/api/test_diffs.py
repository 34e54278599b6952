"""Differences can be listed, declared known, judged again."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from proxy.control.admin_server import AdminPort
from proxy.control.api.access import Access
from proxy.control.comparison.policies import Noise
from proxy.control.comparison.queries import Differences
from proxy.control.reload import Current, current
from proxy.ipc.judge_messages import Checked, Explained, Found
from proxy.judge.redaction import pack
from proxy.settings import Address
from proxy.state.live import Configuration
from proxy.storage.diff_store import TRANSIENT, Difference, DiffsThread
from proxy.storage.diff_store_memory import MemoryDiffs
from rules.model import Admin
from tests.support import raw, snapshots
from tests.support.comparison_rig import ComparisonRig
from tests.support.messages import Message
from tests.support.pairs import a_pair
from tests.support.waiting import until

ROUTES = (snapshots.route("/api/me", name="profile"), snapshots.route("/api/x", name="credits"))
SNAPSHOT = snapshots.snapshot({"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}, routes=ROUTES)


def difference(number: int, group: str = "g1", route: str = "profile", path: str = "/total") -> Difference:
    found = Found(group, path, path, "value", '"10.50"', "10.51", "numeric_string")
    pair = pack(a_pair(b'{"total":"10.50"}', b'{"total":10.51}', id=f"p{number}"))
    return Difference(f"p{number}", time.time() - 100 + number, route, "GET /api/me", (found,), ("a note",), pair)


class Control:
    """What the paths of differences ask: the real parts, a judge in the test's hands."""

    def __init__(self) -> None:
        self.now: Current = current(Configuration(1, SNAPSHOT))
        self.hall = ComparisonRig()
        self.store = DiffsThread(MemoryDiffs, lambda _: None)
        noise = Noise(lambda: "2026-11-21", lambda *_, **__: None)
        self.differences = Differences(self.store, self.hall.judging, self.hall.known, noise)

    def current(self) -> Current:
        return self.now


class Port:
    def __init__(self) -> None:
        self.control = Control()
        access = Access(Admin(), Address("127.0.0.1", 0), {})
        self.admin = AdminPort(self.control, access, lambda *_, **__: None)  # type: ignore[arg-type]
        self.listener = socket.create_server(("127.0.0.1", 0))

    async def ask(self, path: str, wish: dict[str, Any] | None = None) -> Message:
        client = await raw.connect(self.listener.getsockname())
        data = b"" if wish is None else orjson.dumps(wish)
        fields = ["Connection: close"]
        if wish is not None:
            fields += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        method = "GET" if wish is None else "POST"
        answer = await client.ask(raw.get(f"/api/v1/{path}", *fields, host="127.0.0.1", method=method) + data)
        client.close()
        return answer

    async def json(self, path: str, wish: dict[str, Any] | None = None) -> Any:
        answer = await self.ask(path, wish)
        assert answer.status == 200, answer.body
        return orjson.loads(answer.body)

    async def judge(self) -> Any:
        """The judge, once it has a case or an exhibit that it has not answered."""
        seats = self.control.hall.seats
        await until(lambda: seats and len(seats[-1].told) > 0, "something to judge")
        return seats[-1]


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()
    port.control.store.close()
    port.control.hall.judges.close()


async def test_groups_are_listed_in_the_contracts_shape_page_by_page(port: Port):
    for number in range(3):
        port.control.store.add_difference(difference(number, f"g{number}"))

    first = await port.json("diffs?limit=2")
    rest = await port.json(f"diffs?limit=2&after={first['next']}")

    assert [item["id"] for item in (*first["items"], *rest["items"])] == ["g2", "g1", "g0"]
    assert rest["next"] is None
    item = first["items"][0]
    assert item.keys() == {
        "id", "route", "path", "kind", "count", "here", "first_seen", "last_seen", "known", "rejudged", "transient",
        "examples",
    }  # fmt: skip
    assert item["examples"][0].keys() == {
        "pair", "at", "request", "path", "kind", "legacy", "modern", "rule", "notes",
    }  # fmt: skip


async def test_what_was_equal_when_asked_again_is_listed_apart(port: Port):
    port.control.store.add_difference(difference(0, "g0"))
    port.control.store.add_difference(difference(1, f"{TRANSIENT}g0"))

    usual, apart = await port.json("diffs"), await port.json("diffs?transient=1")

    assert [(item["id"], item["transient"]) for item in usual["items"]] == [("g0", False)]
    assert [(item["id"], item["transient"]) for item in apart["items"]] == [(f"{TRANSIENT}g0", True)]


async def test_groups_of_one_route_since_a_moment(port: Port):
    port.control.store.add_difference(difference(0, "old"))
    port.control.store.add_difference(difference(90, "new"))
    port.control.store.add_difference(difference(95, "other", "credits"))

    lately = await port.json("diffs?route=profile&since=50s")
    ever = await port.json("diffs?route=profile&since=2020-01-01T00:00:00Z")

    assert [item["id"] for item in lately["items"]] == ["new"]
    assert [item["id"] for item in ever["items"]] == ["new", "old"]


async def test_one_group_shows_both_answers_and_an_explanation(port: Port):
    port.control.store.add_difference(difference(1))
    asked = port.control.hall

    async def explain() -> None:
        judge = await port.judge()
        judge.heard(Explained(judge.told[-1].ticket, b'"the total is a cent off"'))

    asking, _ = await asyncio.gather(port.json("diffs/g1"), explain())

    (example,) = asking["examples"]
    assert example["answers"]["legacy"]["status"] == 200
    assert example["answers"]["legacy"]["body"] == '{"total":"10.50"}'
    assert example["answers"]["modern"]["body"] == '{"total":10.51}'
    assert example["explanation"] == "the total is a cent off"
    assert "http://127.0.0.1:2/api/me" in example["again"]["curl"]
    assert len(asked.seats) == 1


async def test_a_difference_is_known_with_who_said_so_and_can_be_taken_back(port: Port):
    port.control.store.add_difference(replace(difference(1), pair=b""))
    wish = {"reason": "ETA is live", "owner": "ops", "until": "2027-01-31", "max_rate": "5%"}

    said = await port.json("diffs/g1/ignore", wish)
    forgives = port.control.hall.known.forgives("profile", "g1")
    taken_back = await port.json("diffs/g1/unignore", {"reason": "it is not"})

    assert {**said["known"], "at": ""} == {
        "reason": "ETA is live", "owner": "ops", "until": "2027-01-31", "max_rate": 0.05, "who": "api", "at": "",
    }  # fmt: skip
    assert forgives
    assert taken_back["known"] is None
    assert not port.control.hall.known.forgives("profile", "g1")


async def test_stored_pairs_are_judged_again_and_the_outcome_stays_with_the_group(port: Port):
    port.control.store.add_difference(difference(1, "mended"))
    port.control.store.add_difference(difference(2, "not", path="/name"))
    broken = Found("b", "@invariant:sum", "@invariant:sum", "value", "1", "2")
    port.control.store.add_difference(
        Difference("p3", time.time(), "profile", "GET /", (broken,), (), pack(a_pair(id="p3")))
    )

    async def judge() -> None:
        for number in range(3):
            seat = await port.judge()
            await until(lambda number=number, seat=seat: len(seat.cases) > number, "a case")
            assert seat.cases[-1].stored
            found = (Found("x", "/name", "/name", "value", "", ""),)
            seat.send_verdict("different", found=found, checked=(Checked("sum", "violated"),))

    outcome, _ = await asyncio.gather(port.json("diffs/rejudge", {"route": "profile"}), judge())
    items = (await port.json("diffs"))["items"]

    assert outcome["groups"] == {"different": 2, "not_compared": 0, "equal": 1}
    assert {item["id"]: item["rejudged"] for item in items} == {"mended": "equal", "not": "different", "b": "different"}


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("diffs/nobody", None, 404),
        ("diffs?route=nobody", None, 404),
        ("diffs?since=yesterday", None, 422),
        ("diffs?limit=0", None, 422),
        ("diffs/nobody/ignore", {"reason": "x"}, 404),
        ("diffs/g1/ignore", {}, 422),
        ("diffs/g1/ignore", {"reason": "x", "until": "soon"}, 422),
        ("diffs/g1/ignore", {"reason": "x", "max_rate": 2}, 422),
        ("diffs/g1/ignore", {"reason": "x", "max_rate": True}, 422),
        ("diffs/rejudge", {"route": "nobody"}, 404),
        ("noise?route=nobody", None, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(port: Port, path: str, wish: dict[str, Any] | None, status: int):
    port.control.store.add_difference(difference(1))

    assert (await port.ask(path, wish)).status == status


async def test_a_store_that_cannot_be_read_is_no_fault_of_whoever_asks(port: Port):
    port.control.store.close()

    assert (await port.ask("diffs")).status == 503
