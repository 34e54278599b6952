from __future__ import annotations

import os
import pwd
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.paymenter.sides import find_program
from tests.examples.asking import ask

CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"

# What a proxy behind this nginx may believe, sent by a client who has no business to.
FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-User": "evil",
    "X-Real-IP": "6.6.6.6",
    "X-Request-Id": "evil",
    "X-User-Id": "evil",
    "Forwarded": "for=6.6.6.6",
    "Proxy": "http://evil.example",
    "X-Shadow": "evil",
    "X-Shadow-Id": "evil",
    "X-Shadow-Time": "evil",
    "X-Shadow-Dry-Run": "evil",
    "X-Strangler-Force": "evil",
    "X-Strangler-Debug": "evil",
    "X-Strangler-Decline": "evil",
    "X-Strangler-Route": "evil",
    "X-Strangler-Side": "evil",
    "X-Strangler-Bucket": "evil",
    "X-Strangler-Reason": "evil",
}


@dataclass
class Edge:
    """An nginx with the deployed file, in front of two addresses."""

    host: str
    port: int
    database: object


@pytest.fixture
def edge(tmp_path, started_sides):
    """The deployed file with its three addresses replaced; the proxy's socket is there, but nothing listens yet."""
    proxy = socket.socket()
    proxy.bind(("127.0.0.1", 0))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = CONF.read_text()
    for old, new in (
        ("listen 127.0.0.1:80;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8080 max_fails", f"127.0.0.1:{proxy.getsockname()[1]} max_fails"),
        ("127.0.0.1:9001 backup", f"{started_sides.legacy.address} backup"),
    ):
        assert old in site
        site = site.replace(old, new)
    (tmp_path / "site.conf").write_text(site)
    temporary = "".join(
        f"{part}_temp_path {tmp_path}/{part}; " for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"{user} daemon off; worker_processes 1; pid {tmp_path}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {temporary}\ninclude {tmp_path}/site.conf; }}\n"
    )
    nginx = find_program("nginx", package="nginx-light")
    with (tmp_path / "nginx.log").open("wb") as log:
        process = subprocess.Popen([nginx, "-c", str(main), "-e", "stderr"], stderr=log)
    try:
        _wait_for(port)
        yield Edge("127.0.0.1", port, started_sides.database), proxy
    finally:
        process.terminate()
        process.wait(5)
        proxy.close()


def _wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
            threading.Event().wait(0.02)
    pytest.fail("nginx does not listen")


def _answer_once(listener, heard):
    connection, _ = listener.accept()
    with connection:
        heard.append(connection.recv(65536).decode("latin-1"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def test_without_the_proxy_legacy_answers_every_method(edge):
    front, _ = edge
    message = {"message": "while the proxy is away"}

    answers = [
        ask(front, "GET", "/api/me", user=42),
        ask(front, "PUT", "/api/me", user=42, body={"first_name": "Ada"}),
        ask(front, "POST", "/api/v1/admin/tickets/5/messages", user=1, body=message),
        ask(front, "GET", "/nowhere"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 201, 404]
    assert all(answer.headers["x-powered-by"].startswith("PHP") for answer in answers)


def test_no_header_that_the_proxy_believes_comes_from_outside(edge):
    front, proxy = edge
    proxy.listen()
    heard = []
    listener = threading.Thread(target=_answer_once, args=(proxy, heard))
    listener.start()

    answer = ask(front, "GET", "/api%2Fme?x=%41&y=//", headers=FORGED | {"Cookie": "uid=42"})
    listener.join(5)

    head, *lines = heard[0].split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert answer.body == b"ok"
    assert head == "GET /api%2Fme?x=%41&y=// HTTP/1.1"
    assert "evil" not in heard[0]
    assert "6.6.6.6" not in heard[0]
    assert fields["X-Forwarded-For"] == fields["X-Real-IP"] == "127.0.0.1"
    assert fields["X-Forwarded-Proto"] == "http"
    assert fields["Host"] == fields["X-Forwarded-Host"] == f"127.0.0.1:{front.port}"
    assert len(fields["X-Request-Id"]) == 32
    assert fields["Cookie"] == "uid=42"
    assert "Connection" not in fields


def test_every_header_the_test_forges_is_dealt_with_in_the_file():
    text = CONF.read_text()

    assert [name for name in FORGED if f"proxy_set_header {name} " not in text] == []
