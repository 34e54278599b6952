"""The admin port shows what a file would change, also for read-only tokens, and no secrets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.control.admin_server import AdminPort
from proxy.control.api.access import PLAN, Access, AdminRequest
from proxy.control.config_loader import prepare_text
from proxy.control.reload import adopted, current, planned
from proxy.settings import Address, Settings
from proxy.state.live import Configuration
from rules.model import Admin, Override
from rules.problems import ConfigError
from rules.user_sketch import Sample
from tests.support import raw
from tests.support.messages import Message
from tests.support.running import config
from tests.support.waiting import until

USERS = Sample(tuple(map(str, range(200))), 200)
TOKENS = {"STRANGLER_ADMIN_TOKEN": "operator", "STRANGLER_VIEW_TOKEN": "viewer"}


def text(weight: float = 10, **more: Any) -> str:
    return config("http://127.0.0.1:1", "http://127.0.0.1:2", weight=weight, **more)


class Control:
    """What the admin port asks of control for a plan: the real steps on one running file."""

    def __init__(self, folder: Path, overrides: tuple[Override, ...] = ()) -> None:
        file = folder / "proxy.yaml"
        running = prepare_text(text(), file, variables=True, environ={})
        self.current = current(adopted(Configuration(1, running.snapshot, overrides), running))
        address = "127.0.0.1:0"
        self.settings = Settings(str(file), address, address, "memory", 1, 1, 10.0, tls=False, legacy_only=False)
        self.asked = 0

    async def plan(self, text: str, *, variables: bool) -> dict[str, Any]:
        self.asked += 1
        return planned(self.settings, self.current, text, {"profile": USERS}, USERS, variables=variables)


class Port:
    """A listening admin port that wants tokens."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.told: list[str] = []
        access = Access(Admin(), Address("127.0.0.1", 0), TOKENS)
        self.admin = AdminPort(control, access, lambda event, *_, **__: self.told.append(event))
        self.listener = socket.create_server(("127.0.0.1", 0))

    async def plan(self, text: object, token: str = "viewer") -> Message:
        body = orjson.dumps({"config": text})
        fields = ("Content-Type: application/json", f"Authorization: Bearer {token}", f"Content-Length: {len(body)}")
        client = await raw.connect(self.listener.getsockname())
        answer = await client.ask(raw.get(PLAN, *fields, "Connection: close", host="127.0.0.1", method="POST") + body)
        client.close()
        return answer


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Port]:
    port = Port(Control(tmp_path))
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


async def test_a_plan_has_the_published_shape(port: Port):
    answer = await port.plan(text(30))
    document = orjson.loads(answer.body)

    assert answer.status == 200
    (route,) = document["routes"]
    assert (
        route.items()
        >= {
            "name": "profile",
            "change": "changed",
            "what": ["rollout.weight: 10 → 30"],
            "weight": {"before": 10.0, "after": 30.0},
        }.items()
    )
    assert route["users"].items() >= {"sampled": 200, "to_legacy": 0, "estimated": 200, "of": "route"}.items()
    assert 20 < route["users"]["to_modern"] < 60
    assert (document["settings"], document["users"]) == ([], {"sampled": 200, "estimated": 200})


async def test_a_broken_file_comes_back_with_every_problem(port: Port):
    answer = await port.plan(text(500).replace("version: 1", "version: 2"))

    assert (answer.status, answer.field("Content-Type")) == (422, "application/problem+json")
    assert [problem["line"] for problem in orjson.loads(answer.body)["problems"]] == [1, 12]


@pytest.mark.parametrize(
    ("body", "token", "expected"), [(7, "viewer", 422), ("", "nobody", 401), (" " * 5_000_000, "viewer", 413)]
)
async def test_what_is_no_plan_is_refused(port: Port, body: object, token: str, expected: int):
    answer = await port.plan(body, token)

    assert answer.status == expected
    assert port.control.asked == 0


async def test_a_file_of_megabytes_is_planned(port: Port):
    assert (await port.plan(text(30) + "# long\n" * 300_000)).status == 200


@pytest.mark.parametrize("spelled", ['"${SECRET_OF_OURS}"', '"\\x24{SECRET_OF_OURS}"'])
async def test_whoever_may_only_look_reads_no_variable_through_a_plan(
    port: Port, monkeypatch: pytest.MonkeyPatch, spelled: str
):
    monkeypatch.setenv("SECRET_OF_OURS", "/hidden-word")
    asking = text().replace("/api/me", spelled)

    looking, operating = await port.plan(asking), await port.plan(asking, "operator")

    assert looking.status in (403, 422)
    assert b"hidden-word" not in looking.body
    # filled in for an operator, masked by its origin for all
    assert (operating.status, b"hidden-word" in operating.body, b"********" in operating.body) == (200, False, True)


