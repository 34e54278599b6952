"""The proxy starts only as configured, prints its addresses, refuses with one clear sentence."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import orjson
import pytest

from tests.architecture.test_laws import DATABASES, HEAVY
from tests.support.backend import Backend
from tests.support.running import ROOT, Running, alive, config, run_command, running
from tests.support.waiting import until


async def test_the_ready_line_names_both_addresses_once_readyz_is_200(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url, workers=2)) as proxy:
        ready = await proxy.admin("/readyz")
        answers = [await proxy.get() for _ in range(4)]

        assert ready.status == 200
        assert [answer.body for answer in answers] == [b"legacy"] * 4
        assert len([line for line in proxy.lines if "ready" in line]) == 1


async def test_a_second_run_on_a_taken_address_is_one_clear_error(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        taken = proxy.users.removeprefix("http://")
        second = tmp_path / "second.yaml"
        second.write_text(config(legacy.url, listen=taken))

        code, out, err = await run_command("run", "-c", str(second))

        assert code == 1
        assert out == ""
        assert f"{taken} is in use by another process" in err
        assert "Traceback" not in err
        assert (await proxy.get()).body == b"legacy"


async def test_a_taken_admin_address_is_an_error_that_names_the_setting(tmp_path: Path, legacy: Backend):
    with socket.create_server(("127.0.0.1", 0)) as other:
        file = tmp_path / "proxy.yaml"
        file.write_text(config(legacy.url))
        address = f"127.0.0.1:{other.getsockname()[1]}"

        code, _, err = await run_command("run", "-c", str(file), STRANGLER_ADMIN__ADDRESS=address)

    assert code == 1
    assert f"{address} is in use" in err
    assert "admin.address" in err


async def test_a_broken_file_ends_run_with_2_and_every_problem(tmp_path: Path):
    file = tmp_path / "proxy.yaml"
    file.write_text("version: 1\nbackends: {legacy: {url: 'http://127.0.0.1:1'}}\nroutes: 7\nlisten: {wrokers: 2}\n")

    code, _, err = await run_command("run", "-c", str(file))

    assert code == 2
    assert f"{file}:3:" in err
    assert f"{file}:4:" in err


async def test_an_admin_port_for_other_machines_needs_a_token(tmp_path: Path, legacy: Backend):
    file = tmp_path / "proxy.yaml"
    file.write_text(config(legacy.url).replace('admin: {address: "127.0.0.1:0"}', 'admin: {address: "0.0.0.0:0"}'))

    code, _, err = await run_command("run", "-c", str(file))

    assert code == 2
    assert f"{file}:3:" in err
    assert "STRANGLER_ADMIN_TOKEN is not set" in err


async def test_a_certificate_that_is_no_certificate_ends_run_with_2(tmp_path: Path, legacy: Backend):
    (tmp_path / "cert.pem").write_text("nonsense")
    text = config(legacy.url).replace("drain:", "tls: {cert: cert.pem, key: cert.pem}, drain:")
    async with Running(tmp_path, text).started() as proxy:
        code = await proxy.exit_code()

    assert code == 2
    assert any("cannot be used: it is no PEM" in line for line in proxy.errors)


async def test_a_unix_socket_replaces_a_stale_file_but_no_live_one_serves_and_is_gone_afterwards(
    tmp_path: Path, legacy: Backend
):
    path = tmp_path / "users.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    text = config(legacy.url, workers=2, listen=f"unix:{path}")
    async with running(tmp_path, text) as proxy:
        second = tmp_path / "second.yaml"
        second.write_text(text)
        refused, _, err = await run_command("run", "-c", str(second))
        answers = [await proxy.get() for _ in range(3)]
        proxy.process.terminate()
        code = await proxy.exit_code()

    assert (refused, code) == (1, 0)
    assert "in use by another process" in err
    assert [answer.body for answer in answers] == [b"legacy"] * 3
    assert not path.exists()


async def test_legacy_only_serves_everything_from_legacy_without_admin(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    text = config(legacy.url, modern.url, weight=100)
    async with Running(tmp_path, text, STRANGLER_LEGACY_ONLY="1").started() as proxy:
        await proxy.event("ready")
        (line,) = proxy.lines
        proxy.users = line.split()[2]
        answer = await proxy.get("/api/me", "Cookie: uid=42")
        controls = proxy.pids("control")
        proxy.process.terminate()
        code = await proxy.exit_code()

    assert answer.body == b"legacy"
    assert controls == []
    assert "no admin" in line
    assert code == 0
    assert proxy.access[0]["reason"] == "legacy_only"


async def test_workers_on_the_command_line_win_over_the_file(tmp_path: Path, legacy: Backend):
    async with Running(tmp_path, config(legacy.url, workers=1)).started("--workers", "3") as proxy:
        await proxy.until_ready()

        assert len(proxy.pids("worker")) == 3


async def test_idle_processes_stay_small_and_workers_never_load_what_only_control_needs(
    tmp_path: Path, legacy: Backend
):
    async with running(tmp_path, config(legacy.url)) as proxy:
        (worker,), (control,) = proxy.pids("worker"), proxy.pids("control")
        resident = {name: _resident_mib(pid) for name, pid in (("worker", worker), ("control", control))}

        assert resident["worker"] <= 35, resident
        assert resident["control"] <= 70, resident


_AT_THE_END = """
import atexit, os, pathlib, sys
atexit.register(lambda: pathlib.Path(os.environ["MODULES"], str(os.getpid())).write_text("\\n".join(sys.modules)))
"""


async def test_a_process_loads_only_what_it_needs_to_start_and_to_serve(tmp_path: Path, legacy: Backend):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_AT_THE_END)

    async with running(tmp_path, config(legacy.url), PYTHONPATH=str(site), MODULES=str(site)) as proxy:
        (worker,), (control,) = proxy.pids("worker"), proxy.pids("control")
        await proxy.get()
        await proxy.admin("/readyz")
        proxy.process.terminate()
        assert await proxy.exit_code() == 0

    loaded = {
        role: {name.partition(".")[0] for name in whole} | whole
        for role, pid in (("worker", worker), ("control", control), ("supervisor", proxy.process.pid))
        if (whole := set((site / str(pid)).read_text().split("\n")))
    }
    people = ("proxy.cli", "proxy.doctor", "proxy.traffic", "typer", "rich", "deepdiff", "httpx", "pydantic", "yaml")
    of_no_use = (*people, "importlib.metadata", "email", "zipfile", "sqlite3", "proxy.control")
    assert loaded["worker"] & {*HEAVY, *DATABASES, *of_no_use, "proxy.judge"} == set()
    assert loaded["control"] & {*DATABASES, *people, "redis", "proxy.worker", "comparators.comparison"} == set()
    assert loaded["supervisor"] & {*HEAVY, *of_no_use, "uvloop", "rules"} == set()


async def test_children_start_while_the_file_is_checked_and_end_where_it_is_refused(tmp_path: Path):
    file = tmp_path / "proxy.yaml"
    os.mkfifo(file)  # it is read as soon as it is written to
    words = (sys.executable, "-m", "proxy", "run", "-c", str(file))
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE, cwd=ROOT)
    try:
        await until(lambda: {"load", "control", "worker"} <= _children(process.pid).keys())
        children = _children(process.pid)
        await asyncio.to_thread(file.write_text, "routes: 7\n")
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert process.returncode == 2
    assert f"{file}:1:".encode() in said
    assert [role for role, pid in children.items() if alive(pid)] == []


def _children(pid: int) -> dict[str, int]:
    """The children of a process, by the internal command that they run."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"proxy" in words[:-1]:
            found[words[words.index(b"proxy") + 1].decode()] = int(child)
    return found


async def test_the_access_line_is_the_record_of_a_decision(tmp_path: Path, legacy: Backend, modern: Backend):
    async with running(tmp_path, config(legacy.url, modern.url, weight=100)) as proxy:
        await proxy.get("/api/me?token=secret", "Cookie: uid=42", "Authorization: Bearer secret")
        status = await proxy.json("/api/v1/status")
        proxy.process.terminate()
        await proxy.exit_code()

    (line,) = proxy.access
    assert line["event"] == "request"
    assert (line["route"], line["side"], line["reason"], line["answered"]) == ("profile", "modern", "weight", "modern")
    assert (line["status"], line["method"], line["path"]) == (200, "GET", "/api/me")
    assert line["config"] == status["config"]["digest"]
    assert line["generation"] == status["config"]["generation"]
    assert line["upstream"] == modern.url
    assert "secret" not in orjson.dumps(line).decode()


@pytest.mark.parametrize("name", ["worker", "control", "supervise", "load"])
async def test_internal_commands_stay_out_of_the_help(name: str):
    _, out, _ = await run_command("--help")

    assert f"  {name} " not in out


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)
