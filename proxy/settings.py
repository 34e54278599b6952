"""What a process must know before it reads a configuration: defaults, exit codes, its version."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

# What can go wrong in the processes: each error says where, whose fault it was, whether trying again helps.


EXIT_YES = 0
EXIT_NO = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_HOPELESS = 78
"""A child's way to say that starting it again cannot help (EX_CONFIG of sysexits.h)."""


class ProxyError(Exception):
    """Something an operator can read; `exit_code` is what a command ends with."""

    exit_code = EXIT_NO


class CannotStartError(ProxyError):
    """The process cannot serve as configured; the operator has to change something first."""


class AddressTakenError(CannotStartError):
    """Another process listens there."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__(f"{address} is in use by another process; is the proxy running already? ({key})")


class UnreachableError(ProxyError):
    """No proxy answers at the admin address; it may be starting, or listen elsewhere."""

    exit_code = EXIT_UNREACHABLE


MAKE_ONE = "make one with strangler init --access-log FILE, or name another with -c"
"""What to do about a configuration that is not there."""


def why_unread(error: OSError) -> str:
    """Return why a configuration cannot be read, with how to make one where there is none."""
    return f"{error.strerror}; {MAKE_ONE}" if isinstance(error, FileNotFoundError) else str(error.strerror)


class UnknownProxyError(ProxyError):
    """Nothing says which proxy is meant: its file cannot be read. Another one is never asked instead."""

    exit_code = EXIT_USAGE


class BadAddressError(ProxyError):
    """Text that names no address."""

    exit_code = EXIT_USAGE


LEGACY_ONLY = "STRANGLER_LEGACY_ONLY"
ACCESS_LOG = "STRANGLER_ACCESS_LOG"
ADMIN_URL = "STRANGLER_ADMIN_URL"
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens: `path` for a Unix socket, else `host` with `port` (0: any free one)."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, scheme: str = "http") -> str:
        """Return the address as people paste it into a browser or curl."""
        return str(self) if self.path else f"{scheme}://{self}"

    @property
    def is_loopback(self) -> bool:
        """Whether it cannot be reached from another machine."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str, base_dir: Path = Path()) -> Address:
    """Return the address that `host:port`, `[v6]:port` or `unix:PATH` (relative to `base_dir`) names."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            raise BadAddressError(f"{text!r}: a path must follow unix:")
        return Address(path=str(base_dir / path))
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _LARGEST_PORT:
        raise BadAddressError(f"{text!r} is neither HOST:PORT nor unix:PATH")
    return Address(host=host or "0.0.0.0", port=int(port))  # noqa: S104 - `:8080` asks for every interface


@dataclass(frozen=True, slots=True)
class Settings:
    """What the processes were started with; the supervisor never looks further into a configuration.

    `workers` is how many were asked for, on the command line or else by the file (`file_workers`). `instance` is a
    token that no other running program has, by which this one knows its own requests.
    """

    config: str
    listen: str
    admin: str
    store: str
    workers: int
    file_workers: int
    drain: float
    tls: bool
    legacy_only: bool
    instance: str = ""
    admin_tls: bool = False
    mode: str = ""
    group: str = ""

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths of the file start from."""
        return Path(self.config).absolute().parent


def worker_count(configured: int) -> int:
    """Return how many workers to start; 0 is one for each CPU this process may use."""
    return configured or len(os.sched_getaffinity(0))


def is_legacy_only(environ: Mapping[str, str]) -> bool:
    """Whether the operator set the switch that sends all users to legacy."""
    return environ.get(LEGACY_ONLY, "").strip().lower() in ("1", "true", "yes", "on")


def access_log_target(environ: Mapping[str, str], base_dir: Path) -> str | None:
    """Return where access lines go: a path, empty for standard output, None for nowhere."""
    wanted = environ.get(ACCESS_LOG, "").strip()
    if wanted.lower() in ("off", "none", "0", "false"):
        return None
    return "" if wanted in ("", "-", "stdout") else str(base_dir / wanted)


# The version of this program as the package states it, and which of its two builds runs.


def program_version() -> str:
    """Return the installed version, `unknown` in a bare checkout."""
    # three megabytes and fifty modules (email, zipfile) that no worker needs
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("strangler-proxy")
    except PackageNotFoundError:
        return "unknown"


def is_compiled() -> bool:
    """Whether the data path that would be imported is the compiled one."""
    found = find_spec("proxy.http1.request")
    return found is not None and (found.origin or "").endswith(tuple(EXTENSION_SUFFIXES))


def build() -> str:
    """Return version and build in a few words, as a person reads them."""
    return f"{program_version()} ({'compiled' if is_compiled() else 'interpreted'})"
