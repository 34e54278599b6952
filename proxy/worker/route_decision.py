"""Decides where a call goes; once for all calls on a route that the same user sends with the same fields in seconds.

A decision may be remembered where nothing but route, fields, generation have a say in it: no draw, no identity that
expires, no user that is new, no backend that is unhealthy. What a path captured is each call's own.
"""

from __future__ import annotations

from random import random
from typing import Final

from proxy.state.user_sample import LONGEST as NAMED
from proxy.telemetry.records import make
from proxy.worker.context import ServerContext
from proxy.worker.request_state import RequestState
from rules.model import Decision, Facts
from rules.routing.decide import Generation, choose

REMEMBERED: Final = 16
"""Routes for each set of fields."""
Known = tuple[Generation, bool, Decision, tuple[str, str] | None]
"""Under which generation, whether the peer was trusted, what was decided, whom that concerned."""


def decision_for(call: RequestState, server: ServerContext) -> Decision:
    """Where this call goes; `call.minted` is set when its user is new."""
    head, bound = call.head, call.bound
    fields, line, trusted = head.fields, head.line, call.peer.trusted
    generation, unhealthy = bound.generation, server.unhealthy
    facts: Facts | None = None
    found = generation.table.known.get((line.path, line.method)) if line.is_usual else None
    if found is None:
        facts = _facts(call, trusted, unhealthy)
        found = generation.table.find(facts)
    compiled, names = found
    name = compiled.route.name
    known: Known | None = fields.decided.get(name)
    if known is not None and known[0] is generation and known[1] is trusted and not unhealthy:
        if known[3] is not None:
            server.noted.add(known[3])
        decision = known[2]
        if decision[6] is names:
            return decision
        route, side, why, bucket, weight, who, _ = decision
        return make(Decision, (route, side, why, bucket, weight, who, names))
    decision = choose(compiled, names, facts or _facts(call, trusted, unhealthy), random())  # noqa: S311 - a share, not a secret
    user = None
    if decision.user is not None and len(decision.user) <= NAMED and not call.minted and not call.drilled:
        user = name, decision.user
        server.noted.add(user)
    lasts = bound.identity.lasting and not call.minted and not unhealthy and decision.route.rollout.by != "request"
    if lasts and fields.is_simple and line.is_usual:
        decided = fields.decided
        if decided and (len(decided) >= REMEMBERED or next(iter(decided.values()))[0] is not generation):
            decided.clear()  # no generation lives longer because a client always sends the same
        decided[name] = (generation, trusted, decision, user)
    return decision


def _facts(call: RequestState, trusted: bool, unhealthy: frozenset[str]) -> Facts:  # noqa: FBT001 - hot, positional
    head = call.head
    line = head.line
    return make(Facts, (line.method, line.path, line.query, head.host, head.field, call.user, trusted, unhealthy))
