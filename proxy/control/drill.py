"""Drills a rollback: fails modern on purpose and watches probes through the listener.

1. find made-up users that the route's weight puts on modern, and a path that is a plain read
2. give every worker the secret mark: requests that carry it fail on modern without being sent there
3. send their requests through the listener, fifty a second, until the guard has acted and a little longer
4. restore the route, unless modern has also failed by itself meanwhile
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from time import monotonic

import orjson

from proxy.control.audit_log import AuditLog, Listener
from proxy.control.errors import RefusedError, no_such_route
from proxy.control.reload import Current
from proxy.control.route_actions import RouteActions, UnconfirmedError
from proxy.control.route_evidence import RouteWindows
from proxy.control.worker_links import Workers
from proxy.ipc.messages import Drill, DrillCount
from proxy.settings import Address, parse_address
from proxy.telemetry.aggregation import Worker
from rules.model import MODERN, Facts, Route
from rules.plan import examples
from rules.routing.compiled_route import effective_weight
from rules.routing.decide import Generation, choose
from rules.routing.mirroring import has_effects

# Sends requests to the proxy's own listener as a user would, for drills.


WITHIN = 5.0
_LONGEST_LINE = 8192
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here, replaced by loopback
MARK = "X-Strangler-Drill"


@dataclass(frozen=True, slots=True)
class Probe:
    """One response: its status, 0 for none, and its seconds."""

    status: int
    seconds: float


class FrontDoorProbe:
    """Sends probes to the listener; immutable."""

    def __init__(self, address: str, *, tls: bool) -> None:
        self._address = parse_address(address)
        self._tls = _trusting() if tls else None

    async def ask(self, facts: Facts, mark: str, headers: Iterable[tuple[str, str]] = ()) -> Probe:
        """Send one marked request without a body over a new connection; never raises.

        `headers` are those that the route's conditions need.
        """
        began = monotonic()
        status = 0
        try:
            async with asyncio.timeout(WITHIN):
                status = await self._send(facts, mark, headers)
        except (OSError, TimeoutError, ValueError, IndexError):
            status = 0
        return Probe(status, monotonic() - began)

    async def _send(self, facts: Facts, mark: str, headers: Iterable[tuple[str, str]]) -> int:
        reader, writer = await self._connect(self._address)
        try:
            target = facts.path if facts.query is None else f"{facts.path}?{facts.query}"
            lines = [f"{facts.method} {target} HTTP/1.1", f"Host: {facts.host or 'localhost'}", f"{MARK}: {mark}"]
            lines += [f"{name}: {value}" for name, value in headers]
            lines += ["User-Agent: strangler-drill", "Accept: */*", "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode("latin-1"))
            first = await reader.readline()
            return int(first.split(b" ", 2)[1])
        finally:
            writer.transport.abort()

    async def _connect(self, address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if address.path:
            return await asyncio.open_unix_connection(address.path, limit=_LONGEST_LINE, ssl=self._tls)
        host = _ANY.get(address.host, address.host)
        return await asyncio.open_connection(host, address.port, limit=_LONGEST_LINE, ssl=self._tls)


def _trusting() -> ssl.SSLContext:
    """Return a TLS context for the proxy's own listener: its certificate need not be verified."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


