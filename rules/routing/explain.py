"""The same decision with its explanation; what each side is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from rules.masking import Masking
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Decision, Facts, Route, SidePolicy, Snapshot, other_side
from rules.routing.bucketing import bucket
from rules.routing.compiled_route import CompiledRoute
from rules.routing.decide import Generation, choose
from rules.routing.mirroring import mirror_of
from rules.routing.pattern import is_plain, readings
from rules.routing.rewrite import TranslationError, target
from rules.routing.route_table import Rejection, compile_table

_EVEN_DRAW = 0.5
_EVERYONE = 100.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with its explanation; `target` is path and query as `backend` would get them.

    `bucket` is given wherever a user is known and the route hashes users, even if the weight did not need it.
    """

    route: str
    side: str
    reason: str
    bucket: float | None
    weight: float
    identity: str | None
    backend: str
    target: str
    shadow: bool
    trail: tuple[str, ...]


def explain(
    generation: Generation,
    facts: Facts,
    draw: float = _EVEN_DRAW,
    *,
    fresh: bool = False,
) -> Explanation:
    """Decide, and explain why; the side, reason and route are those of `decide` for the same facts and draw.

    What the configuration took from the environment is masked, wherever it would be sent.

    With `fresh` an unknown user gets a new id, which decides at once: `draw` is the point of that id.
    """
    rejected: list[Rejection] = []
    compiled, names = generation.table.find(facts, rejected)
    decision = choose(compiled, names, facts, draw)
    stranger = fresh and decision.reason == "no_identity"
    if stranger:
        side = MODERN if draw < decision.weight / 100.0 else LEGACY
        decision = decision._replace(side=side, reason="weight")
    user = facts.user() or None
    point = decision.bucket
    if point is None and user is not None and compiled.by_user and decision.reason != "default":
        point = bucket(compiled.route.rollout.salt, user, compiled.route.rollout.hash)
    masking = Masking(generation.snapshot.secrets)
    sent, sending = _sent(decision, names, facts, masking)
    shadow, mirroring = _shadow(decision, facts, user, draw)
    return Explanation(
        route=decision.route.name,
        side=decision.side,
        reason=decision.reason,
        bucket=point,
        weight=decision.weight,
        identity=user,
        backend=_side(decision).backend,
        target=sent,
        shadow=shadow,
        trail=(
            *_path(facts),
            *map(masking.text, _passed(rejected, masking)),
            masking.text(_taken(compiled)),
            _identity(compiled, user, stranger=stranger),
            masking.text(_why(decision, compiled, point, draw)),
            sending,
            mirroring,
        ),
    )


def _path(facts: Facts) -> Iterator[str]:
    """Explain how a path that servers read differently was read."""
    if is_plain(facts.path):
        return
    found = readings(facts.path)
    if not found:
        yield f"the path {facts.path} cannot be read in one way"
    elif len(found) == 1:
        yield f"the path is read as {found[0]}"
    else:
        yield f"the path can be read as {' or as '.join(found)}; a route takes it only if it takes all of them"


def _passed(rejected: list[Rejection], masking: Masking) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for one in rejected:
        name = one.compiled.route.name
        if (name, one.why) not in seen:
            seen.add((name, one.why))
            yield f"{name} (line {one.compiled.route.line}): the path matches, but {_unsaid(one, masking)}"


def _unsaid(rejection: Rejection, masking: Masking) -> str:
    """Return why a route was passed over; a value that may not be shown is left out, however short it is."""
    match = rejection.compiled.route.match
    for name, value in (*match.headers, *match.query):
        if rejection.why.endswith(f" {value}") and masking.named(name, value) != value:
            return rejection.why.removesuffix(value) + masking.named(name, value)
    return rejection.why


def _taken(compiled: CompiledRoute) -> str:
    route = compiled.route
    if route.name == DEFAULT_ROUTE:
        return f"no route takes it: {DEFAULT_ROUTE}, to {compiled.legacy}"
    methods = f" for {' '.join(sorted(compiled.methods))}" if compiled.methods is not None else ""
    return f"{route.name} (line {route.line}): taken by {route.match.path}{methods}"


def _identity(compiled: CompiledRoute, user: str | None, *, stranger: bool) -> str:
    if stranger:
        return "identity: none yet; a new id in the proxy's own cookie decides at once, and stays"
    if user is None:
        return "identity: none found"
    return (
        f"identity: {user}" if compiled.by_user or compiled.listed else f"identity: {user}, not asked for by this route"
    )


