"""Recorded requests reach both sides as the route would send them; the responses are compared, counted, kept."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import rules
from comparators.model import Comparison
from proxy.traffic.reader import Recorded, Recording
from proxy.traffic.replay import Replay, Results, Wish
from proxy.traffic.replay_archive import WRITERS, Judge, PairWriter, pairs
from proxy.traffic.replay_client import Sides
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message

FILE = """\
version: 1
diffs: {{redact: ["/secret"]}}
backends: {{legacy: {{url: "{legacy}"}}, modern: {{url: "{modern}"}}}}
routes:
  - name: users
    match: {{path: "/users/{{id}}"}}
    modern:
      path: "/api/v1/people/{{id}}"
      response: {{json: "{{id: key, total: total, secret: secret}}"}}
    compare: {{preset: php}}
    invariants: [{{name: same, expr: "legacy:/total == modern:/total"}}]
"""


def legacy_of(request: Message) -> bytes:
    number = request.target.rpartition("/")[2]
    return ok(b'{"id": %b, "total": "10.50", "secret": "a"}' % number.encode(), "Content-Type: application/json")


def modern_of(request: Message) -> bytes:
    number = request.target.rpartition("/")[2]
    total = b"10.51" if number == "7" else b"10.5"
    return ok(b'{"key": %b, "total": %b, "secret": "a"}' % (number.encode(), total), "Content-Type: application/json")


AT_ONCE = Wish(rate=0)


class Gateway:
    """Two backends with a file that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.legacy = Backend(always(legacy_of))
        self.modern = Backend(always(modern_of))

    @property
    def snapshot(self) -> rules.Snapshot:
        return rules.load(FILE.format(legacy=self.legacy.url, modern=self.modern.url))

    def recording(self, *lines: dict[str, Any]) -> Recording:
        path = self.folder / "recorded.jsonl"
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        return Recording(path)

    async def replay(
        self,
        recording: Recording,
        wish: Wish = AT_ONCE,
        *,
        out: Path | None = None,
        state: Path | None = None,
        **more: Any,
    ) -> Results:
        judge = Judge(self.snapshot, self.folder, b"k" * 32)
        pair_writer = PairWriter(out, judge.redactors) if out is not None else None
        async with Sides(self.snapshot, self.folder, (), **more) as sides:
            running = Replay(sides, judge, wish, pair_writer=pair_writer, state=state)
            await running.run(recording)
        if pair_writer is not None:
            pair_writer.close()
        return running.results


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    found = Gateway(tmp_path)
    await found.legacy.start()
    await found.modern.start()
    yield found
    await found.legacy.stop()
    await found.modern.stop()


def users(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"method": "GET", "path": f"/users/{number}", **more} for number in numbers]


async def test_each_side_is_asked_in_its_own_words_and_marked(gateway: Gateway):
    results = await gateway.replay(gateway.recording(*users(1, headers={"Cookie": "uid=1"})))

    (old,), (new,) = gateway.legacy.requests, gateway.modern.requests
    assert (old.target, new.target) == ("/users/1", "/api/v1/people/1")
    assert {one.field("x-shadow") for one in (old, new)} == {"1"}
    assert {one.field("cookie") for one in (old, new)} == {"uid=1"}
    assert results.clean


async def test_a_cent_is_found_where_it_is_with_the_invariant_it_breaks(gateway: Gateway):
    results = await gateway.replay(gateway.recording(*users(6, 7, 8)))

    (group,) = results.groups.values()
    assert (group.route, group.path, group.kind, group.count) == ("users", "/total", "value", 1)
    assert group.examples[0]["request"] == "GET /users/7"
    assert dict(results.total) == {"equal": 2, "different": 1}
    assert dict(results.invariants) == {"users: same": 1}
    assert not results.clean


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"method": "POST", "path": "/users/1"}, "POST changes something"),
        ({"method": "GET", "path": "/nobody"}, "no route takes it"),
        ({"method": "GET", "path": "/users/logout"}, "it looks like a read with effects"),
        ({"method": "GET", "path": "/users/1", "headers": {"Range": "bytes=0-1"}}, "it has range"),
    ],
)
async def test_what_is_not_asked_is_counted_with_its_reason(gateway: Gateway, line: dict[str, Any], reason: str):
    results = await gateway.replay(gateway.recording(line))

    assert dict(results.skipped) == {reason: 1}
    assert not gateway.legacy.requests + gateway.modern.requests
    assert not results.clean


