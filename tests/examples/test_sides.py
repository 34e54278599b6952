from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from examples.paymenter.sides import Database, Legacy, Modern, SideError, find_program
from tests.examples.asking import ask
from tests.examples.meaning import differences, read


def _processes_in(group: int) -> list[str]:
    """Who is still alive in a process group, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        state, _, member_of = text.rpartition(")")[2].split()[:3]
        if int(member_of) == group and state != "Z":
            found.append(text)
    return found


def test_the_old_side_runs_under_fpm_and_nginx(started_sides):
    with Legacy(started_sides.database, mode="fpm") as served:
        answers = {
            path: (ask(served, "GET", path, user=1), ask(started_sides.legacy, "GET", path, user=1))
            for path in ("/health", "/api/me", "/api/plans", "/api/v1/admin/invoices/7", "/api/v1/admin/users/a%2Fb")
        }
        denied = ask(served, "GET", "/api/me")
        login = {"username": "client60@example.com", "password": "demo-password"}
        token = ask(served, "POST", "/oauth/token", form=login)
        head = ask(served, "HEAD", "/api/me", user=1)
        connection = http.client.HTTPConnection(served.host, served.port, timeout=5)
        for _ in range(3):
            connection.request("GET", "/health")
            kept = connection.getresponse().read()
        connection.close()
        hosts = (served.address, started_sides.legacy.address)

    for path, (fpm, builtin) in answers.items():
        assert fpm.status == builtin.status, path
        assert differences(read(fpm), read(builtin), hosts=hosts) == [], path
    assert (denied.status, token.status, head.status, head.body, kept) == (401, 200, 200, b"", b'{"status":"ok"}')


@pytest.mark.parametrize("make", [Legacy, lambda data: Legacy(data, mode="fpm"), Modern], ids=["php", "fpm", "uvicorn"])
def test_ending_a_side_ends_every_process_it_started(started_sides, make):
    with make(started_sides.database) as side:
        groups = [process.pid for process in side._processes]
        while_up = [process for group in groups for process in _processes_in(group)]
        folder = side.folder

    assert len(while_up) >= len(groups)
    assert [process for group in groups for process in _processes_in(group)] == []
    assert not folder.exists()


def test_a_killed_side_comes_back_on_the_same_port(started_sides):
    with Legacy(started_sides.database) as side:
        port = side.port
        side.kill()
        with pytest.raises(OSError, match="refused"):
            ask(side, "GET", "/health")

        side.revive()

        assert side.port == port
        assert ask(side, "GET", "/health").status == 200


def test_a_taken_port_is_an_error_that_says_so(started_sides):
    taken = started_sides.legacy.port

    with pytest.raises(SideError, match=r"(?i)in use"), Modern(started_sides.database, port=taken):
        pytest.fail("the port was taken")


def test_a_missing_program_names_its_debian_package():
    with pytest.raises(SideError, match="apt-get install php-fpm"):
        find_program("php-fpm-that-is-nowhere", package="php-fpm")


def test_a_database_is_gone_after_its_run():
    with Database() as database:
        path = Path(database.url.removeprefix("sqlite:///"))
        assert path.exists()

    assert not path.exists()
    assert re.fullmatch("[0-9a-f]{64}", database.key) or os.environ.get("PAYMENTER_JWT_KEY")


def test_the_module_runs_both_sides_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "examples.paymenter.sides", "--legacy-port", "0", "--modern-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        process.communicate(timeout=10)

    assert [line.split()[0] for line in lines] == ["legacy", "modern", "database"]
    assert process.returncode == 0
    assert time.monotonic() - begun < 10
    assert not Path(lines[2].split()[1].removeprefix("sqlite:///")).exists()
