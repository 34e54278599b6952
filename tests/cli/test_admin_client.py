"""Commands find the proxy where its file says, even a file that is broken by now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from proxy.cli.admin_client import client
from proxy.settings import ProxyError, UnknownProxyError, UnreachableError
from tests.support.running import config


class Handler(BaseHTTPRequestHandler):
    """Returns what the server object was set to."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], (200, b'{"a": 1}')
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def file_at(folder: Path, text: str) -> str:
    (folder / "proxy.yaml").write_text(text)
    return str(folder / "proxy.yaml")


def test_the_address_and_the_token_come_from_the_file(
    tmp_path: Path, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
):
    text = config("http://127.0.0.1:1").replace(
        '"127.0.0.1:0"}\nstore', f'"{url(server)[7:]}", token_env: MINE}}\nstore'
    )
    monkeypatch.setenv("MINE", "secret")

    reply = client(file_at(tmp_path, text), "").get("/api/v1/status")

    assert reply.ok
    assert reply.body == {"a": 1}
    assert server.asked == [("/api/v1/status", "Bearer secret")]


def test_a_broken_file_still_says_where_the_proxy_is(tmp_path: Path):
    text = 'admin: {address: "127.0.0.1:7777"}\nroutes: 7\n'

    assert client(file_at(tmp_path, text), "").url == "http://127.0.0.1:7777"


@pytest.mark.parametrize("text", ["version: [", "- 1", "admin: 7"])
def test_a_file_that_says_nothing_leaves_the_usual_place(tmp_path: Path, text: str):
    assert client(file_at(tmp_path, text), "").url == "http://127.0.0.1:9180"


def test_a_file_that_is_not_there_never_means_another_proxy(tmp_path: Path):
    missing = str(tmp_path / "missing.yaml")

    with pytest.raises(UnknownProxyError, match=r"missing\.yaml cannot be read: No such file.*--admin URL") as refused:
        client(missing, "")

    assert refused.value.exit_code == 2
    assert client(missing, "http://127.0.0.1:7777").url == "http://127.0.0.1:7777"


@pytest.mark.parametrize("section", ['admin: {address: "127.0.0.1:7777"}\n', "admin:\n  address: 127.0.0.1:7777\n\n"])
def test_a_file_that_is_half_written_still_says_where_the_proxy_is(tmp_path: Path, section: str):
    assert client(file_at(tmp_path, f"version: 1\n{section}routes: [{{"), "").url == "http://127.0.0.1:7777"


def test_a_place_that_cannot_be_read_is_not_guessed(tmp_path: Path):
    with pytest.raises(UnknownProxyError, match="--admin URL"):
        client(file_at(tmp_path, "admin: {address: [\n"), "")


def test_a_port_that_is_open_to_all_is_asked_over_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRANGLER_ADMIN_TOKEN", "x")
    text = config("http://127.0.0.1:1").replace('admin: {address: "127.0.0.1:0"', 'admin: {address: "0.0.0.0:9181"')

    assert client(file_at(tmp_path, text), "").url == "http://127.0.0.1:9181"


def test_somebody_else_at_that_port_is_told_apart(tmp_path: Path, server: ThreadingHTTPServer):
    server.answer = (200, b"<html>")

    with pytest.raises(UnreachableError, match="not a proxy's admin port"):
        client(str(tmp_path / "none"), url(server)).get("/api/v1/status")


def test_a_missing_token_is_said_plainly(tmp_path: Path, server: ThreadingHTTPServer):
    server.answer = (401, b'{"detail": "a token is needed"}')

    with pytest.raises(ProxyError, match="refuses: a token is needed"):
        client(str(tmp_path / "none"), url(server)).get("/api/v1/status")
