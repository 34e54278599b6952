"""Ties a generation to what it needs of the world: pools, identity sources, trust, compiled translations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from proxy.state.identity_keys import Keys
from proxy.worker.claims import Claims
from proxy.worker.connection_pool import Pool, Spawn
from proxy.worker.forwarded_headers import Trust, via_member
from proxy.worker.identity import Identity, identity_of
from proxy.worker.resolver import Resolver
from proxy.worker.transform import Translation, translation_of
from rules.model import LEGACY, MODERN, Backend, Route, Snapshot
from rules.routing.decide import Generation
from rules.ways_back import ways_back


@dataclass(frozen=True, slots=True)
class Bindings:
    """A generation, ready to serve; a call takes the current one once, keeps it to its end."""

    generation: Generation
    pools: Mapping[str, Pool]
    identity: Identity
    claims: Claims
    trust: Trust
    translations: Mapping[str, tuple[Translation | None, Translation | None]]
    """By route name, for legacy, for modern; routes whose sides speak the client's words are left out."""


def bind(
    generation: Generation,
    before: Bindings | None,
    *,
    keys: Keys,
    clock: Callable[[], float],
    spawn: Spawn,
    base: Path,
    resolver: Resolver,
    instance: str = "",
) -> tuple[Bindings, list[Pool]]:
    """Bind `generation`; pools of unchanged backends keep their connections, the others are returned to retire."""
    if before is not None and before.generation.snapshot is generation.snapshot:
        # only what was set at run time is another: nothing else has to be looked at, a rollback must be quick
        return replace(before, generation=generation), []
    old = dict(before.pools) if before is not None else {}
    pools: dict[str, Pool] = {}
    for backend in generation.snapshot.backends:
        pool = old.get(backend.name)
        if pool is not None and pool.backend == backend:
            del old[backend.name]
        else:
            pool = Pool(backend, clock=clock, spawn=spawn, base=base, resolver=resolver)
        pools[backend.name] = pool
    snapshot = generation.snapshot
    identity = identity_of(snapshot.identity, keys)
    trust = Trust(snapshot.listen.trusted_proxies, via_member(snapshot.listen.via.name, instance))
    bound = Bindings(generation, pools, identity, Claims(snapshot.identity), trust, _translations(snapshot))
    return bound, list(old.values())


def _translations(snapshot: Snapshot) -> dict[str, tuple[Translation | None, Translation | None]]:
    backends = {backend.name: backend for backend in snapshot.backends}
    pairs = {
        route.name: (
            _translation(snapshot, route, LEGACY, backends[route.legacy.backend]),
            _translation(snapshot, route, MODERN, backends[route.modern.backend]),
        )
        for route in snapshot.routes
    }
    return {name: pair for name, pair in pairs.items() if pair != (None, None)}


def _translation(snapshot: Snapshot, route: Route, side: str, backend: Backend) -> Translation | None:
    policy = route.legacy if side == LEGACY else route.modern
    return translation_of(policy, backend, ways_back(route, side, snapshot.routes) if policy.rewrite_location else ())
