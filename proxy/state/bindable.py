"""What has to be compiled before a file may serve: one function for each kind of value, used by every process.

`check`, the loading process and control call `unbindable` before anything is swapped; a worker calls it on what it
receives, then the same functions when it binds. Their result depends only on their arguments: no disk, no clock. So
what passed once passes again, in a process that starts later as well.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from proxy.state.identity_keys import Keys, jwt_problem
from rules.model import Backend, BackendTls, ListenTls, Route, SidePolicy, Snapshot
from rules.problems import Finding
from rules.routing.decide import generation
from rules.routing.mirroring import mirror_of

_FUNCTIONS: Mapping[str, Mapping[str, Any]] = Functions.FUNCTION_TABLE
_CERTIFICATE = re.compile(r"-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----.+?-----END \1-----", re.DOTALL)
_REMEMBERED = 4096
COMPILING = "compiling"
"""The kind of a finding that is left out where the same route has others."""
_LARGEST = 8 << 20
"""Bytes of a file of certificates."""


class UnbindableError(ValueError):
    """A value that cannot be compiled; a retry without an edit makes no sense.

    `hint` says what to do, `key` which member of a section is meant, where it is not the one that was checked.
    """

    def __init__(self, message: str, hint: str = "", key: str = "") -> None:
        super().__init__(message)
        self.hint, self.key = hint, key


def unbindable(snapshot: Snapshot, base: Path, keys: Keys) -> Iterator[Finding]:
    """Yield everything of `snapshot` that a worker could not bind; its files lie in `base`, unless read already."""
    yield from _tls(snapshot, base)
    for position, route in enumerate(snapshot.routes):
        yield from _route(position, route)
    yield from _identity(snapshot.identity, keys)
    try:
        generation(0, snapshot)
    except Exception as error:  # noqa: BLE001 - whatever it is, a worker would meet it as well
        yield Finding(("routes",), f"cannot be compiled: {error!r}", kind=COMPILING)


# ── the kinds ──────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=_REMEMBERED)
def expression(text: str) -> ParsedResult:
    """Return a compiled JMESPath; UnbindableError for one that is broken or calls an unknown function."""
    try:
        compiled = jmespath.compile(text)
    except (JMESPathError, ValueError, RecursionError) as error:
        at = getattr(error, "lex_position", None)
        where = "" if at is None else f" at character {at + 1}"
        raise UnbindableError(f"`{text}` is no JMESPath: {_said(error)}{where}") from error
    for name, arguments in _calls(compiled.parsed):
        _check_call(text, name, arguments)
    return compiled


def client_tls(tls: ListenTls, base: Path) -> ssl.SSLContext:
    """Return the context that users' connections are accepted with, TLS 1.2 or later; UnbindableError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    renew(context, tls, base)
    return context


def renew(context: ssl.SSLContext, tls: ListenTls, base: Path) -> None:
    """Put certificate and key of `tls` into `context`: connections made from now on see them; UnbindableError."""
    cert = tls.cert_text or text_of(base / tls.cert)
    key = tls.key_text or text_of(base / tls.key)
    with _Held(cert) as cert_path, _Held(key) as key_path:
        try:
            context.load_cert_chain(cert_path, key_path, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise UnbindableError(f"{tls.cert} and {tls.key} cannot be used: {_why(error)}") from error


def upstream_tls(backend: Backend, base: Path) -> ssl.SSLContext:
    """Return how an https backend is verified; UnbindableError where its CA or server name cannot be used."""
    tls = backend.tls or BackendTls()
    context = ssl.create_default_context(cadata=_authorities(tls, base) if tls.ca else None)
    context.set_alpn_protocols(["http/1.1"])
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.server_name is not None:
        try:
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=tls.server_name)
        except (ValueError, UnicodeError) as error:
            raise UnbindableError(f"`{tls.server_name}` is no server name", key="server_name") from error
    return context


def is_https(backend: Backend) -> bool:
    """Whether any target of `backend` is reached over TLS."""
    return any(url.startswith("https://") for url in backend.urls)


# ── a snapshot's ───────────────────────────────────────────────────────────────────────────────────────


def with_texts(snapshot: Snapshot, base: Path) -> Snapshot:
    """Return `snapshot` with what its files of certificates and keys hold now.

    One that cannot be read keeps only its name.
    """
    return replace(
        snapshot,
        listen=replace(snapshot.listen, tls=_held(snapshot.listen.tls, base)),
        admin=replace(snapshot.admin, tls=_held(snapshot.admin.tls, base)),
        backends=tuple(_with_text(one, base) for one in snapshot.backends),
    )


def _held(tls: ListenTls | None, base: Path) -> ListenTls | None:
    if tls is None:
        return None
    return replace(tls, cert_text=_text_or_none(base / tls.cert), key_text=_text_or_none(base / tls.key))


def _with_text(backend: Backend, base: Path) -> Backend:
    tls = backend.tls
    if tls is None or not tls.ca or not is_https(backend):
        return backend
    return replace(backend, tls=replace(tls, ca_text=_text_or_none(base / tls.ca)))


def _text_or_none(path: Path) -> str:
    try:
        return text_of(path)
    except UnbindableError:
        return ""


