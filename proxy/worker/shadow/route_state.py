"""One route's mirroring: policy, allowances, breaker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.http1 import RequestHead
from proxy.http1 import fields as f
from proxy.http1.request_line import RequestLine
from proxy.worker.connection_pool import Pool
from proxy.worker.shadow.outcome import compared_fields
from proxy.worker.shadow.request_copy import Translations
from proxy.worker.shadow.session_cookies import SessionCookies
from proxy.worker.shadow.value_equality import LookBudget, value_equality
from rules.model import LEGACY, MODERN, SAFE_METHODS, Backend, Decision, Facts, Route
from rules.routing.mirroring import Mirror, field_refusal, has_effects, mirror_of
from rules.token_bucket import TokenBucket

# Leaves a side alone for a while that fails again and again: a copy that cannot succeed costs a live user's time.


FAILURES: Final = 10
"""Copies in a row that get no whole answer, or a 5xx, before there is a pause."""
PAUSE: Final = 1.0
"""Seconds without a copy; after that, one at a time finds out whether the side is well again."""


class Breaker:
    """One route towards one side; `failed`, how many in a row did, moves as copies end."""

    __slots__ = ("_until", "failed")

    def __init__(self) -> None:
        self.failed = 0
        self._until = 0.0

    def is_open(self, now: float) -> bool:
        """Whether the side is left alone now."""
        return now < self._until

    def tried(self, now: float) -> None:
        """A copy goes out; of a side that failed lately, no other one before the next pause is over."""
        if self.failed >= FAILURES:
            self._until = now + PAUSE

    def note(self, *, failed: bool, now: float) -> None:
        """A copy has ended."""
        if not failed:
            self.failed = 0
            self._until = 0.0
            return
        self.failed += 1
        if self.failed >= FAILURES:
            self._until = now + PAUSE


# Bounds how often something is done: at least so often on a rare route, at most so often on a busy one.


FIRST: Final = 200
"""Requests of a route that are mirrored whatever its sample, so that a new route is soon known."""
AT_LEAST_EVERY: Final = 180.0
"""Seconds after which the next request is mirrored whatever the sample: twenty an hour of the rarest route."""


class MinimumSample:
    """The least that a route is mirrored: `first` requests, then one now and then; moves with each request that is."""

    __slots__ = ("_last", "_taken", "first")

    def __init__(self) -> None:
        self.first = FIRST
        self._taken = 0
        self._last = 0.0

    def wants(self, now: float) -> bool:
        """Whether this request is wanted although it is not in the sample."""
        return self._taken < self.first or now - self._last > AT_LEAST_EVERY

    def took(self, now: float) -> None:
        """A request was mirrored."""
        self._taken += 1
        self._last = now


NOT_MIRRORED: Final = "not_mirrored"
ALONE_PER_SECOND: Final = 20
"""Answers of a modern side that runs alone whose invariants are checked, in each worker."""
SECONDARY_PER_MINUTE: Final = 60


class ShadowRoute:
    """The prepared words of a route.

    `targets` are the backends that copies for each side go to, `sessions` the cookies that one to legacy goes without.
    `compared` are the fields the route compares beyond
    the usual; `always_sends` means that equal bytes are not the whole answer; `values` looks whether other bytes are
    equal by value, where that is. Changes: `in_flight` with each copy,
    `reads` (the pool for copies of reads to a side) where one is retired,
    `suspended` (why) once, the allowances as they are spent.
    """

    def __init__(
        self,
        route: Route,
        backends: dict[str, Backend],
        translations: Translations,
        looks: LookBudget | None = None,
        sessions: SessionCookies | None = None,
    ) -> None:
        self.route = route
        self.policy = route.shadow
        self.mirror: Mirror | None = mirror_of(route)
        self.translations = translations
        self.sessions = sessions or SessionCookies()
        self.targets = {
            LEGACY: backends[route.legacy.backend],
            MODERN: backends[route.shadow.backend or route.modern.backend],
        }
        compare = route.compare
        self.compared = compared_fields(compare.get("headers") or ())
        self.has_invariants = bool(route.invariants)
        self.always_sends = self.has_invariants or bool(compare.get("map") or compare.get("custom"))
        self.values = None if self.always_sends else value_equality(compare, looks or LookBudget())
        self.reads: dict[str, Pool] = {}
        self.in_flight = 0
        self.suspended = ""
        self.is_sent_twice = False
        self.floor = MinimumSample()
        self.breakers = {LEGACY: Breaker(), MODERN: Breaker()}
        # control spends so many on differences, as many on invariants: a storm of one must not use up the other's
        self.rechecks = TokenBucket(2 * self.policy.recheck_per_minute, 60.0)
        self.secondaries = TokenBucket(SECONDARY_PER_MINUTE, 60.0)
        self.alone = TokenBucket(ALONE_PER_SECOND, 1.0)

    def take_over(self, old: ShadowRoute) -> None:
        """Go on from what the same route had come to; its suspension ends only with a change of its own words."""
        self.floor = old.floor
        self.rechecks, self.secondaries, self.alone = old.rechecks, old.secondaries, old.alone
        if old.policy == self.policy and old.targets == self.targets:
            self.suspended = old.suspended

    def may_send_twice(self, head: RequestHead) -> bool:
        """Whether legacy may get this read once more: without a session, one at a time."""
        return not self.is_sent_twice and head.method in SAFE_METHODS and not self.sessions.has_one(head.cookie)

    def ineligible(self, head: RequestHead, decision: Decision) -> str:
        """Why this request may not be mirrored at all, sample aside; empty where it may.

        `not_mirrored` where the route has no shadow; else a label of `metric_names.NOT_ELIGIBLE`.
        """
        mirror = self.mirror
        if mirror is None:
            return NOT_MIRRORED
        fields, line = head.fields, head.line
        if head.method not in mirror.methods:
            return "method"
        if head.method not in SAFE_METHODS:
            return "" if mirror.refusal(_facts(head), decision.side) is None else "write"
        if fields.mirrors is None:  # the same fields come again and again
            fields.mirrors = not fields.has_body and not fields.upgrade and field_refusal(_fields(head)) is None
        if not fields.mirrors:
            return "fields"
        if seems_to_have_effects(line):
            return "effects"
        return "denied" if mirror.denied and mirror.denial(head.target) is not None else ""


def seems_to_have_effects(line: RequestLine) -> bool:
    """As `has_effects`; the same targets come again and again."""
    found = line.side_effects
    if found is None:
        found = line.side_effects = has_effects(line.path, line.query)
    return found


def _facts(head: RequestHead) -> Facts:
    """What mirroring may look at; framing fields, which `head.field` does not find, are returned as they came."""
    line = head.line
    return Facts(head.method, line.path, line.query, head.host, _fields(head), _no_op)


def _fields(head: RequestHead) -> Callable[[str], str | None]:
    """The fields by the names that PHP takes them for; what is repeated is a list (RFC 9110 5.3)."""
    found: dict[str, str] = {}
    for line in head.lines:
        name, _, value = line.partition(": ")
        name = f.as_read(name.lower())
        found[name] = f"{found[name]}, {value}" if name in found else value
    if head.upgrade:
        found["upgrade"] = head.upgrade
    if head.chunked:
        found["transfer-encoding"] = "chunked"
    elif head.length >= 0:
        found["content-length"] = str(head.length)
    return found.get


def _no_op() -> None:
    return None
