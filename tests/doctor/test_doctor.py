"""Each check finds its fault, says what to do, and is silent where there is none."""

from __future__ import annotations

import pwd
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rules
from proxy.doctor import examined
from proxy.doctor.backends import backends
from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.doctor.limits import limits
from proxy.doctor.modes import modes
from proxy.doctor.nginx import nginx
from proxy.doctor.other_users import other_users, reachable, users_here
from proxy.doctor.ports import ports
from proxy.doctor.stores import stores
from tests.support.backend import Backend, always, ok

NGINX = (Path(__file__).resolve().parents[2] / "deploy/nginx.conf").read_text()


@pytest.fixture
def gateway(tmp_path: Path) -> Callable[..., Subject]:
    def made(
        text: str = "", *, nginx: str | None = None, environ: dict[str, str] | None = None, **more: Any
    ) -> Subject:
        file = tmp_path / "proxy.yaml"
        if "backends:" not in text:
            text += 'backends: {legacy: {url: "http://127.0.0.1:1"}, modern: {url: "http://127.0.0.1:2"}}\n'
        file.write_text(f"version: 1\n{text}routes: []\n")
        file.chmod(0o644)
        return Subject(rules.load(file.read_text()), tmp_path, file, environ or {}, nginx, **more)

    return made


def levels(found: list[Found]) -> dict[str, str]:
    return {one.about: one.level for one in found}


def texts(found: list[Found]) -> str:
    return " ".join(one.what for one in found)


def test_a_port_that_somebody_else_holds_is_an_error(gateway: Callable[..., Subject]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = f"listen: {{address: '127.0.0.1:{taken.getsockname()[1]}'}}\nadmin: {{address: '127.0.0.1:0'}}\n"
        found = list(ports(gateway(text)))
        ours = list(ports(gateway(text, running=True)))

    assert levels(found) == {"listen.address": ERROR, "admin.address": OK}
    assert "ss -ltnp" in found[0].advice
    assert levels(ours)["listen.address"] == OK


@pytest.mark.parametrize(("same", "level"), [(True, OK), (False, WARNING)])
def test_the_running_proxy_runs_this_file_or_another(gateway: Callable[..., Subject], same: bool, level: str):
    made = gateway("admin: {address: '127.0.0.1:0'}\n")
    made = replace(made, running=True, runs=made.snapshot.digest if same else "other")

    found = list(ports(made))

    assert levels(found)["proxy"] == level


def test_an_address_of_another_machine_is_an_error(gateway: Callable[..., Subject]):
    found = list(ports(gateway("listen: {address: '192.0.2.1:80'}\nadmin: {address: '127.0.0.1:0'}\n")))

    assert found[0].level == ERROR


def test_a_socket_in_no_folder_is_an_error(gateway: Callable[..., Subject]):
    found = list(ports(gateway("listen: {address: 'unix:nowhere/s.sock'}\n")))

    assert "no folder" in found[0].what


def test_more_connections_than_descriptors_is_an_error_with_the_number_to_set(gateway: Callable[..., Subject]):
    found = list(limits(gateway("listen: {limits: {connections: 500000000}}\n")))

    assert found[0].level == ERROR
    assert "LimitNOFILE=500000" in found[0].advice


def test_unlimited_connections_are_warned_about(gateway: Callable[..., Subject]):
    assert next(limits(gateway("listen: {limits: {connections: 0}}\n"))).level == WARNING


def test_a_disk_too_small_for_the_differences_is_warned_about(gateway: Callable[..., Subject]):
    found = levels(list(limits(gateway("diffs: {max_bytes: 900000GiB}\n"))))

    assert found["disk"] == WARNING


def test_a_file_that_everybody_may_write_is_an_error(gateway: Callable[..., Subject]):
    made = gateway()
    made.config.chmod(0o666)

    assert levels(list(modes(made)))["configuration"] == ERROR


@pytest.mark.parametrize(("mode", "level"), [(0o600, OK), (0o640, WARNING), (0o604, WARNING)])
def test_a_store_is_for_its_owner_alone(gateway: Callable[..., Subject], mode: int, level: str):
    made = gateway('store: "sqlite:strangler.db"\n')
    (made.base / "strangler.db").touch()
    (made.base / "strangler.db").chmod(mode)

    assert levels(list(modes(made)))["store"] == level


def test_a_key_file_that_is_missing_is_an_error(gateway: Callable[..., Subject]):
    made = gateway(environ={"STRANGLER_JWT_KEY_FILE": "nowhere.pem"})

    assert levels(list(modes(made)))["STRANGLER_JWT_KEY_FILE"] == ERROR


# ── nginx ──


def test_the_shipped_nginx_file_is_without_fault(gateway: Callable[..., Subject]):
    made = gateway(
        "listen: {address: '127.0.0.1:8080', trusted_proxies: [127.0.0.1/32]}\nidentity: ['header:X-User-Id']\n",
        nginx=NGINX,
    )

    assert {one.level for one in nginx(made)} == {OK}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("proxy_set_header X-Forwarded-For $remote_addr;", "", "x-forwarded-for"),
        ("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for", "of their own address"),
        ('proxy_set_header X-User-Id "";', "", "X-User-Id"),
        ("proxy_http_version 1.1;", "", "HTTP/1.0"),
        ("proxy_buffering on;", "proxy_buffering off;", "proxy_buffering is off"),
        ("proxy_request_buffering on;", "proxy_request_buffering off;", "proxy_request_buffering is off"),
        ("proxy_set_header Connection $strangler_connection;", "", "closes its connection"),
        (
            "proxy_set_header X-Forwarded-Proto $scheme;",
            "# proxy_set_header X-Forwarded-Proto $scheme;",
            "x-forwarded-proto",
        ),
    ],
)
def test_what_nginx_leaves_out_is_told(gateway: Callable[..., Subject], old: str, new: str, told: str):
    assert old in NGINX
    made = gateway(
        "listen: {address: '127.0.0.1:8080', trusted_proxies: [127.0.0.1/32]}\nidentity: ['header:X-User-Id']\n",
        nginx=NGINX.replace(old, new),
    )

    found = [one for one in nginx(made) if one.level != OK]

    assert told in texts(found)
    assert all(one.advice for one in found)


