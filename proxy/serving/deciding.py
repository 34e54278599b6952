"""Decides where a call goes; once for all calls that ask the same as the same user within seconds.

A decision may be remembered where nothing but the request and the generation has a say in it: no draw, no identity
that expires, nobody who is new, no backend that is ill.
"""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING, Final

from proxy.state.recent import LONGEST as NAMED
from rules.decide import decide
from rules.model import Decision, Facts, Generation

if TYPE_CHECKING:
    from proxy.serving.forward import Call

REMEMBERED: Final = 16
"""Request lines for each set of fields."""
LONGEST: Final = 256
"""Characters of a target that is remembered: a longer one's line is read anew each time, and is another then."""
Known = tuple[Generation, bool, Decision, tuple[str, str] | None]
"""Under which generation, whether the peer was trusted, what was decided, whom that concerned."""
_new = tuple.__new__
"""A named tuple made without its own constructor, which costs more than the tuple."""


def decision_for(call: Call) -> Decision:
    """Where this call goes; `call.minted` is set when its user is somebody new."""
    head, server, bound = call.head, call.server, call.bound
    fields, line, trusted = head.fields, head.line, call.client.peer.trusted
    generation, unhealthy = bound.generation, server.unhealthy
    known: Known | None = fields.decided.get(line)
    if known is not None and known[0] is generation and known[1] is trusted and not unhealthy:
        if known[3] is not None:
            server.noted.add(known[3])
        return known[2]
    facts = _new(Facts, (line.method, line.path, line.query, head.host, head.field, call.user, trusted, unhealthy))
    decision = decide(generation, facts, random())  # noqa: S311 - a share, not a secret
    user = None
    if decision.user is not None and len(decision.user) <= NAMED and not call.minted and not call.drilled:
        user = decision.route.name, decision.user
        server.noted.add(user)
    lasts = bound.identity.lasting and not call.minted and not unhealthy and decision.route.rollout.by != "request"
    if lasts and fields.is_simple and line.is_usual and len(line.target) <= LONGEST:
        decided = fields.decided
        if decided and (len(decided) >= REMEMBERED or next(iter(decided.values()))[0] is not generation):
            decided.clear()  # no generation lives longer because somebody always sends the same
        decided[line] = (generation, trusted, decision, user)
    return decision
