"""Whether files can be read by the proxy, and by no other user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject


def modes(subject: Subject) -> Iterator[Found]:
    """Look at the configuration, the store, the TLS key, the key files that variables name."""
    yield _not_written_by_others("configuration", subject.config)
    store = subject.snapshot.store
    if store.startswith("sqlite:"):
        path = subject.base / store.removeprefix("sqlite:")
        yield _private("store", path) if path.exists() else _may_appear("store", path)
    tls = subject.snapshot.listen.tls
    if tls is not None:
        yield _private("listen.tls.key", subject.base / tls.key)
    named = subject.environ.get("STRANGLER_JWT_KEY_FILE")
    if named:
        yield _private("STRANGLER_JWT_KEY_FILE", subject.base / named)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _not_written_by_others(about: str, path: Path) -> Found:
    mode = _mode(path)
    if mode & stat.S_IWOTH:
        return Found(ERROR, about, f"{path} can be written by every user of this machine", f"chmod o-w {path}")
    return Found(OK, about, f"{path} has mode {mode:04o}")


def _private(about: str, path: Path) -> Found:
    try:
        mode = _mode(path)
    except OSError as error:
        return Found(ERROR, about, f"{path}: {error.strerror}", "name a file that is there")
    if not os.access(path, os.R_OK):
        return Found(ERROR, about, f"{path} cannot be read by this user", f"chown it to the proxy's user: {path}")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Found(WARNING, about, f"{path} has mode {mode:04o}: others may read it", f"chmod 600 {path}")
    return Found(OK, about, f"{path} has mode {mode:04o}")


def _may_appear(about: str, path: Path) -> Found:
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return Found(
            ERROR, about, f"{path} cannot be made: {folder} may not be written", f"give {folder} to the proxy's user"
        )
    return Found(OK, about, f"{path} will be made at the first start")
