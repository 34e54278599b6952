"""The admin port answers in the contract's shapes."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import orjson
import pytest

from proxy.control.admin_server import AdminPort
from proxy.control.api.access import Access
from proxy.control.metrics import numbers
from proxy.control.reload import Current, Outcome, current
from proxy.control.route_evidence import RouteWindows
from proxy.control.status import instance, status
from proxy.control.worker_links import Workers
from proxy.ipc.messages import Outcomes, Prepare, SideOutcomes
from proxy.settings import Address
from proxy.state.identity_keys import Keys
from proxy.state.live import Configuration
from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Exemplars
from rules.model import Admin, GuardPolicy, Override, Rollout, ShadowPolicy
from rules.problems import Problem
from tests.support import raw, snapshots
from tests.support.messages import Message

ROUTES = (
    snapshots.route("/api/me", name="profile", rollout=Rollout(weight=10.0), line=5),
    snapshots.route("/api/x", name="rolled", rollout=Rollout(weight=50.0)),
    snapshots.route("/api/y", name="mirrored", rollout=Rollout(), shadow=ShadowPolicy(sample=1.0), guard=None),
)
OVERRIDES = (Override("rolled", rolled_back=True, reason="errors", who="guard", at=1_800_000_000.0, revision=3),)
SNAPSHOT = snapshots.snapshot(
    {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}, routes=ROUTES, identity=["cookie:uid"]
)


class Control:
    """What the admin port needs: the real parts, without other processes."""

    def __init__(self) -> None:
        configuration = Configuration(4, SNAPSHOT, OVERRIDES, loaded_at=1_800_000_000.0)
        self.now: Current = current(configuration)
        self.figures = RouteWindows(SNAPSHOT, 1)
        self.late: tuple[int, ...] = ()
        self.workers = Workers(Prepare(4, b""), self.figures.record_outcomes, lambda *_, **__: None)
        self.reasons: tuple[str, ...] = ()
        self.asked: list[str] = []
        self.accepts = True

    def current(self) -> Current:
        return self.now

    def identity_keys(self) -> Keys:
        return Keys()

    def unconfirmed(self) -> tuple[int, ...]:
        return self.late

    def unready(self) -> tuple[str, ...]:
        return self.reasons

    async def status(self) -> dict[str, Any]:
        return status(self.now, self.figures, [instance(self.now, self.workers, self.reasons)])

    async def numbers(self) -> dict:
        return numbers(self.now, self.workers.totals, self.workers.census)

    @property
    def exemplars(self) -> Exemplars:
        return self.workers.exemplars

    async def reload(self, who: str) -> Outcome:
        self.asked.append(who)
        if not self.accepts:
            self.now = self.now.refused((Problem("proxy.yaml", 7, 3, "no such key", "did you mean weight?"),), "x")
        return Outcome(self.accepts, self.accepts, self.now)


class Port:
    """A listening admin port and how to ask it."""

    def __init__(self) -> None:
        self.control = Control()
        self.told: list[str] = []
        self.admin = AdminPort(
            self.control,
            Access(Admin(), Address("127.0.0.1", 0), {}),
            lambda event, *_, **__: self.told.append(event),
        )
        self.listener = socket.create_server(("127.0.0.1", 0))

    async def ask(self, path: str, *lines: str, method: str = "GET", body: bytes = b"") -> Message:
        client = await raw.connect(self.listener.getsockname())
        fields = [*lines, "Connection: close", *([f"Content-Length: {len(body)}"] if body else [])]
        answer = await client.ask(raw.get(path, *fields, host="127.0.0.1", method=method) + body)
        client.close()
        return answer

    async def json(self, path: str) -> Any:
        answer = await self.ask(path)
        assert answer.status == 200
        return orjson.loads(answer.body)


@pytest.fixture
async def port():
    port = Port()
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


async def test_readyz_says_why_not_and_never_whether_backends_are_well(port: Port):
    ready = await port.ask("/readyz")
    port.control.reasons = ("worker 1 does not accept",)
    unready = await port.ask("/readyz")

    assert (ready.status, unready.status) == (200, 503)
    assert orjson.loads(unready.body)["reasons"] == ["worker 1 does not accept"]
    assert (await port.ask("/healthz")).body == b"ok\n"


async def test_status_has_the_contracts_shape(port: Port):
    port.control.figures.record_outcomes(
        Outcomes(10**9, (SideOutcomes("profile", "modern", 4, 20, 5, 1, ((0, 19), (-100, 1))),)),
    )

    document = await port.json("/api/v1/status")

    assert document["config"].items() >= {"digest": "test", "error": None}.items()
    assert document["config"]["loaded_at"] == "2027-01-15T08:00:00.000Z"
    routes = {route["name"]: route for route in document["routes"]}
    assert list(routes) == ["profile", "rolled", "mirrored", "_default"]
    assert routes["profile"]["weight"] == {"intended": 10.0, "effective": 10.0}
    modern = routes["profile"]["modern"]
    assert {"requests", "errors", "error_rate", "p50", "p95"} <= modern.keys()
    assert (modern["requests"], modern["errors"], modern["error_rate"]) == (20, 5, 0.25)
    assert modern["p95"] == pytest.approx(1.0, rel=0.02)
    assert routes["profile"]["totals"]["modern"]["requests"] == 20


async def test_what_was_set_at_run_time_is_shown_apart_from_what_the_file_says(port: Port):
    routes = {route["name"]: route for route in (await port.json("/api/v1/status"))["routes"]}

    assert routes["rolled"]["weight"] == {"intended": 50.0, "effective": 0.0}
    assert routes["rolled"]["rolled_back"].items() >= {"at": "2027-01-15T08:00:00.000Z", "reason": "errors"}.items()
    assert {name: route["stage"] for name, route in routes.items()} == {
        "profile": "canary",
        "rolled": "rolled_back",
        "mirrored": "shadow",
        "_default": "legacy",
    }


async def test_explain_answers_as_the_proxy_would_decide(port: Port):
    answer = await port.json("/api/v1/explain?method=GET&path=/api/me%3Fa=1&user=42")

    assert {"route", "side", "reason", "bucket", "weight", "identity", "target", "shadow", "trail"} <= answer.keys()
    assert (answer["route"], answer["identity"]) == ("profile", "42")
    assert (await port.json("/api/v1/explain?path=/api/me&header=Cookie:%20uid=7"))["identity"] == "7"
    assert (await port.ask("/api/v1/explain?path=nonsense")).status == 422


async def test_config_is_the_effective_one(port: Port):
    document = await port.json("/api/v1/config")

    assert document["effective"]["routes"][0]["name"] == "profile"
    assert document["overrides"][0]["route"] == "rolled"


async def test_a_reload_answers_with_its_outcome(port: Port):
    form = ("Content-Type: application/json",)
    applied = await port.ask("/api/v1/reload", *form, method="POST", body=b"{}")
    port.control.accepts = False
    refused = await port.ask("/api/v1/reload", *form, method="POST")
    later = await port.ask("/api/v1/reload", *form, method="POST", body=b'{"wait": false}')

    assert (applied.status, orjson.loads(applied.body)["outcome"]) == (200, "applied")
    assert (refused.status, refused.field("Content-Type")) == (422, "application/problem+json")
    (problem,) = orjson.loads(refused.body)["problems"]
    assert problem == {
        "file": "proxy.yaml",
        "line": 7,
        "column": 3,
        "message": "no such key",
        "hint": "did you mean weight?",
        "level": "error",
    }
    assert later.status == 202
    assert port.control.asked == ["api"] * 3


@pytest.mark.parametrize(
    ("path", "method", "lines", "body", "expected"),
    [
        ("/api/v1/nothing", "GET", (), b"", 404),
        ("/api/v1/reload", "GET", (), b"", 405),
        ("/api/v1/reload", "POST", (), b"{}", 415),
        ("/api/v1/reload", "POST", ("Content-Type: application/json",), b"{", 400),
        ("/api/v1/reload", "POST", ("Content-Type: application/json",), b"[]", 422),
        ("/api/v1/reload", "POST", ("Content-Type: application/json", "Origin: http://evil.test"), b"{}", 403),
        ("/api/v1/reload", "POST", ("Content-Type: application/json",), b" " * 70_000, 413),
    ],
)
async def test_every_refusal_is_a_problem_document(
    port: Port, path: str, method: str, lines: tuple[str, ...], body: bytes, expected: int
):
    answer = await port.ask(path, *lines, method=method, body=body)

    assert (answer.status, answer.field("Content-Type")) == (expected, "application/problem+json")
    assert orjson.loads(answer.body)["status"] == expected
    assert port.control.asked == []


async def test_a_fault_of_ours_is_told_in_the_log_and_not_to_the_asker(port: Port, monkeypatch: pytest.MonkeyPatch):
    def broken() -> Current:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(port.control, "current", broken)

    answer = await port.ask("/api/v1/config")

    assert answer.status == 500
    assert b"secret detail" not in answer.body
    assert port.told == ["unexpected"]


def test_the_scrape_shows_every_route_limit_stage_and_weight():
    control = Control()
    series = numbers(control.now, control.workers.totals, control.workers.census)

    assert series[metric_names.WEIGHT.name, ("rolled", "intended")] == (50.0,)
    assert series[metric_names.WEIGHT.name, ("rolled", "effective")] == (0.0,)
    assert series[metric_names.STAGE.name, ("profile", "canary")] == (True,)
    assert sum(values[0] for (name, labels), values in series.items() if name == metric_names.STAGE.name) == 3
    assert series[metric_names.GUARD_LIMIT.name, ("profile", "error_rate")] == (GuardPolicy().error_rate,)
    assert not any(name == metric_names.GUARD_LIMIT.name and labels[0] == "mirrored" for name, labels in series)
    assert series[metric_names.CONFIG_INFO.name, ("test",)] == (1,)


def test_labels_are_bounded_by_the_file():
    control = Control()
    control.workers.totals.report((0, 1), [(metric_names.REQUESTS.name, ("gone", "legacy", "live", "2xx"), (9.0,))])
    control.workers.totals.report((0, 1), [("strangler_invented_total", (), (9.0,))])

    series = numbers(control.now, control.workers.totals, control.workers.census)

    assert not any("gone" in labels or name == "strangler_invented_total" for name, labels in series)


def test_a_refused_file_shows_in_the_scrape():
    control = Control()
    refused = replace(control.now, problems=(Problem("proxy.yaml", 1, 1, "broken"),))

    series = numbers(refused, control.workers.totals, control.workers.census)

    assert series[metric_names.RELOAD_SUCCESS.name, ()] == (False,)
    assert series[metric_names.LOADED_TIMESTAMP.name, ()] == (1_800_000_000.0,)