USERS = 20
READS = ("GET", "HEAD")
_LOOKED_AT = 200_000
"""Made-up users that are tried; at a weight of 0.1 % one in a thousand is on modern."""
EVERY = 0.02
AFTERWARDS = 1.0
"""Seconds that probes go on after the rollback: they show that no user is sent to modern any more."""
GRACE = 5.0
"""Seconds after which workers end a drill by themselves."""
FRESH_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a drill. Times are seconds since the first failure; None where that did not happen.

    `harmed` are made-up users' requests that got an error or no response; `injected` the failures that modern is taken
    to have made. `real_failures` are modern's own meanwhile: then the route stays rolled back.
    """

    route: str
    proved: bool
    reason: str
    detected_after: float | None
    last_user_back_after: float | None
    requests: int
    injected: int
    harmed: int
    real_failures: int
    restored: bool


class Drills:
    """At most one drill at a time. `_counts` holds each worker's report of the present one."""

    def __init__(
        self,
        current: Callable[[], Current],
        workers: Workers,
        windows: RouteWindows,
        verbs: RouteActions,
        audit_log: AuditLog,
        probing: FrontDoorProbe,
    ) -> None:
        self._current = current
        self._workers = workers
        self._windows = windows
        self._route_actions = verbs
        self._audit_log = audit_log
        self._probing = probing
        self._one_at_a_time = asyncio.Lock()
        self._counts: dict[Worker, DrillCount] = {}

    def record_count(self, worker: Worker, count: DrillCount) -> None:
        """Record a worker's progress."""
        self._counts[worker] = count

    async def run(self, name: str, path: str, seconds: float, who: str) -> Report:
        """Drill the route `name` for at most `seconds`; RefusedError where a drill could show nothing."""
        if self._one_at_a_time.locked():
            raise RefusedError(HTTPStatus.CONFLICT, "another drill is going on")
        async with self._one_at_a_time:
            generation = self._current().generation
            route = _drillable(generation, name)
            facts = read_of(generation, route, path)
            users = made_up_users(generation, route, facts)
            before = self._route_actions.override(name)
            errors = await self._errors(name)
            self._audit_log.record("drill", name, who, "begins")
            self._counts.clear()
            began = monotonic()
            with self._audit_log.listening() as listener:
                probes, rolled_back, reason = await self._fail(route, facts, users, seconds, listener)
            real = max(0, await self._errors(name) - errors - sum(each.failed for each in self._counts.values()))
            restored = False
            if rolled_back is not None and not real:
                with suppress(UnconfirmedError):  # in effect all the same
                    await self._route_actions.restore(name, before, who, "the drill is over")
                restored = True
            first = min((each.first for each in self._counts.values() if each.failed), default=began)
            last = max((each.last for each in self._counts.values()), default=0.0)
            report = Report(
                name,
                proved=rolled_back is not None and last - first < seconds,
                reason=reason,
                detected_after=round(rolled_back - first, 3) if rolled_back is not None else None,
                last_user_back_after=round(max(0.0, last - first), 3) if rolled_back is not None else None,
                requests=len(probes),
                injected=sum(each.failed for each in self._counts.values()),
                harmed=sum(not 0 < probe.status < HTTPStatus.INTERNAL_SERVER_ERROR for probe in probes),
                real_failures=real,
                restored=restored,
            )
            told = "users returned to legacy" if report.proved else "no user was sent back"
            self._audit_log.record("drill", name, who, told, orjson.dumps(asdict(report)).decode())
            return report

    async def _fail(
        self, route: Route, facts: Facts, users: list[str], seconds: float, listener: Listener
    ) -> tuple[list[Probe], float | None, str]:
        """Send marked requests; return their results, when the route was rolled back, and the reason."""
        mark = secrets.token_hex(16)
        if not self._workers.send(Drill(route.name, mark, seconds + GRACE)):
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "no worker is connected")
        when: float | None = None
        reason = ""
        end = monotonic() + seconds
        waiting = asyncio.create_task(_acted(listener, route.name), name="drill-listens")
        asked: list[asyncio.Task[Probe]] = []
        try:
            while monotonic() < end:
                user = users[len(asked) % len(users)]
                probe = self._probing.ask(facts, f"{mark}.{user}", route.match.headers)
                asked.append(asyncio.create_task(probe, name="drill-probe"))
                await asyncio.sleep(EVERY)
                if when is None and waiting.done():
                    when, reason = waiting.result()
                    end = monotonic() + AFTERWARDS
            probes = list(await asyncio.gather(*asked))
            await self._workers.refresh(FRESH_WITHIN)
            return probes, when, reason
        finally:
            waiting.cancel()
            for task in asked:
                task.cancel()
            self._workers.send(Drill(route.name, mark, 0.0))

    async def _errors(self, name: str) -> int:
        """Return modern's failures so far, asked of the workers now."""
        await self._workers.refresh(FRESH_WITHIN)
        return self._windows.totals(name, MODERN).errors


async def _acted(listener: Listener, route: str) -> tuple[float, str]:
    """Wait until the guard rolls `route` back."""
    while True:
        event = await listener.next()
        if event is None or (event.route == route and event.event in ("rollback", "step_back")):
            return monotonic(), event.reason if event is not None else ""


def _drillable(generation: Generation, name: str) -> Route:
    """Return the route of that name if a drill can show anything there."""
    compiled = generation.table.compiled_route_of(name)
    if compiled is None:
        raise no_such_route(name, generation)
    route, override = compiled.route, generation.overrides.get(name)
    if override is not None and override.rolled_back:
        raise RefusedError(HTTPStatus.CONFLICT, f"{name} is rolled back: all users are on legacy already")
    if generation.legacy_only or effective_weight(route, override) <= 0:
        raise RefusedError(HTTPStatus.CONFLICT, f"nobody of {name} is on modern: there is nothing to prove")
    if route.guard is None or route.guard.on_breach == "observe" or route.guard.rollback == "forbidden":
        raise RefusedError(HTTPStatus.CONFLICT, f"the guard of {name} does not roll back by itself")
    return route


def read_of(generation: Generation, route: Route, path: str) -> Facts:
    """Return a plain read that the route takes: `path` if given, else a generated one.

    A write is never sent, not even where modern answers it as a dry run: after the rollback it would be done on legacy.
    """
    asked = route.match.methods
    method = next((each for each in READS if not asked or each in asked), None)
    if method is None:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{route.name} takes no GET or HEAD, only {', '.join(asked)}: once everybody is back, legacy would write"
            " for made-up users. Drill a route that reads, with the same guard",
        )
    found = next((facts for facts in examples(route, generation.table, READS) if facts.method == method), None)
    if path:
        where, mark, query = path.partition("?")
        found = (found or Facts(method, where, None, route.match.host or "", lambda _: None, lambda: None))._replace(
            path=where, query=query if mark else None
        )
    if found is None:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"no {method} of {route.name} could be made up: name one with path"
        )
    if generation.table.find(found)[0].route.name != route.name:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{route.name} does not take {method} {found.path}")
    if has_effects(found.path, found.query):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{method} {found.path} looks as if it changed something")
    return found


def made_up_users(generation: Generation, route: Route, facts: Facts) -> list[str]:
    """Return numbers of made-up users whom the route's weight puts on modern."""
    compiled, names = generation.table.find(facts)

    def on_modern() -> Iterator[str]:
        for number in range(_LOOKED_AT):
            asked = facts._replace(user=lambda number=number: f"drill-{number}")  # type: ignore[misc]
            if choose(compiled, names, asked, draw=0.0).side == MODERN:
                yield str(number)

    found = [user for user, _ in zip(on_modern(), range(USERS), strict=False)]
    if not found:
        raise RefusedError(HTTPStatus.CONFLICT, f"no made-up user of {route.name} is on modern at its weight")
    return found
