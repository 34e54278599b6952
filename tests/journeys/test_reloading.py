"""The file changes while users are served: no request is lost, the new weight counts, a broken file changes nothing."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from tests.journeys.answering import patiently
from tests.journeys.configs import FILE, Settings, as_it_is, weighing
from tests.journeys.stage import Sides, Visits, Workshop
from tests.journeys.traffic import Traffic, sides_of
from tests.journeys.visiting import WORKING, side_of
from tests.support import raw
from tests.support.backend import Backend, Wire, ok
from tests.support.running import Running, config, run_command, running
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

USERS = WORKING[40:48]


def _weighing(weight: float) -> Callable[[Settings], object]:
    return weighing(weight, "profile", "profile-form")  # one group, one weight


async def _by_signal(proxy: Running, text: str) -> None:
    proxy.file.write_text(text)
    proxy.signal(signal.SIGHUP)


async def _by_replacing(proxy: Running, text: str) -> None:
    """As editors, Ansible or a deployment do."""
    fresh = proxy.folder / f".{uuid4().hex}.tmp"
    fresh.write_text(text)
    fresh.replace(proxy.file)


async def _by_api(proxy: Running, text: str) -> None:
    proxy.file.write_text(text)
    answer = await proxy.admin("/api/v1/reload", method="POST", body={"wait": True})
    assert answer.status == 200


async def _by_command(proxy: Running, text: str) -> None:
    proxy.file.write_text(text)
    code, _, err = await run_command("reload", "--wait", "-c", str(proxy.file), "--admin", proxy.admin_url)
    assert (code, err) == (0, "")


WAYS = {"signal": _by_signal, "replaced-file": _by_replacing, "api": _by_api, "command": _by_command}


async def _generation(proxy: Running) -> int:
    return (await proxy.json("/api/v1/status"))["config"]["generation"]


async def _applied(proxy: Running, generation: int) -> None:
    """Wait until the worker runs a later one."""
    await until(
        lambda: any(
            event["event"] == "generation_applied" and event["generation"] > generation for event in proxy.events
        ),
        "a later generation",
    )


@pytest.mark.parametrize("way", WAYS)
async def test_a_new_weight_is_in_force_and_no_request_is_lost(
    workshop: Workshop, sides: Sides, visit: Visits, way: str
):
    await workshop.adopt(sides.file(_weighing(0)))
    generation = await _generation(workshop)

    async with Traffic(workshop, visit, USERS) as traffic:
        before = await traffic.more(20)
        await WAYS[way](workshop, sides.file(_weighing(100)))
        await _applied(workshop, generation)
        after = await traffic.more(40)

    assert traffic.lost == []
    assert traffic.statuses == {200}
    assert sides_of(before) == {"legacy"}
    assert sides_of(after) == {"modern"}
    assert await workshop.metric("strangler_weight_percent", route="profile", kind="effective") == 100
    assert await workshop.metric("strangler_config_reload_success") == 1


async def test_a_storm_of_reloads_loses_nothing_and_ends_with_the_last_file(
    workshop: Workshop, sides: Sides, visit: Visits
):
    texts = [sides.file(_weighing(weight)) for weight in (0, 100)]
    await workshop.adopt(texts[0])

    async with Traffic(workshop, visit, USERS) as traffic:
        for number in range(12):
            await _by_replacing(workshop, texts[number % 2])
            workshop.signal(signal.SIGHUP)
            await traffic.more(4)
        await workshop.adopt(texts[1])
        after = await traffic.more(40)

    assert traffic.lost == []
    assert traffic.statuses == {200}
    assert sides_of(after) == {"modern"}


async def test_a_configmap_swap_is_noticed_by_itself(sides: Sides, visit: Visits, tmp_path: Path):
    """As the kubelet does it: another folder, one link that is renamed over the old one, the old folder gone."""
    mount = tmp_path / "config"
    mount.mkdir()
    (mount / "..1").mkdir()
    (mount / "..data").symlink_to("..1")
    (mount / "proxy.yaml").symlink_to("..data/proxy.yaml")
    async with running(mount, sides.file(_weighing(0))) as proxy, Traffic(proxy, visit, USERS[:4]) as traffic:
        before = await traffic.more(10)

        for number, weight in ((2, 50), (3, 100)):
            generation = await _generation(proxy)
            (mount / f"..{number}").mkdir()
            (mount / f"..{number}" / "proxy.yaml").write_text(sides.file(_weighing(weight)))
            (mount / "..tmp").symlink_to(f"..{number}")
            (mount / "..tmp").rename(mount / "..data")
            shutil.rmtree(mount / f"..{number - 1}")
            await _applied(proxy, generation)
        after = await traffic.more(20)

    assert traffic.lost == []
    assert traffic.statuses == {200}
    assert sides_of(before) == {"legacy"}
    assert sides_of(after) == {"modern"}


async def test_a_request_in_flight_ends_where_it_began(workshop: Workshop):
    answer_now = asyncio.Event()

    async def slow(wire: Wire) -> None:
        await wire.request()
        await answer_now.wait()
        wire.send(ok(b"slow"))
        await wire.gone()

    old, new, legacy = Backend(slow), Backend(patiently(ok(b"new"))), Backend(patiently(ok(b"legacy")))
    for backend in (old, new, legacy):
        await backend.start()
    await workshop.adopt(config(legacy.url, old.url, weight=100))
    generation, digest = await _generation(workshop), (await workshop.json("/api/v1/status"))["config"]["digest"]
    client, request_id = await workshop.client(), uuid4().hex

    client.send(raw.get("/api/me", "Cookie: uid=1"))
    await old.wire()
    await workshop.adopt(config(legacy.url, new.url, weight=0))
    at_once = await workshop.get("/api/me", "Cookie: uid=1")
    answer_now.set()
    late = await client.answer()
    client_again = await client.ask(raw.get("/api/me", "Cookie: uid=1", f"X-Request-Id: {request_id}"))
    client.close()
    await until(
        lambda: [line for line in workshop.access if line["config"] == digest and line["generation"] == generation],
        "the access line",
    )
    (line,) = [line for line in workshop.access if line["config"] == digest and line["generation"] == generation]
    for backend in (old, new, legacy):
        await backend.stop()

    assert (late.status, late.body, at_once.body) == (200, b"slow", b"legacy")
    assert client_again.body == b"legacy"  # the same connection, the next request: the new rules
    assert (line["answered"], line["upstream"], line["status"]) == ("modern", old.url, 200)
    assert new.requests == []


async def test_a_backend_that_moves_is_followed_without_a_lost_request(workshop: Workshop, sides: Sides, visit: Visits):
    text = sides.file(_weighing(100))
    await workshop.adopt(text)

    async with Traffic(workshop, visit, USERS) as traffic:
        generation = await _generation(workshop)
        # everything changes its place at once, as in a blue-green deployment
        moved = text.replace(sides.modern.url, "MODERN").replace(sides.legacy.url, sides.modern.url)
        await _by_api(workshop, moved.replace("MODERN", sides.modern.url).replace("127.0.0.1:9001", "127.0.0.1:1"))
        await _applied(workshop, generation)
        await traffic.more(20)
        await _by_api(workshop, text)
        await traffic.more(20)

    assert traffic.lost == []
    assert traffic.statuses == {200}


# ── a file that is no good ──

BROKEN = {
    "no-yaml": "routes: [\n",
    "typo": "version: 1\nbackends: {legacy: {url: 'http://127.0.0.1:1'}}\nroutess: []\n",
    "weight": FILE.read_text().replace("weight: 25", "weight: 250"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_file_changes_nothing_and_says_so_everywhere(
    workshop: Workshop, sides: Sides, visit: Visits, kind: str
):
    good = sides.file(_weighing(100))
    await workshop.adopt(good)
    before = (await workshop.json("/api/v1/status"))["config"]
    refusals = len([event for event in workshop.events if event["event"] == "config_refused"])

    async with Traffic(workshop, visit, USERS[:4]) as traffic:
        workshop.file.write_text(BROKEN[kind])
        code, out, err = await run_command("reload", "--wait", "-c", str(workshop.file), "--admin", workshop.admin_url)
        ready = await workshop.admin("/readyz")
        after = (await workshop.json("/api/v1/status"))["config"]
        failing = await workshop.metric("strangler_config_reload_success")
        refused = await workshop.event("config_refused", refusals + 1)
        during = await traffic.more(10)
        await workshop.adopt(good)

    assert code == 2
    assert f"{workshop.file}:" in err
    assert before["digest"] in out
    assert (ready.status, orjson.loads(ready.body)["config"]) == (
        200,
        {"digest": before["digest"], "accepted": False, "unconfirmed": []},
    )
    assert after["digest"] == before["digest"]
    assert after["generation"] == before["generation"]
    assert str(workshop.file) in after["error"]
    assert failing == 0
    assert (refused["level"], refused["still"]) == ("error", before["digest"])
    assert str(workshop.file) in refused["problems"][0]
    assert (traffic.lost, traffic.statuses, sides_of(during)) == ([], {200}, {"modern"})
    assert await workshop.metric("strangler_config_reload_success") == 1
    assert orjson.loads((await workshop.admin("/readyz")).body)["config"]["accepted"] is True


async def test_a_broken_file_at_a_signal_is_refused_too(workshop: Workshop, sides: Sides, visit: Visits):
    await workshop.adopt(sides.file(_weighing(100)))
    refusals = len([event for event in workshop.events if event["event"] == "config_refused"])

    await _by_signal(workshop, "version: 2\n")
    await workshop.event("config_refused", refusals + 1)
    answer = await visit(workshop, USERS[0]).get("/api/me")

    assert (answer.status, side_of(answer)) == (200, "modern")
    assert await workshop.metric("strangler_config_reload_success") == 0


async def test_a_file_that_is_gone_changes_nothing(workshop: Workshop, sides: Sides, visit: Visits):
    await workshop.adopt(sides.file(_weighing(100)))

    workshop.file.unlink()
    code, _, err = await run_command("reload", "--wait", "-c", str(workshop.file), "--admin", workshop.admin_url)
    answer = await visit(workshop, USERS[0]).get("/api/me")

    assert code == 2
    assert "cannot be read" in err
    assert (answer.status, side_of(answer)) == (200, "modern")


async def test_what_needs_a_restart_is_told_and_everything_else_is_applied(
    workshop: Workshop, sides: Sides, visit: Visits
):
    await workshop.adopt(sides.file(_weighing(0)))

    def moved(settings) -> None:
        settings["listen"]["address"] = "127.0.0.1:4"
        settings["listen"]["workers"] = 7

    workshop.file.write_text(sides.file(_weighing(100), moved))
    code, out, _ = await run_command(
        "reload", "--wait", "-c", str(workshop.file), "--admin", workshop.admin_url, "--json"
    )
    answer = await visit(workshop, USERS[0]).get("/api/me")

    assert code == 0
    assert set(orjson.loads(out)["needs_restart"]) == {"listen.address", "listen.workers"}
    assert (answer.status, side_of(answer)) == (200, "modern")


# ── the cord ──


async def test_with_legacy_only_everybody_is_on_legacy_without_store_or_admin(
    sides: Sides, visit: Visits, tmp_path: Path
):
    unusable = {"STRANGLER_STORE": "sqlite:/proc/nowhere/strangler.db", "STRANGLER_LEGACY_ONLY": "1"}
    proxy = Running(tmp_path, as_it_is(), **sides.around(tmp_path, **unusable))
    await proxy.start()
    try:
        await proxy.event("ready")
        await until(lambda: proxy.lines, "the ready line")
        proxy.users = proxy.lines[0].split()[2].rstrip(",")
        pages = ("/api/me", "/api/plans", "/api/v1/admin/orders", "/profile/edit", "/nowhere")
        answers = [await visit(proxy, user).get(page) for user in (1, 2, 3, 5) for page in pages]
        login = await visit(proxy).fill("/oauth/token", {"username": "admin1@example.com", "password": "demo-password"})
        await until(lambda: len(proxy.access) == 21, "the access lines")
    finally:
        await proxy.end()

    assert sides_of([*answers, login]) == {"legacy"}
    assert {answer.status for answer in answers} == {200, 404}
    assert login.status == 200
    assert {(line["side"], line["reason"]) for line in proxy.access} == {
        ("legacy", "legacy_only"),
        ("legacy", "default"),
    }
    assert "no admin" in proxy.lines[0]