@pytest.mark.parametrize("trusted", ["[]", "[10.0.0.0/8]"])
def test_an_nginx_that_is_not_trusted_is_told(gateway: Callable[..., Subject], trusted: str):
    made = gateway(f"listen: {{address: '127.0.0.1:8080', trusted_proxies: {trusted}}}\n", nginx=NGINX)

    assert "trusted" in texts([one for one in nginx(made) if one.level == WARNING])


def test_an_nginx_that_leads_elsewhere_is_no_business_of_ours(gateway: Callable[..., Subject]):
    made = gateway("listen: {address: '127.0.0.1:8081'}\n", nginx="server { proxy_pass http://127.0.0.1:3000; }")

    assert [one.level for one in nginx(made)] == [OK]


# ── what has to be asked ──


async def with_backend(gateway: Callable[..., Subject], answer: bytes, health: str = "") -> list[Found]:
    backend = Backend(always(answer))
    await backend.start()
    try:
        made = gateway(
            f"backends: {{legacy: {{url: '{backend.url}'{health}}}, modern: {{url: 'http://127.0.0.1:1'}}}}\n"
        )
        return [one async for one in backends(made)]
    finally:
        await backend.stop()


async def test_a_backend_that_is_not_there_is_an_error(gateway: Callable[..., Subject]):
    found = await with_backend(gateway, ok())

    assert levels(found) == {"backend legacy": OK, "backend modern": ERROR}


async def test_a_health_page_that_says_no_is_an_error(gateway: Callable[..., Subject]):
    found = await with_backend(gateway, ok(status="503 No"), ", health: {path: /up}")

    assert levels(found)["backend legacy"] == ERROR
    assert "/up answers 503" in found[0].what


async def test_a_clock_that_is_wrong_is_told(gateway: Callable[..., Subject]):
    found = await with_backend(gateway, ok(b"", "Date: Sat, 01 Jan 2000 00:00:00 GMT"))

    assert found[1].level == WARNING
    assert "s apart" in found[1].what


async def test_a_store_that_is_no_database_is_an_error(gateway: Callable[..., Subject]):
    made = gateway('store: "sqlite:strangler.db"\n')
    (made.base / "strangler.db").write_bytes(b"rubbish" * 1000)

    assert [one.level async for one in stores(made)] == [ERROR]