async def test_settings_that_wait_for_a_restart_are_said(port: Port):
    document = orjson.loads((await port.plan(text(workers=3, drain="5s"))).body)

    assert document["settings"] == [
        "listen.workers: 1 → 3",
        "listen.drain: 10 → 5",
        "waiting for a restart: listen.workers",
    ]


def test_what_was_set_at_run_time_counts_in_a_plan_as_after_a_reload(tmp_path: Path):
    control = Control(tmp_path, (Override("profile", rolled_back=True),))

    document = planned(control.settings, control.current, text(30), {"profile": USERS}, USERS, variables=False)

    (route,) = document["routes"]
    assert route["weight"] == {"before": 0.0, "after": 0.0}
    assert route["users"]["to_modern"] == 0
    assert "stays rolled back until it is resumed" in route["what"]


def test_a_file_is_judged_at_the_place_of_the_one_that_runs(tmp_path: Path):
    control = Control(tmp_path)
    (tmp_path / "cert.pem").write_text("there")
    asked = text().replace("drain: 10s", "drain: 10s, tls: {cert: cert.pem, key: key.pem}")

    with pytest.raises(ConfigError) as refused:
        planned(control.settings, control.current, asked, {}, Sample(), variables=True)

    (problem,) = refused.value.problems
    assert (problem.file, problem.message) == (
        str(tmp_path / "proxy.yaml"),
        "key.pem cannot be read: No such file or directory",
    )


@pytest.mark.parametrize(
    ("token", "more", "expected"),
    [
        ("viewer", {}, None),
        ("operator", {}, None),
        ("wrong", {}, 401),
        ("viewer", {"content-type": "text/plain"}, 415),
        ("viewer", {"origin": "http://evil.test"}, 403),
        ("viewer", {"host": "evil.test"}, 421),
    ],
)
def test_a_plan_is_a_question_in_the_form_of_a_change(token: str, more: dict[str, str], expected: int | None):
    headers = {"host": "127.0.0.1", "content-type": "application/json", "authorization": f"Bearer {token}", **more}

    denial = Access(Admin(), Address("10.0.0.5", 9180), TOKENS).denial(AdminRequest("POST", PLAN, headers))

    assert (denial and denial.status) == expected


@pytest.mark.parametrize("there", [True, False])
async def test_a_plan_tells_a_viewer_nothing_of_files_variables_or_groups(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
):
    if there:
        (tmp_path / "file.pem").write_text("content")
        monkeypatch.setenv("A_VARIABLE", "https://hook.example/")
    tls = "{cert: file.pem, key: file.pem}"
    asking = text().replace("\nadmin: {", f"\nnotify: [{{url_env: A_VARIABLE}}]\nadmin: {{tls: {tls}, ")
    assert asking != text()

    looking, operating = await port.plan(asking), await port.plan(asking, "operator")

    assert (looking.status, orjson.loads(looking.body)["warnings"]) == (200, [])
    assert (operating.status, b"file.pem" in operating.body) == (422, True)


async def test_a_plan_of_too_many_routes_is_refused_before_it_costs_anything(port: Port):
    routes = "".join(f"\n  - {{name: r{number}, match: {{path: /r{number}}}}}" for number in range(30_000))
    asking = "backends: {legacy: {url: 'http://127.0.0.1:1'}}\nroutes:" + routes

    begun = time.process_time()
    answer = await port.plan(asking)

    assert (answer.status, "30000 routes are more than the 5000" in answer.body.decode()) == (422, True)
    assert time.process_time() - begun < 6


async def test_only_so_many_plans_wait(port: Port):
    release = asyncio.Event()

    async def slow(_text: str, **_: bool) -> dict[str, Any]:
        await release.wait()
        return {}

    port.control.plan = slow  # type: ignore[method-assign]
    asked = [asyncio.create_task(port.plan(text())) for _ in range(8)]
    await until(lambda: sum(one.done() for one in asked) == 4, "four refusals")
    release.set()
    answers = sorted([(await one).status for one in asked])

    assert answers == [200] * 4 + [429] * 4