async def test_told_to_it_sends_what_changes_something_with_its_body(gateway: Gateway):
    line = {"method": "POST", "path": "/users/1", "headers": {"Content-Type": "application/json"}, "body": '{"a": 1}'}

    await gateway.replay(gateway.recording(line), unsafe=True)

    assert [one.body for one in gateway.legacy.requests + gateway.modern.requests] == [b'{"a": 1}'] * 2


@pytest.mark.parametrize(
    ("pairs_of_statuses", "unproved"),
    [
        ([(401, 401), (302, 302)], ("users",)),
        ([(403, 403)], ("users",)),
        ([(401, 401), (200, 200)], ()),
        ([(404, 404)], ()),
        ([(302, 200)], ()),
    ],
)
def test_a_route_compared_on_refusals_and_redirects_alone_is_not_proved(
    pairs_of_statuses: list[tuple[int, int]], unproved: tuple[str, ...]
):
    results = Results()

    for legacy, modern in pairs_of_statuses:
        results.compared("users", Comparison("equal"), (), "GET /users/1")
        results.answered("users", legacy, modern)

    assert results.unproved == unproved
    assert results.clean is not bool(unproved)


async def test_the_classes_of_the_answers_are_counted(gateway: Gateway):
    results = await gateway.replay(gateway.recording(*({"method": "GET", "path": f"/users/{n}"} for n in (1, 2))))

    assert results.document()["statuses"] == {"users": {"2xx": 2}}


async def test_a_side_that_does_not_answer_is_a_failure_that_names_it(gateway: Gateway):
    recording = gateway.recording(*users(1))
    url = gateway.modern.url
    await gateway.modern.stop()
    gateway.modern.url = url

    results = await gateway.replay(recording)

    assert dict(results.failed) == {"modern: ConnectError": 1}


async def test_an_interrupted_replay_goes_on_where_it_ended(gateway: Gateway, tmp_path: Path):
    state = tmp_path / "state"
    lines = users(*range(10))

    await gateway.replay(gateway.recording(*lines), Wish(rate=0, limit=4), state=state)
    first = len(gateway.legacy.requests)
    await gateway.replay(gateway.recording(*lines), state=state)

    assert first == 4
    assert sorted(one.target for one in gateway.legacy.requests) == [f"/users/{number}" for number in range(10)]


async def test_no_more_are_asked_at_a_time_than_wished(gateway: Gateway):
    seen: list[int] = []
    open_now = 0

    async def slow(wire: Any) -> None:
        nonlocal open_now
        while True:
            request = await wire.request()
            open_now += 1
            seen.append(open_now)
            await asyncio.sleep(0.01)
            open_now -= 1
            wire.send(legacy_of(request))

    gateway.legacy.scripts = (slow,)

    await gateway.replay(gateway.recording(*users(*range(12))), Wish(rate=0, concurrency=3))

    assert max(seen) == 3


async def test_kept_pairs_are_redacted_private_and_can_be_judged_again(gateway: Gateway, tmp_path: Path):
    out = tmp_path / "pairs.jsonl"
    await gateway.replay(gateway.recording(*users(6, 7, headers={"Authorization": "Bearer abc"})), out=out)

    ((route, legacy, modern),) = pairs(out)
    judged, broken = Judge(gateway.snapshot, tmp_path, b"k" * 32).compare(route, legacy, modern)

    assert b'"a"' not in out.read_bytes().replace(b'\\"', b'"')
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [finding.path for finding in judged.findings] == ["/total"]
    assert broken == ("same",)


# ── export ──


RECORDED = Recorded(3, "POST", "/a?b=it's", headers=(("X-A", 'say "hi"'),), body=b"{}")


@pytest.mark.parametrize("form", WRITERS)
def test_an_exported_request_has_everything(form: str):
    text = WRITERS[form](RECORDED, "http://127.0.0.1:1")

    assert all(part in text for part in ("POST", "http://127.0.0.1:1", "/a?b=it", "X-A", "{}"))


def test_an_exported_test_compiles():
    compile(WRITERS["pytest"](RECORDED._replace(target='/"""\\'), "http://a"), "test", "exec")


def test_an_exported_command_survives_a_shell(run_shell: Callable[[str], list[str]]):
    words = run_shell(WRITERS["curl"](RECORDED, "http://127.0.0.1:1"))

    assert words[-1] == "http://127.0.0.1:1/a?b=it's"
    assert 'X-A: say "hi"' in " ".join(words)


@pytest.fixture
def run_shell() -> Callable[[str], list[str]]:
    import subprocess

    def run(line: str) -> list[str]:
        script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{line}"
        return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout.split("\0")[
            :-1
        ]

    return run
