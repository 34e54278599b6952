"""What explain says of a request is what the proxy does and its access line records."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
import pytest_asyncio
import yaml

from tests.journeys.answering import patiently
from tests.journeys.configs import FILE, Settings, between, repository, route
from tests.journeys.stage import Visits, Workshop
from tests.support.backend import Backend, ok
from tests.support.messages import Message
from tests.support.running import Running, run_command
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


DRAWN = ("login", "register")
"""The routes of proxy.yaml that draw for each request: what explain says of the draw need not come true."""


@dataclass
class Watched:
    """The proxy.yaml of this repository before two applications that write down what they are asked."""

    proxy: Workshop
    backends: dict[str, Backend]

    def asked(self) -> tuple[str, str] | None:
        """Who was asked last for what; mirrored requests aside."""
        for side, backend in self.backends.items():
            for request in backend.requests:
                if request.field("x-shadow") is None:
                    return side, request.target
        return None

    def forget(self) -> None:
        for backend in self.backends.values():
            for wire in backend.wires:
                wire.requests.clear()


def _answer(request: Message) -> bytes:
    return ok(b"" if request.method == "HEAD" else b'{"access_token": "x"}', "Content-Type: application/json")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(workshop: Workshop) -> AsyncIterator[Watched]:
    backends = {side: Backend(patiently(_answer)) for side in ("legacy", "modern")}
    for backend in backends.values():
        await backend.start()

    def forcible(settings: Settings) -> None:
        route(settings, "profile")["rollout"].update(
            {"include": ["42"], "exclude": ["7"], "force_header": "X-Strangler-Force"}
        )
        for backend in settings["backends"].values():
            backend.pop("health", None)  # everything that arrives is a request of ours

    await workshop.adopt(repository(between(backends["legacy"].url, backends["modern"].url), forcible))
    yield Watched(workshop, backends)
    for backend in backends.values():
        await backend.stop()


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    user: str | None
    headers: tuple[tuple[str, str], ...] = ()


def _requests(count: int) -> list[Asked]:
    """Requests of all kinds, the same ones in every run."""
    draw = random.Random(20261121)
    paths = [each["match"]["path"] for each in yaml.safe_load(FILE.read_text())["routes"]]
    strange = ["/nowhere", "/api/me/", "/api//me", "/api/%6de", "/API/me", "/api/plans/a%2Fb", "/api/plans/1;x=2", "/"]
    found = [Asked("GET", "/api/me", "7"), Asked("HEAD", "/api/me?x=1", "42")]
    while len(found) < count:
        target = draw.choice(strange if draw.random() < 0.2 else paths).replace("{id}", str(draw.randint(1, 500)))
        if draw.random() < 0.4:
            target += draw.choice(["?", "?page=2", "?a=1&a=2&b=%20", "?q=a/b?c"])
        user = None if draw.random() < 0.15 else str(draw.choice([7, 42, draw.randint(1, 100_000)]))
        force = draw.choice(["legacy", "modern", "nonsense"]) if draw.random() < 0.2 else None
        usual = ["POST"] if target.startswith(("/oauth", "/register")) else ["GET", "GET", "GET", "GET"]
        method = draw.choice([*usual, "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
        found.append(Asked(method, target, user, (("X-Strangler-Force", force),) if force else ()))
    return found


async def _explained(proxy: Running, asked: Asked) -> dict[str, Any]:
    query = [("method", asked.method), ("path", asked.target)]
    query += [("user", asked.user)] if asked.user else []
    query += [("header", f"{name}: {value}") for name, value in asked.headers]
    answer = await proxy.admin(f"/api/v1/explain?{urlencode(query, quote_via=quote)}")
    assert answer.status == 200, answer
    return orjson.loads(answer.body)


async def test_what_explain_says_is_what_the_proxy_does(watched: Watched, visit: Visits):
    visitor = visit(watched.proxy)
    seen = set()
    for asked in _requests(200):
        visitor.cookies = {"uid": asked.user} if asked.user else {}
        lines = ["X-Strangler-Debug: 1", *(f"{name}: {value}" for name, value in asked.headers)]
        watched.forget()

        said = await _explained(watched.proxy, asked)
        done = await visitor.ask(asked.method, asked.target, *lines)

        assert done.status == 200, (asked, done)
        assert said["route"] == done.field("x-strangler-route"), asked
        seen.add((said["route"], said["side"], said["reason"]))
        if said["route"] in DRAWN:
            continue
        assert said["side"] == done.field("x-strangler-side"), asked
        assert said["reason"] == done.field("x-strangler-reason"), asked
        assert (said["side"], said["target"]) == watched.asked(), asked
        if (bucket := done.field("x-strangler-bucket")) is not None:
            assert f"{said['bucket']:.6f}" == bucket, asked

    assert {route for route, _, _ in seen} >= {"_default", "profile", "plans", "user", "login"}
    assert {reason for _, _, reason in seen} == {"default", "exclude", "include", "force", "no_identity", "weight"}


async def test_the_command_says_what_the_admin_port_says_as_text_and_as_json(watched: Watched):
    asked = Asked("PUT", "/api/me?a=b", "4711", (("X-Strangler-Force", "nonsense"),))
    arguments = ["explain", asked.method, asked.target, "-c", str(watched.proxy.file), "--user", "4711"]
    arguments += ["-H", "X-Strangler-Force: nonsense"]

    said, (code, out, _), (text_code, text, _) = await asyncio.gather(
        _explained(watched.proxy, asked), run_command(*arguments, "--json"), run_command(*arguments)
    )

    assert (code, text_code) == (0, 0)
    assert orjson.loads(out) == said
    assert said.keys() >= {"route", "side", "reason", "bucket", "weight", "identity", "target", "shadow", "trail"}
    assert said["route"] == "profile"
    for name in ("route", "side", "reason", "target", "identity"):
        assert re.search(rf"(?m)^{name} +{re.escape(said[name])}$", text), name
    assert all(f"  {step}\n" in text for step in said["trail"])


async def test_explain_finds_the_user_in_the_headers_it_is_told(watched: Watched):
    code, out, _ = await run_command(
        "explain", "GET", "/api/me?x=1", "-H", "Cookie: a=b; uid=42", "-c", str(watched.proxy.file), "--json"
    )
    said = orjson.loads(out)

    assert code == 0
    assert (said["identity"], said["side"], said["reason"]) == ("42", "modern", "include")
    assert said["target"] == "/api/v1/profile/me?x=1"


# ── the access line ──

DECISION = {"route", "config", "generation", "bucket", "weight", "side", "reason", "answered", "upstream", "status"}
CASE = {"ts", "level", "event", "request_id", "duration_ms", "overhead_ms", "client", "method", "host", "path"}


async def test_the_access_line_is_one_object_with_the_decision_and_nothing_private(watched: Watched, visit: Visits):
    text = watched.proxy.file.read_text()
    await watched.proxy.adopt(text)
    before = len(watched.proxy.access)
    private = "prv" + "4" * 20
    visitor = visit(watched.proxy)
    lines = (f"Authorization: Bearer {private}", f"X-Api-Key: {private}", "Content-Type: text/plain")
    fields = (f"Cookie: uid=42; session={private}", f"Referer: http://shop.test/?t={private}", f"User-Agent: {private}")

    for method, target in (
        ("GET", f"/api/me?token={private}"),
        ("POST", f"/api/subscriptions?x={private}"),
        ("GET", f"/nowhere?{private}"),
        ("DELETE", f"/api/plans/1?{private}={private}"),
    ):
        await visitor.ask(method, target, *lines, *fields, body=private.encode())
    await until(lambda: len(watched.proxy.access) >= before + 4, "the access lines")
    written = watched.proxy.access[before:]

    assert [(line["method"], line["path"]) for line in written] == [
        ("GET", "/api/me"),
        ("POST", "/api/subscriptions"),
        ("GET", "/nowhere"),
        ("DELETE", "/api/plans/1"),
    ]
    for line in written:
        assert line.keys() >= DECISION | CASE
        assert line["event"] == "request"
        assert private not in orjson.dumps(line).decode()
    assert (written[0]["side"], written[0]["reason"], written[0]["route"]) == ("modern", "include", "profile")
    assert (written[2]["route"], written[2]["reason"]) == ("_default", "default")
    # nothing but such lines, and the one that says where the proxy is
    assert [line for line in watched.proxy.lines if "ready:" not in line] == []


async def test_a_refused_request_has_its_line_too(watched: Watched):
    before = len(watched.proxy.access)
    client = await watched.proxy.client()

    answer = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    client.close()
    await until(lambda: len(watched.proxy.access) > before, "the access line")

    line = watched.proxy.access[-1]
    assert answer.status == 400
    assert (line["status"], line["answered"], line["route"]) == (400, "none", "_default")