async def test_a_sound_store_is_fine_with_no_trace_left(gateway: Callable[..., Subject]):
    made = gateway('store: "sqlite:strangler.db"\n')
    with closing(sqlite3.connect(made.base / "strangler.db")) as connection:
        connection.execute("CREATE TABLE a (b)")

    assert [one.level async for one in stores(made)] == [OK]
    assert sorted(path.name for path in made.base.iterdir()) == ["proxy.yaml", "strangler.db"]


async def test_a_redis_that_is_not_there_is_an_error(gateway: Callable[..., Subject]):
    found = [one async for one in stores(gateway('store: "redis://127.0.0.1:1/0"\n'))]

    assert found[0].level == ERROR


async def test_a_check_that_breaks_keeps_no_other_from_running(gateway: Callable[..., Subject]):
    made = gateway(nginx=7)

    found = await examined(made)

    assert [one.about for one in found if "mistake of ours" in one.advice] == ["nginx"]
    assert any(one.about == "store" for one in found)


@pytest.mark.parametrize(("listening", "url"), [("127.0.0.1", "localhost"), ("0.0.0.0", "127.0.0.1")])
async def test_a_backend_that_is_our_own_listener_is_a_loop(gateway: Callable[..., Subject], listening: str, url: str):
    text = (
        f"listen: {{address: '{listening}:8099', via: {{passes: 2}}}}\n"
        f'backends: {{legacy: {{url: "http://{url}:8099"}}, modern: {{url: "http://{url}:8098"}}}}\n'
    )

    found = [one async for one in backends(gateway(text))]

    assert [one.about for one in found if "our own listener" in one.what] == ["backend legacy"]


async def test_a_name_of_this_machine_is_our_own_listener_where_that_is_everywhere(gateway: Callable[..., Subject]):
    text = (
        "listen: {address: '0.0.0.0:8099'}\n"
        f'backends: {{legacy: {{url: "http://{socket.gethostname()}:8099"}}, modern: {{url: "http://192.0.2.1:8099"}}}}\n'
    )

    found = [one async for one in backends(gateway(text))]

    assert [one.about for one in found if "our own listener" in one.what] == ["backend legacy"]


def account(name: str, uid: int, shell: str) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", "/", shell))


def test_other_users_are_those_who_can_log_in_and_those_whose_programs_run():
    accounts = [
        account("root", 0, "/bin/bash"), account("sync", 4, "/bin/sync"), account("postgres", 101, "/bin/bash"),
        account("strangler", 1003, "/bin/sh"), account("anna", 1001, "/usr/bin/zsh"),
        account("mailbox", 1002, "/usr/sbin/nologin"), account("nobody", 65534, "/bin/sh"),
    ]  # fmt: skip

    assert other_users(1003, accounts, {0, 1003}) == ("anna",)
    assert other_users(0, accounts[:4], {0, 4242424}) == ("strangler", "user 4242424")
    assert other_users(1001, accounts, {0, 1001}) == ("strangler",)
    assert other_users(0, accounts[:3], {0}) == ()


def test_a_port_that_asks_for_no_token_is_looked_at_with_those_who_reach_it(gateway: Callable[..., Subject]):
    admin = "admin: {address: '127.0.0.1:0'}\n"
    (found,) = reachable(gateway(admin))

    assert "asks for no token" in found.what
    assert (found.level == WARNING) == bool(users_here(absent=True))
    assert list(reachable(gateway(admin, environ={"STRANGLER_VIEW_TOKEN": "v" * 16}))) == []
    assert list(reachable(gateway("admin: {address: 'unix:admin.sock'}\n"))) == []


@pytest.mark.parametrize(
    ("tls", "said", "advice"),
    [("", "tokens travel in clear", "set admin.tls"), (", tls: {cert: c, key: k}", "from other machines", "firewall")],
)
def test_an_admin_port_for_other_machines_without_tls_is_advised_to_have_it(
    gateway: Callable[..., Subject], tls: str, said: str, advice: str
):
    found = next(
        one for one in ports(gateway(f"admin: {{address: '0.0.0.0:0'{tls}}}\n")) if one.about == "admin.address"
    )

    assert (found.level, said in found.what, advice in found.advice) == (WARNING, True, True)
    assert ("in clear" in found.what) is not bool(tls)
