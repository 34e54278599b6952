"""How addresses to listen on, backend URLs, networks and stores are written."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qsl, urlsplit

from rules.config.units import UnitError

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")
_LAST_PORT = 65535


def listen(value: str) -> str:
    """Check `host:port` or `unix:/path`."""
    if value.startswith("unix:"):
        return _unix(value)
    found = _HOST_PORT.fullmatch(value)
    if found is None:
        hint = f"did you mean 0.0.0.0{value}?" if re.fullmatch(":[0-9]+", value) else "127.0.0.1:8080 or unix:/path"
        raise UnitError(f"`{value}` is not an address", hint)
    if int(found.group(2)) > _LAST_PORT:
        raise UnitError(f"there is no port {found.group(2)}")
    return value


def backend(value: str) -> str:
    """Check a backend's url; returns `scheme://host:port` with the scheme's own port put in."""
    if value.startswith("unix:"):
        return _unix(value)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise UnitError(f"`{value}` is not a url", "http://host:port, https://host:port or unix:/path") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = f"did you mean http://{value}?" if _HOST_PORT.fullmatch(value) else ""
        raise UnitError(
            f"`{value}` is not a backend's url", hint or "http://host:port, https://host:port or unix:/path"
        )
    if parts.username is not None or parts.password is not None:
        raise UnitError("a backend's url has no user or password", "set a header with a ${VARIABLE} instead")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UnitError("a backend's url ends with its port", "paths are rewritten by a side's `path:`")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if not _HOST_PORT.fullmatch(f"{host}:1"):
        raise UnitError(f"`{parts.hostname}` is not a host")
    return f"{parts.scheme}://{host}:{port or (443 if parts.scheme == 'https' else 80)}"


def network(value: str) -> str:
    """Check an address, a network as `10.0.0.0/8`, or `unix`."""
    if value == "unix":
        return value
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise UnitError(f"`{value}` is not a network", "written 10.0.0.0/8, 127.0.0.1 or `unix`") from None
    raise UnitError(f"`{value}` has bits beyond its mask", f"did you mean {meant}?")


def store(value: str) -> str:
    """Check `memory`, `sqlite:PATH` or `redis://HOST:PORT/DB`."""
    if value == "memory" or re.fullmatch(r"sqlite:(?!//)\S.*", value):
        return value
    if value.startswith(("redis://", "rediss://")):
        return _redis(value)
    hint = "memory, sqlite:PATH or redis://HOST:PORT/DB"
    if value.startswith("sqlite://"):
        hint = f"did you mean sqlite:{value.removeprefix('sqlite://')}?"
    raise UnitError(f"`{value}` is not a store", hint)


def _redis(value: str) -> str:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise UnitError(f"`{value}` is not a store", "redis://HOST:PORT/DB") from None
    if parts.password is not None or {name.lower() for name, _ in parse_qsl(parts.query)} & {"password", "username"}:
        raise UnitError("a password does not belong in the file", "set STRANGLER_REDIS_PASSWORD")
    if not parts.hostname or not re.fullmatch("(?:/[0-9]*)?", parts.path):
        raise UnitError(f"`{value}` is not a store", "redis://HOST:PORT/DB")
    return value


def _unix(value: str) -> str:
    path = value.removeprefix("unix:")
    if not path or path.startswith("//") or "\0" in path:
        raise UnitError("a Unix socket is written unix:/path")
    return value
