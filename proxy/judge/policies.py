"""Compiled rules of each route, and how they travel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from comparators.body_kind import coding_of
from comparators.content_coding import Undecodable, decode
from comparators.model import Capture
from comparators.noise_rules import NoiseRule
from comparators.policy import Policy
from proxy.ipc.codec import from_json, to_json
from rules.invariant_parser import InvariantError
from rules.invariants import CompiledInvariant, compile_invariant
from rules.model import Backend, Invariant, Route, Snapshot

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RouteRules:
    """How one route's pairs are compared; `noise` is what was learned of it, in the form of its maker.

    `rechecks` is how many a minute may be asked again, 0 for any number.
    """

    compare: Mapping[str, Any]
    invariants: tuple[Invariant, ...] = ()
    legacy_hosts: tuple[str, ...] = ()
    modern_hosts: tuple[str, ...] = ()
    noise: tuple[Mapping[str, Any], ...] = ()
    rechecks: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a judge is sent. `folder` is where an operator's own function may lie, `key` what redaction hashes by.

    `bodies`: pairs are kept whole. `processor` is the share of a processor that one judge may use, 0 for
    any. `personal`: what names a person is masked before it is stored. `today` is a
    date (ISO): an ignore may end.
    """

    routes: Mapping[str, RouteRules]
    today: str
    folder: str = ""
    redact: tuple[str, ...] = ()
    bodies: bool = True
    key: str = field(default="", repr=False)
    processor: float = 0.0
    personal: bool = True

    def pack(self) -> bytes:
        """Return the bytes that `unpack_rules` understands."""
        return to_json(self)


def unpack_rules(payload: bytes) -> Rules:
    """Return the rules that were packed, or raise CodecError."""
    return from_json(payload, Rules)


def route_rules(
    snapshot: Snapshot,
    route: Route,
    noise: tuple[Mapping[str, Any], ...] = (),
    lifted: frozenset[str] = frozenset(),
) -> RouteRules:
    """Return how `route` is compared; `lifted` names the ignored paths that are over their rate, looked at again."""
    by_name = {backend.name: backend for backend in snapshot.backends}
    legacy = [by_name[name] for name in (route.legacy.backend,) if name in by_name]
    modern = [by_name[name] for name in (route.modern.backend, route.shadow.backend) if name in by_name]
    return RouteRules(
        _without(route.compare, lifted),
        route.invariants,
        tuple(_hosts(legacy)),
        tuple(_hosts(modern)),
        noise,
        route.shadow.recheck_per_minute,
    )


def _without(compare: Mapping[str, Any], lifted: frozenset[str]) -> Mapping[str, Any]:
    if not lifted:
        return compare
    kept = [one for one in compare.get("ignore", ()) if (one if isinstance(one, str) else one["path"]) not in lifted]
    return {**compare, "ignore": kept}


def _hosts(backends: Iterable[Backend]) -> Iterator[str]:
    """Yield what backends call themselves when they build an address: host with port, the port also unsaid."""
    for backend in backends:
        for url in backend.urls:
            parts = urlsplit(url)
            if not parts.hostname or url.startswith("unix:"):
                continue
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            yield f"{host}:{parts.port or _PORTS.get(parts.scheme, 80)}"


# Compiles the rules of one route for judging.


MOST_BYTES = 32 << 20
"""What a body that an invariant reads may become when its coding is undone."""
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a route's pairs are held against."""

    policy: Policy
    invariants: tuple[CompiledInvariant, ...]


def compiled(rules: Rules, route: str) -> Compiled | str:
    """Return the rules of `route` ready for use, or why they cannot be used."""
    written = rules.routes.get(route)
    if written is None:
        return f"there are no rules for {route}"
    try:
        policy = Policy.from_mapping(
            written.compare,
            legacy_hosts=written.legacy_hosts,
            modern_hosts=written.modern_hosts,
            noise=tuple(_learned(written.noise)),
            today=date.fromisoformat(rules.today),
        )
        return Compiled(policy, tuple(compile_invariant(one) for one in written.invariants))
    except (ValueError, InvariantError) as error:
        return str(error)


def _learned(noise: Iterable[Mapping[str, Any]]) -> Iterator[NoiseRule]:
    """Read what was learned; what another version has written in another form is left out."""
    for one in noise:
        try:
            yield NoiseRule.from_mapping(one)
        except (ValueError, KeyError, TypeError):
            continue


def body_of(capture: Capture | None) -> bytes | None:
    """Return an answer's body with its coding undone, None when there is nothing that an invariant could read.

    An error's body is no balance: what a side did not answer proves nothing about its amounts.
    """
    if capture is None or capture.status not in _OK:
        return None
    try:
        return decode(capture.body, coding_of(capture), MOST_BYTES)
    except Undecodable:
        return None
