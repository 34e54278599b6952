"""Commands about a proxy that runs, as they are typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from proxy.cli import main
from tests.support.running import Running, config, run_command, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("one")
    async with running(folder, config("http://127.0.0.1:1", weight=25)) as proxy:
        yield proxy


async def said(proxy: Running, *words: str) -> tuple[int, str, str]:
    return await run_command(*words, "-c", str(proxy.file), "--admin", proxy.admin_url)


async def test_status_of_one_route_shows_it_alone_in_the_shape_of_the_whole(proxy: Running):
    (code, text, _), (_, out, _) = await asyncio.gather(
        said(proxy, "status", "profile"), said(proxy, "status", "profile", "--json")
    )

    assert code == 0
    assert "answers GET /api/me" in text
    assert "_default" not in text
    assert [each["name"] for each in orjson.loads(out)["routes"]] == ["profile"]


async def test_waiting_ends_with_the_state_or_with_the_time(proxy: Running):
    (there, _, _), (never, _, why) = await asyncio.gather(
        said(proxy, "status", "profile", "--wait", "--timeout", "20s"),
        said(proxy, "status", "profile", "--wait", "--for", "modern", "--timeout", "100ms"),
    )

    assert (there, never) == (0, 1)
    assert "profile is not modern after 0.1 s" in why


async def test_the_doctor_knows_the_proxy_that_runs_the_file(proxy: Running):
    file = proxy.folder / "fixed.yaml"
    file.write_text(proxy.file.read_text())
    addresses = {
        "STRANGLER_LISTEN__ADDRESS": proxy.users.removeprefix("http://"),
        "STRANGLER_ADMIN__ADDRESS": proxy.admin_url.removeprefix("http://"),
    }

    _, out, _ = await run_command("doctor", "-c", str(file), "--json", **addresses)

    found = orjson.loads(out)
    told = {one["about"]: (one["level"], one["what"]) for one in found["findings"]}
    assert found["running"] is True
    assert told["listen.address"][0] == told["admin.address"][0] == "ok"
    assert "proxy" in told


OFFLINE = ("compare", "replay")
MISTYPED = (
    ("status", "profle"),
    ("status", "profle", "--wait"),
    ("weight", "profle", "5"),
    ("advance", "profle"),
    ("rollback", "profle", "--reason", "x"),
    ("drill", "profle"),
    ("diffs", "profle"),
    ("diffs", "rejudge", "profle"),
    ("events", "profle"),
    ("tail", "profle"),
    ("compare", "a", "b", "--route", "profle"),
    ("replay", "proxy.log", "--route", "profle"),
)


@pytest.mark.parametrize("words", MISTYPED, ids=" ".join)
async def test_a_mistyped_route_is_answered_with_the_one_that_was_meant_and_2(
    proxy: Running, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    (proxy.folder / "proxy.log").touch()
    found = [str(proxy.folder / word) if word == "proxy.log" else word for word in words]

    admin = () if words[0] in OFFLINE else ("--admin", proxy.admin_url)
    code = await asyncio.to_thread(main, [*found, "-c", str(proxy.file), *admin])

    out, err = capsys.readouterr()
    assert code == 2, (out, err)
    assert "did you mean profile?" in out + err
