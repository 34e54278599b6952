"""Reads and checks the file and everything it names; the loading process."""

from __future__ import annotations

import grp
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from proxy.control.hooks import unimportable
from proxy.control.override_changes import begun_with
from proxy.ipc.codec import LOADER, Loaded
from proxy.settings import EXIT_USAGE, EXIT_YES, BadAddressError, Settings, is_legacy_only, parse_address, why_unread
from proxy.state.bindable import COMPILING, unbindable, with_texts
from proxy.state.identity_keys import Keys, keys_from
from proxy.state.live import Configuration, Prepared
from proxy.storage import is_shared
from proxy.storage.store import StoreError
from proxy.storage.store_sqlite import kept, known
from rules.config.loader import Draft, drafted, overrides, placed
from rules.model import Snapshot
from rules.problems import ERROR, WARNING, ConfigError, Finding, Problem


def prepare(path: Path, environ: Mapping[str, str] | None = None, users: Sequence[str] = ()) -> Prepared:
    """Return the file at `path` ready to run, or raise ConfigError with every problem.

    `users` are the others of this machine, who reach what listens on loopback: no token there is warned about.
    """
    source = str(path)
    data = _read(path, source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError((Problem(source, line, 1, "is not UTF-8"),)) from error
    environ = os.environ if environ is None else environ
    return _prepared(text, path, sha256(data).hexdigest(), environ, environ, users=users)


def prepare_text(text: str, path: Path, *, variables: bool, environ: Mapping[str, str] | None = None) -> Prepared:
    """Return `text` ready to run as if it were the file at `path`, or raise ConfigError with every problem.

    Without `variables` a `${NAME}` is never substituted: the author of the text may not
    read our environment, nor learn from a problem which files, variables or groups exist: nothing outside the text
    is read. Functions that it names are never imported. Process settings from variables are no secrets.
    """
    environ = os.environ if environ is None else environ
    fills = environ if variables else {name: value for name, value in environ.items() if overrides(name)}
    content = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return _prepared(text, path, content, environ, fills, hooks=False, around=variables, most_routes=MOST_PLANNED)


MOST_PLANNED = 5000
"""The most routes of a text that comes through the API: 30,000 took eleven seconds and 285 MiB of control."""


def _prepared(
    text: str,
    path: Path,
    content: str,
    environ: Mapping[str, str],
    fills: Mapping[str, str],
    *,
    hooks: bool = True,
    around: bool = True,
    most_routes: int = 0,
    users: Sequence[str] = (),
) -> Prepared:
    draft = drafted(text, str(path), fills, most_routes)
    if draft.snapshot is None:
        raise ConfigError(placed(draft.document, draft.findings))
    snapshot = with_texts(draft.snapshot, path.parent) if around else draft.snapshot
    found = [*check_around(snapshot, path.parent, environ)] if around else []
    if not any(one.level == ERROR for one in (*draft.findings, *found)):
        found += _open_to(users, snapshot, path.parent, environ)
    if hooks:
        found += unimportable(snapshot, path.parent)
    problems = placed(draft.document, (*draft.findings, *_by_the_file(found, snapshot, draft)))
    if any(problem.level == ERROR for problem in problems):
        raise ConfigError(problems)
    return Prepared(snapshot, problems, content)


def _read(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError((Problem(source, 1, 1, f"cannot be read: {why_unread(error)}"),)) from error


def _by_the_file(found: Iterable[Finding], snapshot: Snapshot, draft: Draft) -> Iterator[Finding]:
    """Count the routes of the file: the snapshot of a broken one lacks the wrong ones."""
    broken = any(one.level == ERROR for one in draft.findings)
    routes = draft.document.data.get("routes") if isinstance(draft.document.data, dict) else None
    listed = routes if isinstance(routes, list) else []
    names = [route.get("name") if isinstance(route, dict) else None for route in listed]
    for one in found:
        if broken and one.kind == COMPILING:
            continue
        match one.path:
            case ("routes", int(position), *rest) if snapshot.routes[position].name in names:
                yield replace(one, path=("routes", names.index(snapshot.routes[position].name), *rest))
            case _:
                yield one


def check_around(snapshot: Snapshot, base_dir: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is missing of the files, addresses, variables that `snapshot` names."""
    for check in _CHECKS:
        yield from check(snapshot, base_dir, environ)


Check = Callable[[Snapshot, Path, Mapping[str, str]], Iterator[Finding]]


def _addresses(snapshot: Snapshot, base: Path, _: Mapping[str, str]) -> Iterator[Finding]:
    for key, text in (("listen", snapshot.listen.address), ("admin", snapshot.admin.address)):
        try:
            parse_address(text, base)
        except BadAddressError as error:
            yield Finding((key, "address"), str(error))


def _tokens(snapshot: Snapshot, base: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        address = parse_address(snapshot.admin.address, base)
    except BadAddressError:
        return
    names = snapshot.admin.token_env, snapshot.admin.view_token_env
    if not address.is_loopback and not environ.get(names[0]):
        yield Finding(
            ("admin", "address"),
            f"{address} can be reached from other machines, but {names[0]} is not set",
            "set the token, or listen on 127.0.0.1",
        )
    level = WARNING if address.is_loopback else ERROR
    for message, hint in weak_tokens(names, environ):
        yield Finding(("admin", "address"), message, hint, level=level)


_NAMED = 3
"""Users that a warning names; the others are counted."""


def _open_to(users: Sequence[str], snapshot: Snapshot, base: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield that `users` may roll back, change weights, read: on loopback, where no token is set."""
    try:
        address = parse_address(snapshot.admin.address, base)
    except BadAddressError:
        return
    names = snapshot.admin.token_env, snapshot.admin.view_token_env
    # a Unix socket is closed to them by its mode
    if users and address.is_loopback and not address.path and not any(environ.get(name, "").strip() for name in names):
        more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
        yield Finding(
            ("admin", "address"),
            f"{address} takes everything from every user of this machine ({', '.join(users[:_NAMED])}{more}): "
            "no token is set",
            f"set {names[0]} (openssl rand -hex 24), or listen on a Unix socket, which only its owner can open",
            level=WARNING,
        )


SHORTEST_TOKEN = 16
"""Characters: a shorter token could be guessed even at one try a second."""


def weak_tokens(names: tuple[str, str], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the admin port's tokens that are set, never their values."""
    tokens = [environ.get(name, "") for name in names]
    hint = "make one with: openssl rand -hex 24"
    for name, token in zip(names, tokens, strict=True):
        if token and not token.strip():
            yield f"{name} is blank", hint
        elif token and len(token.strip()) < SHORTEST_TOKEN:
            yield f"{name} has fewer than {SHORTEST_TOKEN} characters and can be guessed", hint
    if tokens[0].strip() and tokens[0].strip() == tokens[1].strip():
        yield f"{names[0]} and {names[1]} are the same: every viewer may change things", hint


def _socket_files(snapshot: Snapshot, _base: Path, _: Mapping[str, str]) -> Iterator[Finding]:
    listen = snapshot.listen
    written = [(key, value) for key, value in (("mode", listen.mode), ("group", listen.group)) if value]
    if written and not listen.address.startswith("unix:"):
        for key, _value in written:
            yield Finding(("listen", key), f"`{key}` is of a Unix socket; {listen.address} is none", level=WARNING)
        return
    if listen.group:
        try:
            grp.getgrnam(listen.group)
        except KeyError:
            yield Finding(("listen", "group"), f"there is no group {listen.group} on this machine")


def _variables(snapshot: Snapshot, _: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    for index, hook in enumerate(snapshot.notify):
        for key, name in (("url_env", hook.url_env), ("secret_env", hook.secret_env)):
            if name and not environ.get(name):
                yield Finding(("notify", index, key), f"{name} is not set", level=WARNING)
    wanted = {"jwt": ("STRANGLER_JWT_KEY", "STRANGLER_JWT_KEY_FILE"), "laravel": ("APP_KEY",)}
    for index, identity in enumerate(snapshot.identity):
        keys = wanted.get(identity.partition(":")[0], ())
        if keys and not any(environ.get(name) for name in keys):
            hint = "it identifies no user until then"
            yield Finding(("identity", index), f"{' or '.join(keys)} is not set", hint, level=WARNING)


def _bindable(snapshot: Snapshot, base: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    keys = Keys()
    try:
        keys = keys_from(environ, base)
    except (OSError, ValueError) as error:
        yield Finding(("identity",), str(error))
    yield from unbindable(snapshot, base, keys)


def _compared(snapshot: Snapshot, _: Path, __: Mapping[str, str]) -> Iterator[Finding]:
    """Check each `compare:` as the judges will read it."""
    from comparators.policy import Policy

    for position, route in enumerate(snapshot.routes):
        try:
            Policy.from_mapping(route.compare)
        except ValueError as error:
            yield Finding(("routes", position, "compare"), str(error))


def _store(snapshot: Snapshot, _: Path, __: Mapping[str, str]) -> Iterator[Finding]:
    if is_shared(snapshot.store) and find_spec("redis") is None:
        yield Finding(("store",), "the Redis client is not installed", "pip install 'strangler-proxy[fleet]'")


def _ledger(snapshot: Snapshot, _: Path, __: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the entries that count again because the day until which they were ignored has passed."""
    today = datetime.now(tz=UTC).date().isoformat()
    for index, route in enumerate(snapshot.routes):
        for at, entry in enumerate(route.compare.get("ignore", ())):
            until = str(entry.get("until") or "") if isinstance(entry, Mapping) else ""
            if until and until < today:
                yield Finding(
                    ("routes", index, "compare", "ignore", at),
                    f"`{entry['path']}` of {route.name} was ignored until {until}: it counts again"
                    + (f" (asked for by {entry['owner']})" if entry.get("owner") else ""),
                    "take the entry out, or write a later day",
                    level=WARNING,
                )


_CHECKS: tuple[Check, ...] = (_addresses, _tokens, _socket_files, _variables, _bindable, _compared, _store, _ledger)


# Finds the key that signs the proxy's own cookies.


_NAME = "sticky"


def sticky_key(store: str, base: Path, environ: Mapping[str, str], complain: Callable[[str], None]) -> str:
    """STRANGLER_STICKY_KEY, else the one in the store, created there the first time.

    Without a lasting store, users who are known only by the cookie are unknown after a restart:
    `complain` gets a warning, the proxy runs all the same.
    """
    given = environ.get("STRANGLER_STICKY_KEY", "")
    if given:
        return given
    made = secrets.token_hex(32)
    try:
        if is_shared(store):
            from proxy.storage.store_redis import value_at_start

            return value_at_start(store, _NAME, made, environ)
        if not store.startswith("sqlite:"):
            return made
        return kept(base / store.removeprefix("sqlite:"), _NAME, made)
    except (OSError, sqlite3.Error, StoreError) as error:
        complain(f"the sticky key cannot be kept in {store}: {error}; it will be another one after a restart")
        return made


def known_sticky_key(store: str, file: str) -> str:
    """Return the key with which a proxy under `file` signs its cookies, where its store can be read from here.

    Else a new one: then no cookie is valid, and every user gets a new id.
    """
    path = Path(file).absolute().parent / store.removeprefix("sqlite:")
    found = known(path, _NAME) if store.startswith("sqlite:") else ""
    return found or secrets.token_hex(32)


# The loading process: checks the file once, prints what the supervisor passes to its children.


FIRST_GENERATION = 1


def main(arguments: list[str]) -> int:
    """Print the file `arguments[0]` as a message; `arguments[1]` overrides its number of workers."""
    path = Path(arguments[0]).absolute()  # not resolved: a ConfigMap swaps the link
    try:
        prepared = prepare(path)
    except ConfigError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return EXIT_USAGE
    sys.stderr.writelines(f"{problem}\n" for problem in prepared.warnings)
    snapshot = prepared.snapshot
    legacy_only = is_legacy_only(os.environ)
    store = "memory" if legacy_only else snapshot.store
    keys = keys_from(os.environ, path.parent)
    key = sticky_key(store, path.parent, os.environ, lambda text: print(text, file=sys.stderr))  # noqa: T201 - as problems
    overrides = begun_with(store, path.parent, snapshot, lambda text: print(text, file=sys.stderr))  # noqa: T201 - as above
    configuration = Configuration(
        FIRST_GENERATION,
        snapshot,
        overrides,
        legacy_only,
        time.time(),
        prepared.content,
        prepared.warnings,
        sticky_key=key,
        jwt_key=keys.jwt,
    )
    settings = Settings(
        config=str(path),
        listen=snapshot.listen.address,
        admin=snapshot.admin.address,
        store=snapshot.store,
        file_workers=snapshot.listen.workers,
        workers=int(arguments[1]) if arguments[1] else snapshot.listen.workers,
        drain=snapshot.listen.drain,
        tls=snapshot.listen.tls is not None,
        legacy_only=legacy_only,
        instance=secrets.token_hex(4),
        admin_tls=snapshot.admin.tls is not None,
        mode=snapshot.listen.mode,
        group=snapshot.listen.group,
    )
    sys.stdout.buffer.write(LOADER.pack(Loaded(settings, configuration.pack())))
    return EXIT_YES
