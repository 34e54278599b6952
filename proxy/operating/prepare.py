"""Reads a configuration file with everything around it that must be there before it may run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from proxy.errors import BadAddressError
from proxy.settings import parse_address
from rules.load import load_with_warnings
from rules.model import Snapshot
from rules.problems import ERROR, WARNING, ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that may run: checked, with its warnings; `content` is the hash of its bytes."""

    snapshot: Snapshot
    warnings: tuple[Problem, ...]
    content: str


def content_hash(data: bytes) -> str:
    """Return what tells two versions of a file apart."""
    return sha256(data).hexdigest()


def prepare(path: Path, environ: Mapping[str, str] | None = None) -> Prepared:
    """Return the file at `path` ready to run, or raise ConfigError with every problem."""
    environ = os.environ if environ is None else environ
    source = str(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError((Problem(source, 1, 1, f"cannot be read: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError((Problem(source, line, 1, "is not UTF-8"),)) from error
    snapshot, warnings = load_with_warnings(text, source, environ=environ)
    around = tuple(check_around(snapshot, source, path.parent, environ))
    problems = [problem for problem in around if problem.level == ERROR]
    if problems:
        raise ConfigError(tuple(problems))
    return Prepared(snapshot, (*warnings, *around), content_hash(data))


def check_around(
    snapshot: Snapshot, source: str, base_dir: Path, environ: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield what is missing of the files, addresses, variables that `snapshot` names."""
    for check in _CHECKS:
        yield from check(snapshot, source, base_dir, environ)


Check = Callable[[Snapshot, str, Path, Mapping[str, str]], Iterator[Problem]]


def _addresses(snapshot: Snapshot, source: str, base: Path, _: Mapping[str, str]) -> Iterator[Problem]:
    for key, text in (("listen.address", snapshot.listen.address), ("admin.address", snapshot.admin.address)):
        try:
            parse_address(text, base)
        except BadAddressError as error:
            yield Problem(source, 1, 1, f"{key}: {error}")


def _files(snapshot: Snapshot, source: str, base: Path, _: Mapping[str, str]) -> Iterator[Problem]:
    wanted: list[tuple[str, str | None]] = []
    if snapshot.listen.tls is not None:
        wanted += [("listen.tls.cert", snapshot.listen.tls.cert), ("listen.tls.key", snapshot.listen.tls.key)]
    wanted += [
        (f"backends.{backend.name}.tls.ca", backend.tls.ca)
        for backend in snapshot.backends
        if backend.tls is not None and any(url.startswith("https://") for url in backend.urls)
    ]
    for key, name in wanted:
        if name is not None and not os.access(base / name, os.R_OK):
            yield Problem(source, 1, 1, f"{key}: {name} cannot be read")


def _tokens(snapshot: Snapshot, source: str, base: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    try:
        address = parse_address(snapshot.admin.address, base)
    except BadAddressError:
        return
    if not address.is_loopback and not environ.get(snapshot.admin.token_env):
        yield Problem(
            source,
            1,
            1,
            f"admin.address {address} can be reached from other machines, but {snapshot.admin.token_env} is not set",
            "set the token, or listen on 127.0.0.1",
        )


def _variables(snapshot: Snapshot, source: str, _: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    for hook in snapshot.notify:
        for name in filter(None, (hook.url_env, hook.secret_env)):
            if not environ.get(name):
                yield Problem(source, 1, 1, f"notify: {name} is not set", "", WARNING)
    wanted = {"jwt": ("STRANGLER_JWT_KEY", "STRANGLER_JWT_KEY_FILE"), "laravel": ("APP_KEY",)}
    for identity in snapshot.identity:
        names = wanted.get(identity.partition(":")[0], ())
        if names and not any(environ.get(name) for name in names):
            said = " nor ".join(names)
            yield Problem(
                source, 1, 1, f"identity {identity}: {said} is not set", "nobody is known by it until then", WARNING
            )


_CHECKS: tuple[Check, ...] = (_addresses, _files, _tokens, _variables)