def _why(decision: Decision, compiled: CompiledRoute, point: float | None, draw: float) -> str:
    """Put the rule that decided into words."""
    rollout = decision.route.rollout
    to = f"to {decision.side}"
    share = f"{decision.weight:g} %"
    texts = {
        "default": f"{to}: requests without a route stay there",
        "force": f"{to}: forced by {rollout.force_header} of a trusted peer",
        "rolled_back": f"{to}: the route is rolled back",
        "legacy_only": f"{to}: everything is sent to legacy",
        "exclude": f"{to}: the user is on the exclude list",
        "include": f"{to}: the user is on the include list",
        "no_identity": f"{to}: {share} of users are moved, and nobody is known here",
        "unhealthy": f"{to}: {compiled.modern} has no healthy target",
    }
    if decision.reason != "weight":
        return texts[decision.reason]
    if decision.weight <= 0.0:
        return f"{to}: the weight is 0"
    if compiled.by_user and point is None and decision.user is None and decision.weight < _EVERYONE:
        return f"{to}: {share} of new ids come to modern, this is where most of them go"
    if not compiled.by_user:
        return f"{to}: drew {draw:.6f} for each request, weight {share}"
    if point is None:
        return f"{to}: weight {share}"
    return f"{to}: bucket {point:.6f} of {rollout.hash} with salt {rollout.salt}, weight {share}"


def _sent(decision: Decision, names: Mapping[str, str], facts: Facts, masking: Masking) -> tuple[str, str]:
    side = _masked(_side(decision), masking)
    asked = facts.path if facts.query is None else f"{facts.path}?{facts.query}"
    try:
        sent = masking.text(target(side, names, facts.path, facts.query))
    except TranslationError as error:
        return asked, f"sent to {side.backend}: not at all, {error}"
    rewritten = " as it came" if sent == asked else ""
    return sent, f"sent to {side.backend}: {facts.method} {sent}{rewritten}"


def _shadow(decision: Decision, facts: Facts, user: str | None, draw: float) -> tuple[bool, str]:
    mirror = mirror_of(decision.route)
    if mirror is None:
        return False, "shadow: none, the route has no sample"
    why = mirror.refusal(facts, decision.side)
    if why is not None:
        return False, f"shadow: none, {why}"
    other = other_side(decision.side)
    if not mirror.sampled(user, draw):
        return False, f"shadow: none, not in the sample of {mirror.sample:.4g}, unless the route is new or rare"
    return True, f"shadow: to {other}"


def _side(decision: Decision) -> SidePolicy:
    return decision.route.modern if decision.side == MODERN else decision.route.legacy


# Returns what each side is sent for a request of a route.


_MARK: Final = re.compile(r"%3[Cc]redacted(?::|%3[Aa])[0-9a-f]+%3[Ee]")
"""A redacted value in a path: shown unchanged."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One side's part: `target` as `backend` gets it, the names of the fields that the route sets.

    `translated` says that the route rewrites this side's response before a client gets it.
    """

    side: str
    backend: str
    target: str
    sets: tuple[str, ...] = ()
    translated: bool = False


def asked(snapshot: Snapshot, name: str, method: str, sent: str) -> tuple[UpstreamRequest, UpstreamRequest] | None:
    """Return what legacy, then modern is sent for `sent` (a path with its query) by the route of this name.

    Only the path has to fit: the header fields of a past request are not known any more. What a route adds to a query
    under a secret's name is masked. None where there is no such route, or its path is another one today.
    """
    route = next((route for route in snapshot.routes if route.name == name), None)
    path, mark, query = sent.partition("?")
    facts = Facts(method, path, query if mark else None, "", _unknown, lambda: None)
    if route is None or not path.startswith("/"):
        return None
    compiled, names = compile_table(replace(snapshot, routes=(_anyone(route),)), {}, legacy_only=False).find(facts)
    if compiled.route.name != name:
        return None
    masking = Masking(snapshot.secrets)
    mirrored = replace(route.modern, backend=route.shadow.backend or route.modern.backend)
    try:
        return (
            _part(LEGACY, route.legacy, masking.text(target(_masked(route.legacy, masking), names, path, facts.query))),
            _part(MODERN, mirrored, masking.text(target(_masked(mirrored, masking), names, path, facts.query))),
        )
    except TranslationError:
        return None


def _unknown(_: str) -> None:
    """No header field of a past request is known."""


def _anyone(route: Route) -> Route:
    return replace(route, match=replace(route.match, methods=(), host=None, headers=(), query=()))


def _part(side: str, policy: SidePolicy, sent: str) -> UpstreamRequest:
    sets = tuple(name for name, _ in policy.headers.set)
    translated = bool(policy.response_json or policy.status or policy.rewrite_location)
    return UpstreamRequest(side, policy.backend, _MARK.sub(lambda found: unquote(found[0]), sent), sets, translated)


def _masked(policy: SidePolicy, masking: Masking) -> SidePolicy:
    return replace(policy, query=replace(policy.query, set=masking.pairs(policy.query.set)))
