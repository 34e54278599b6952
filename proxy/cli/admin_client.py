"""Talks to the admin port of a running proxy."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import orjson

from proxy.settings import (
    EXIT_NO,
    EXIT_USAGE,
    Address,
    ProxyError,
    UnknownProxyError,
    UnreachableError,
    parse_address,
    why_unread,
)
from rules.model import Admin, ListenTls

_TIMEOUT = 35.0
NO_FIELDS: Mapping[str, str] = MappingProxyType({})
_SECTION = re.compile(r"^admin:.*\n?(?:[ \t]+.*\n?|\n)*", re.MULTILINE)
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - not bound here, replaced by loopback


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the admin port, its JSON read."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the proxy did what it was asked for."""
        return self.status < HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Client:
    """Where the proxy is, how to prove who we are.

    `authorities` is a file of certificates to trust beside the machine's: the proxy's own, where the file names it.
    """

    url: str
    token: str
    authorities: str = ""

    def get(self, path: str) -> Reply:
        """Return the answer to a question."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any], fields: Mapping[str, str] = NO_FIELDS) -> Reply:
        """Return the answer to a command; `fields` go into its head."""
        return self._ask("POST", path, orjson.dumps(body), fields)

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """Yield the events of a stream, each as its name and its JSON; they end when the proxy ends the stream.

        RefusedError where the proxy refuses; UnreachableError when the connection breaks, or is silent for longer
        than any stream of the proxy is.
        """
        connection = _connection(self.url, self.authorities)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            connection.request("GET", path, None, headers)
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise RefusedError(_reply(self.url, answer.status, answer.read()))
            yield _events(answer)
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"no proxy answers at {self.url}: {error}") from error
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, fields: Mapping[str, str] = NO_FIELDS) -> Reply:
        headers = {"Content-Type": "application/json", **fields} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = _connection(self.url, self.authorities)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"no proxy answers at {self.url}: {error}") from error
        finally:
            connection.close()
        return _reply(self.url, answer.status, data)


class RefusedError(ProxyError):
    """The proxy refused a stream; the text is why. 2 for what can never be right, 1 for what is not possible now."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body.get("detail", "refused")))
        self.exit_code = EXIT_NO if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else EXIT_USAGE


def _events(answer: HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Yield server-sent events (WHATWG HTML 9.2) as the admin port writes them: one line of data each."""
    name = ""
    while line := answer.readline():
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, orjson.loads(value)


def client(config: str, admin: str) -> Client:
    """Return the client for the proxy that runs `config`, or listens at the URL `admin`.

    UnknownProxyError where neither says which one that is.
    """
    settings, base_dir = _admin_of(config, needed=not admin), Path(config).absolute().parent
    token = os.environ.get(settings.token_env) or os.environ.get(settings.view_token_env, "")
    authorities = str(base_dir / settings.tls.cert) if settings.tls is not None else ""
    scheme = "http" if settings.tls is None else "https"
    return Client(admin or _url(parse_address(settings.address, base_dir), scheme), token, authorities)


def _admin_of(config: str, *, needed: bool) -> Admin:
    """Return where the file says the admin port is; a broken file may still say that much.

    A missing one is an error where it is `needed`.
    """
    from rules.config import load
    from rules.problems import ConfigError

    try:
        text = Path(config).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if not needed:
            return Admin()
        why = why_unread(error) if isinstance(error, OSError) else "it is no text"
        hint = "name the file with -c, or the proxy with --admin URL"
        raise UnknownProxyError(f"{config} cannot be read: {why}; which proxy is meant? {hint}") from error
    try:
        return load(text, config).admin
    except ConfigError:
        return _salvaged(text)


def _parsed(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _salvaged(text: str) -> Admin:
    document = _parsed(text)
    if document is None and (section := _SECTION.search(text)) is not None:
        # what is broken may stand anywhere else: a rollback is wanted most when the file is half written
        document = _parsed(section.group())
        if document is None:
            raise UnknownProxyError("the file's `admin` cannot be read; name the proxy with --admin URL")
    admin = document.get("admin") if isinstance(document, dict) else None
    written = admin.items() if isinstance(admin, dict) else ()
    known = {field: value for field, value in written if isinstance(value, str)}
    overridden = os.environ.get("STRANGLER_ADMIN__ADDRESS")
    tls = admin.get("tls") if isinstance(admin, dict) else None
    files = [str(tls[key]) for key in ("cert", "key") if key in tls] if isinstance(tls, dict) else []
    default = Admin()
    return Admin(
        address=overridden or known.get("address", default.address),
        token_env=known.get("token_env", default.token_env),
        view_token_env=known.get("view_token_env", default.view_token_env),
        tls=ListenTls(files[0], files[1]) if len(files) == 2 else None,  # noqa: PLR2004 - a certificate and its key
    )


def _url(address: Address, scheme: str) -> str:
    return reachable(address).url(scheme)


def reachable(address: Address) -> Address:
    """Return where a client of this machine finds what listens at `address`."""
    return Address("127.0.0.1", address.port) if address.host in _ANY_ADDRESS else address


def _connection(url: str, authorities: str) -> HTTPConnection:
    if url.startswith("unix:"):
        return _UnixConnection(url.removeprefix("unix:"))
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.hostname or "127.0.0.1"
    if parts.scheme != "https":
        return HTTPConnection(host, parts.port, timeout=_TIMEOUT)
    return HTTPSConnection(host, parts.port, timeout=_TIMEOUT, context=_trusting(host, authorities))


def _trusting(host: str, authorities: str) -> ssl.SSLContext:
    """Trust the machine's authorities, and the proxy's own certificate where we can read it.

    On loopback, which certificates seldom name, that very certificate is proof enough.
    """
    context = ssl.create_default_context()
    if authorities:
        try:
            context.load_verify_locations(authorities)
        except (OSError, ssl.SSLError) as error:
            raise UnreachableError(f"{authorities} cannot be read: {error} (admin.tls)") from error
        context.check_hostname = not Address(host).is_loopback
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _reply(url: str, status: int, data: bytes) -> Reply:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreachableError(f"{url} answers, but it is not a proxy's admin port") from error
    reply = Reply(status, body if isinstance(body, dict) else {"items": body})
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST):
        raise ProxyError(f"the proxy refuses: {reply.body.get('detail', status)}")
    return reply
