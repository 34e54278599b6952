"""What an operator types, and whether the running proxy then does what was said."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
import pytest_asyncio
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.journeys.configs import FILE, Settings, between, repository, route
from tests.journeys.edge import free_port
from tests.journeys.stage import Sides, Visits, Workshop
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.running import ROOT, Running, run_command
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAWN = ("login", "register")
"""The routes of proxy.yaml that draw for each request: what explain says of the draw need not come true."""


# ── check ──


async def test_check_accepts_the_file_of_this_repository_without_a_word():
    code, out, err = await run_command("check", "-c", str(FILE))

    assert (code, err) == (0, "")
    assert "22 routes" in out


async def test_check_accepts_the_sample_of_the_contract_where_its_files_and_variables_exist(tmp_path: Path):
    shutil.copy(ROOT / "tests" / "data" / "contract-sample.yaml", tmp_path / "proxy.yaml")
    _certificate(tmp_path)
    variables = {"HOOK_URL": "http://127.0.0.1:9/", "HOOK_SECRET": "x" * 32, "STRANGLER_JWT_KEY": "k" * 40}
    variables["APP_KEY"] = "base64:" + "A" * 43 + "="

    code, out, err = await run_command("check", "-c", str(tmp_path / "proxy.yaml"), "--json", **variables)
    answer = orjson.loads(out)

    assert (code, err) == (0, "")
    assert (answer["routes"], {problem["level"] for problem in answer["problems"]}) == (1, {"warning"})
    assert all("tls" in problem["message"].lower() for problem in answer["problems"]), answer["problems"]


async def test_check_misses_what_the_sample_names_and_is_not_there(tmp_path: Path):
    shutil.copy(ROOT / "tests" / "data" / "contract-sample.yaml", tmp_path / "proxy.yaml")

    code, _, err = await run_command("check", "-c", str(tmp_path / "proxy.yaml"))

    assert code == 2
    assert re.search(r"proxy\.yaml:\d+:\d+: cert\.pem cannot be read", err)


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for file, data in (("cert.pem", pem), ("ca.pem", pem), ("key.pem", private)):
        (folder / file).write_bytes(data)


# ── explain ──


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
    backends = {side: Backend(always(_answer)) for side in ("legacy", "modern")}
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


# ── config show ──


async def test_config_show_tells_each_value_with_its_origin_and_no_secret(
    workshop: Workshop, sides: Sides, secret: str
):
    def secretive(settings: Settings) -> None:
        route(settings, "profile")["modern"]["headers"] = {"set": {"X-Api-Key": "${UPSTREAM_TOKEN}"}}

    await workshop.adopt(sides.file(secretive))
    command = ("config", "show", "-c", str(workshop.file))
    variables = {"UPSTREAM_TOKEN": secret, "STRANGLER_LISTEN__DRAIN": "7s"}

    (code, text, err), (json_code, out, _) = await asyncio.gather(
        run_command(*command, **variables), run_command(*command, "--json", **variables)
    )
    served = await workshop.admin("/api/v1/config")
    settings = {each["path"]: each for each in orjson.loads(out)}

    assert (code, json_code, err) == (0, 0, "")
    assert secret not in text + out + served.body.decode()
    assert "X-Api-Key" in text
    assert "********" in text
    assert "********" in served.body.decode()
    assert settings["listen.drain"]["value"] in ("7s", 7)
    assert settings["listen.drain"]["origin"] == "STRANGLER_LISTEN__DRAIN"
    assert settings["admin.token_env"]["origin"] == "default"
    assert re.fullmatch(rf"{re.escape(str(workshop.file))}:\d+", settings["backends.legacy.url"]["origin"])


async def test_no_event_or_status_shows_a_secret_of_the_file(
    workshop: Workshop, sides: Sides, visit: Visits, secret: str
):
    backend = Backend(always(_answer))
    await backend.start()

    def secretive(settings: Settings) -> None:
        each = route(settings, "profile")
        each["rollout"]["include"] = ["42"]
        each["modern"]["headers"] = {"set": {"X-Api-Key": "${UPSTREAM_TOKEN}"}}

    await workshop.adopt(sides.file(secretive).replace(sides.modern.url, backend.url))
    await visit(workshop, 42).get("/api/me")
    status, metrics = await workshop.admin("/api/v1/status"), await workshop.admin("/metrics")
    explained = await workshop.admin("/api/v1/explain?method=GET&path=/api/me&user=42")
    (heard,) = [request for request in backend.requests if request.target != "/health"]
    await backend.stop()

    assert heard.field("x-api-key") == secret
    told = [orjson.dumps([workshop.events, workshop.access]), status.body, metrics.body, explained.body]
    assert not [each for each in told if secret.encode() in each]


# ── status ──

SIDE_KEYS = {"requests", "errors", "error_rate", "p50", "p95"}


async def test_status_has_the_keys_of_the_contract(shop: Running, visit: Visits):
    await visit(shop, 42).get("/api/me")

    (code, out, _), (text_code, text, _) = await asyncio.gather(
        run_command("status", "-c", str(FILE), "--admin", shop.admin_url, "--json"),
        run_command("status", "-c", str(FILE), "--admin", shop.admin_url, NO_COLOR="1"),
    )
    status = orjson.loads(out)
    profile = next(each for each in status["routes"] if each["name"] == "profile")

    assert (code, text_code) == (0, 0)
    assert status.keys() >= {"config", "instances", "routes"}
    assert status["config"].keys() >= {"digest", "loaded_at", "error"}
    assert status["config"]["error"] is None
    assert datetime.fromisoformat(status["config"]["loaded_at"]).tzinfo is not None
    assert profile.keys() >= {"name", "stage", "weight", "held", "rolled_back", "legacy", "modern"}
    assert profile["weight"] == {"intended": 25.0, "effective": 25.0}
    assert (profile["stage"], profile["held"], profile["rolled_back"]) == ("canary", False, None)
    assert profile["legacy"].keys() >= SIDE_KEYS
    assert profile["modern"].keys() >= SIDE_KEYS
    assert profile["modern"]["requests"] + profile["legacy"]["requests"] >= 1
    stages = {each["name"]: each["stage"] for each in status["routes"]}
    assert (stages["plans"], stages["billing-history"], stages["_default"]) == ("modern", "shadow", "legacy")
    assert all(re.search(rf"(?m)^{re.escape(name)} ", text) for name in stages), text
    assert "\x1b" not in text


async def test_status_tells_of_shadows_and_comparisons(shop: Running):
    status = await shop.json("/api/v1/status")

    for each in status["routes"]:
        assert each.get("shadow", {}).keys() >= {"sent", "dropped"}, each["name"]
        wanted = {"equal", "different", "noise", "not_compared", "coverage", "mismatch_rate"}
        assert each.get("compare", {}).keys() >= wanted, each["name"]


# ── exit codes ──


async def test_exit_codes_say_yes_no_usage_unreachable(tmp_path: Path, shop: Running):
    (tmp_path / "broken.yaml").write_text("version: 1\nrotues: []\n")
    nobody = f"http://127.0.0.1:{free_port()}"
    taken = shop.users.removeprefix("http://")
    asked = {
        ("status", "-c", str(FILE), "--admin", shop.admin_url): 0,
        ("check", "-c", str(tmp_path / "broken.yaml")): 2,
        ("check", "-c", str(tmp_path / "missing.yaml")): 2,
        ("run", "-c", str(tmp_path / "broken.yaml")): 2,
        ("no-such-command",): 2,
        ("status", "-c", str(FILE), "--admin", nobody): 3,
        ("reload", "--wait", "-c", str(FILE), "--admin", nobody): 3,
    }

    ended = await asyncio.gather(
        *(run_command(*arguments) for arguments in asked),
        run_command("run", "-c", str(FILE), STRANGLER_LISTEN__ADDRESS=taken, STRANGLER_STORE=f"sqlite:{tmp_path}/x.db"),
    )

    codes = dict(zip([*asked, ("run", "on a taken address")], [code for code, _, _ in ended], strict=True))
    assert codes == {**asked, ("run", "on a taken address"): 1}
    assert not [err for _, _, err in ended if "Traceback" in err]


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