def _tls(snapshot: Snapshot, base: Path) -> Iterator[Finding]:
    for name, tls in (("listen", snapshot.listen.tls), ("admin", snapshot.admin.tls)):
        if tls is not None:
            yield from _served((name, "tls"), tls, base)
    for backend in snapshot.backends:
        if is_https(backend):
            yield from _upstream(("backends", backend.name, "tls"), backend, base)


def _served(section: tuple[str, ...], tls: ListenTls, base: Path) -> Iterator[Finding]:
    unread = [*_unread((*section, "cert"), base / tls.cert, tls.cert_text)]
    unread += _unread((*section, "key"), base / tls.key, tls.key_text)
    yield from unread or _tried((*section, "cert"), lambda: client_tls(tls, base), "PEM: certificate chain, its key")


def _upstream(section: tuple[str, ...], backend: Backend, base: Path) -> Iterator[Finding]:
    tls = backend.tls or BackendTls()
    unread = [*_unread((*section, "ca"), base / tls.ca, tls.ca_text)] if tls.ca else []
    yield from unread or _tried((*section, "ca"), lambda: upstream_tls(backend, base))


def _unread(path: tuple[str, ...], file: Path, text: str) -> Iterator[Finding]:
    if not text:
        yield from _tried(path, lambda: text_of(file))


def _tried(path: tuple[str, ...], make: Callable[[], object], hint: str = "") -> Iterator[Finding]:
    try:
        make()
    except UnbindableError as error:
        yield Finding((*path[:-1], error.key or path[-1]), str(error), error.hint or hint)
    except (OSError, ValueError) as error:
        yield Finding(path, str(error), hint)


def _route(position: int, route: Route) -> Iterator[Finding]:
    for side, policy in (("legacy", route.legacy), ("modern", route.modern)):
        yield from _response(("routes", position, side, "response", "json"), policy)
    try:
        mirror_of(route)
    except Exception as error:  # noqa: BLE001 - as for the table
        yield Finding(("routes", position, "shadow"), f"cannot be compiled: {error!r}", kind=COMPILING)


def _response(path: tuple[str | int, ...], policy: SidePolicy) -> Iterator[Finding]:
    if policy.response_json:
        try:
            expression(policy.response_json)
        except UnbindableError as error:
            yield Finding(path, str(error), error.hint)


def _identity(sources: Iterable[str], keys: Keys) -> Iterator[Finding]:
    for position, source in enumerate(sources):
        if source.startswith("jwt:") and keys.jwt and (problem := jwt_problem(keys.jwt)):
            yield Finding(("identity", position), f"STRANGLER_JWT_KEY {problem}", "a public key as PEM, or any text")


# ── inside ─────────────────────────────────────────────────────────────────────────────────────────────


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        children = one.get("children", ()) if isinstance(one, Mapping) else ()
        waiting += [child for child in children if isinstance(child, Mapping)]
        if isinstance(one, Mapping) and one.get("type") == "function_expression":
            yield one["value"], list(children)


def _check_call(text: str, name: str, arguments: list[Mapping[str, Any]]) -> None:
    known = _FUNCTIONS.get(name)
    if known is None:
        from difflib import get_close_matches

        close = get_close_matches(name, _FUNCTIONS, 1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(_FUNCTIONS))}"
        raise UnbindableError(f"`{text}` calls `{name}`, which JMESPath does not have", hint)
    wanted = known["signature"]
    variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not variadic):
        least = "at least " if variadic else ""
        raise UnbindableError(f"`{text}` calls `{name}` with {len(arguments)} arguments, it takes {least}{len(wanted)}")
    for argument, kind in zip(arguments, wanted, strict=False):
        if kind.get("types") == ["expref"] and argument.get("type") != "expref":
            raise UnbindableError(f"`{text}`: `{name}` takes an expression there", "written &id: sort_by(items, &id)")


def _authorities(tls: BackendTls, base: Path) -> str:
    text = tls.ca_text or text_of(base / str(tls.ca))
    found = "\n".join(one.group() for one in _CERTIFICATE.finditer(text))
    if not found:
        raise UnbindableError(f"{tls.ca} holds no certificate as PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError) as error:
        raise UnbindableError(f"{tls.ca} cannot be used: {_why(error)}") from error
    return found


def text_of(path: Path) -> str:
    """Return the text of a file of certificates or keys; UnbindableError where it cannot be read."""
    try:
        with path.open("rb") as file:
            # comments in any encoding may stand around PEM; a device would never end
            return file.read(_LARGEST).decode("latin-1")
    except OSError as error:
        raise UnbindableError(f"{path.name} cannot be read: {error.strerror}") from error


class _Held:
    """A text as a file that only this process can open; OpenSSL reads keys from files alone."""

    def __init__(self, text: str) -> None:
        self._descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(self._descriptor), "wb") as file:
            file.write(text.encode("latin-1"))

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _no_password() -> str:
    """Refuse an encrypted key, for which OpenSSL would ask at the terminal."""
    raise ValueError("the key is encrypted")


def _why(error: Exception) -> str:
    said = re.sub(r"\[\w*\] |\s*\(_ssl\.c:\d+\)", "", str(getattr(error, "reason", None) or error))
    said = said.lower().replace("_", " ")
    return "it is no PEM, or a damaged one" if said == "pem lib" else said


def _said(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return re.sub(r"^(Invalid|Bad) (jmespath|JMESPath) expression: |: Parse error.*$", "", first).rstrip(":").lower()
