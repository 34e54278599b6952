"""Configurations built in Python, as small as a test needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.model import (
    LEGACY,
    MODERN,
    Admin,
    Backend,
    Buffer,
    DiffStorage,
    Fallback,
    Limits,
    Listen,
    Match,
    Rollout,
    Route,
    SidePolicy,
    Snapshot,
)


def route(path: str = "/**", *, weight: float = 100.0, fallback: Fallback | None = None, **settings: Any) -> Route:
    """A route that sends `weight` percent of its requests to modern, drawn anew for each."""
    chosen: dict[str, Any] = {
        "name": "all",
        "match": Match(path),
        "rollout": Rollout(weight=weight, by="request"),
        "legacy": SidePolicy(LEGACY),
        "modern": SidePolicy(MODERN),
        "fallback": fallback or Fallback(),
    }
    return Route(**{**chosen, **settings})


def snapshot(
    backends: Mapping[str, Sequence[str]],
    *,
    routes: Sequence[Route] = (),
    limits: Limits | None = None,
    buffer: Buffer | None = None,
    trusted: Sequence[str] = (),
    identity: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Snapshot:
    """A checked file's worth of settings; `options` go to every backend.

    A connection may take long: the machine stands still at times, and a test that means the limit sets it.
    """
    settings = {"connect_timeout": 30.0, **(options or {})}
    return Snapshot(
        listen=Listen(limits=limits or Limits(), buffer=buffer or Buffer(), trusted_proxies=tuple(trusted)),
        admin=Admin(),
        store="memory",
        diffs=DiffStorage(),
        backends=tuple(Backend(name, tuple(urls), **settings) for name, urls in backends.items()),
        identity=tuple(identity),
        routes=tuple(routes),
        digest="test",
    )
