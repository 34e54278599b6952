"""Commands for support: doctor and bundle."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import re
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import orjson

from proxy.cli.admin_client import Client, client
from proxy.cli.common import print_json, print_problems, read
from proxy.cli.recordings import RecordingError
from proxy.doctor import examined
from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.doctor.nginx import dumped
from proxy.settings import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError, UnreachableError, program_version
from rules import effective
from rules.masking import Masking

_COLOURS = {OK: "32", WARNING: "33", ERROR: "31"}


def doctor(config: str, admin: str, nginx_conf: str, *, as_json: bool) -> int:
    """Print every finding; 1 when one of them is an error."""
    prepared = read(config, as_json=as_json)
    if prepared is None:
        return EXIT_USAGE
    path = Path(config)
    house = Subject(
        prepared.snapshot,
        path.absolute().parent,
        path.absolute(),
        os.environ,
        _read(nginx_conf) if nginx_conf else dumped(),
        running=bool(digest := _running_digest(config, admin)),
        runs=digest,
    )
    found = asyncio.run(examined(house))
    if as_json:
        print_json({"findings": [asdict(one) for one in found], "running": house.running})
    else:
        print_problems(prepared.warnings)
        _print(found)
    return EXIT_NO if any(one.level == ERROR for one in found) else EXIT_YES


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RecordingError(f"{name}: cannot be read: {error.strerror}") from error


def _running_digest(config: str, admin: str) -> str:
    """Return the digest of the file that the proxy at the admin address runs; empty when it is not one of ours."""
    try:
        answer = client(config, admin).get("/readyz").body.get("config")
    except ProxyError:
        return ""
    return str(answer.get("digest", "")) if isinstance(answer, dict) else ""


def _print(found: list[Found]) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for one in found:
        level = f"{one.level:<8}"
        print(f"\x1b[{_COLOURS[one.level]}m{level}\x1b[0m" if coloured else level, f"{one.about}: {one.what}")
        if one.advice:
            print(f"{'':<8} → {one.advice}")


# `strangler bundle`: an archive for support, without secrets.


ASKED: Final = {
    "status.json": "/api/v1/status",
    "config.json": "/api/v1/config",
    "events.json": "/api/v1/events",
    "report.json": "/api/v1/report",
}
"""What a running proxy is asked for. Differences stay out: they are about users."""
_CREDENTIALS: Final = re.compile(r"(://)[^/@\s\"']+@")


class NotWrittenError(ProxyError):
    """The archive could not be made."""

    exit_code = EXIT_USAGE


def bundle(config: str, admin: str, out: str, *, as_json: bool) -> int:
    """Write the archive, print where it is with what is in it."""
    name = out or time.strftime("strangler-%Y%m%d-%H%M%S.tar.gz")
    members = dict(_members(config, admin))
    try:
        _pack(Path(name), members)
    except OSError as error:
        raise NotWrittenError(f"{name}: cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"file": name, "members": sorted(members)})
    else:
        print(f"{name}: {', '.join(sorted(members))}")
        print("look at it before you send it: routes, host names and paths are in it", file=sys.stderr)
    return EXIT_YES


def _members(config: str, admin: str) -> Iterator[tuple[str, bytes]]:
    yield "about.json", _json(_about())
    prepared = read(config)
    masking = Masking(() if prepared is None else prepared.snapshot.secrets)
    if prepared is not None:
        yield (
            "effective.json",
            _json([asdict(setting) for setting in effective(Path(config).read_text(encoding="utf-8-sig"), config)]),
        )
        path = Path(config).absolute()
        house = Subject(prepared.snapshot, path.parent, path, os.environ, dumped(), running=True)
        yield "doctor.json", _json([asdict(found) for found in asyncio.run(examined(house))])
    asked = client(config, admin)
    for name, path_of in ASKED.items():
        yield name, _json(masking.value(_asked(asked, path_of)))


def _about() -> dict[str, Any]:
    return {
        "strangler": program_version(),
        "python": sys.version,
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": {each.metadata["Name"]: each.version for each in distributions()},
        # names alone: a value may be a key
        "variables": sorted(name for name in os.environ if name.startswith(("STRANGLER_", "APP_"))),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _asked(asked: Client, path: str) -> Any:
    try:
        reply = asked.get(path)
    except UnreachableError as error:
        return {"unreachable": str(error)}
    return reply.body


def _json(value: Any) -> bytes:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()
    return _CREDENTIALS.sub(r"\1***@", text).encode()


def _pack(path: Path, members: dict[str, bytes]) -> None:
    """Write beside, then rename; for its owner alone."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, data in members.items():
                member = tarfile.TarInfo(f"strangler/{name}")
                member.size, member.mtime, member.mode = len(data), int(time.time()), 0o600
                archive.addfile(member, io.BytesIO(data))
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
