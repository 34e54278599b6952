"""Commands of an operator, and whether the running proxy then does what they say."""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.journeys.answering import patiently
from tests.journeys.configs import FILE, Settings, route
from tests.journeys.edge import free_port
from tests.journeys.stage import Sides, Visits, Workshop
from tests.support.backend import Backend, ok
from tests.support.running import ROOT, Running, run_command

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPERATOR = "0f" * 16
"""With a token nothing is said of the other users of this machine, whose programs may run here or not."""

# ── check ──


async def test_check_accepts_the_file_of_this_repository_without_a_word():
    code, out, err = await run_command("check", "-c", str(FILE), STRANGLER_ADMIN_TOKEN=OPERATOR)

    assert (code, err) == (0, "")
    assert "22 routes" in out


async def test_check_accepts_the_sample_of_the_contract_where_its_files_and_variables_exist(tmp_path: Path):
    shutil.copy(ROOT / "tests" / "data" / "contract-sample.yaml", tmp_path / "proxy.yaml")
    _certificate(tmp_path)
    _function(tmp_path)
    variables = {"HOOK_URL": "http://127.0.0.1:9/", "HOOK_SECRET": "x" * 32, "STRANGLER_JWT_KEY": "k" * 40}
    variables |= {"APP_KEY": "base64:" + "A" * 43 + "=", "STRANGLER_ADMIN_TOKEN": OPERATOR}

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
    assert re.search(r"proxy\.yaml:\d+:\d+: `mypackage\.module:function` cannot be imported", err)


def _function(folder: Path) -> None:
    (folder / "mypackage").mkdir()
    (folder / "mypackage" / "module.py").write_text("def function(legacy, modern):\n    return None\n")


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for file, data in (("cert.pem", pem), ("ca.pem", pem), ("key.pem", private)):
        (folder / file).write_bytes(data)


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
    backend = Backend(patiently(ok(b"{}", "Content-Type: application/json")))
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
