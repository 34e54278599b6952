"""The frozen values that all parts share.

Three forms of a route, three names: a `Route` is what the file says (checked, defaults filled in), a
`Table` (`routing/route_table`) is what matching compiled from all of them, a `Generation` (`routing/decide`) is
what a worker runs right now. Times are seconds, sizes bytes, shares 0…1, weights percent 0…100. A size, time or count
of 0 that limits something means unlimited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any, NamedTuple

from rules.data_settings import DataSettings

LEGACY = "legacy"
MODERN = "modern"
DEFAULT_ROUTE = "_default"
SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Methods of requests that may be sent twice without a setting that allows it."""
NO_NAMES: Mapping[str, str] = MappingProxyType({})


def other_side(side: str) -> str:
    """Return legacy for modern, modern for legacy."""
    return MODERN if side == LEGACY else LEGACY


# ── as written: the process ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one client at the listener; `min_rate` is bytes a second, `per_peer` connections of an address."""

    header_bytes: int = 32 * 1024
    url_bytes: int = 8 * 1024
    body_bytes: int = 0
    header_timeout: float = 10.0
    body_timeout: float = 30.0
    idle_timeout: float = 75.0
    min_rate: int = 240
    per_peer: int = 0
    connections: int = 10_000


@dataclass(frozen=True, slots=True)
class Buffer:
    """What is buffered for slow clients: bytes of one request's body, of one response, of a whole worker."""

    request: int = 64 * 1024
    response: int = 256 * 1024
    total: int = 64 << 20


@dataclass(frozen=True, slots=True)
class ListenTls:
    """Certificate chain and key files, relative to the configuration file's folder.

    The texts are what these files held when the configuration was read: a process that starts later needs no file.
    """

    cert: str
    key: str
    cert_text: str = field(default="", repr=False)
    key_text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Via:
    """Our own member of Via; empty: made anew at each start. A request that returns more often is a loop.

    `passes` is how often one request may pass, the first time included; 0: unlimited.
    """

    name: str = ""
    passes: int = 1


@dataclass(frozen=True, slots=True)
class Listen:
    """Where users are served; `workers` 0 is one for each CPU.

    `mode` (octal digits) and `group` are those of a Unix socket, empty: as the process makes it.
    """

    address: str = "127.0.0.1:8080"
    workers: int = 1
    tls: ListenTls | None = None
    trusted_proxies: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    drain: float = 30.0
    via: Via = field(default_factory=Via)
    buffer: Buffer = field(default_factory=Buffer)
    mode: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Admin:
    """Where operators are served; the tokens' values stay in the environment."""

    address: str = "127.0.0.1:9180"
    token_env: str = "STRANGLER_ADMIN_TOKEN"  # noqa: S105 - the name of a variable, not a token
    view_token_env: str = "STRANGLER_VIEW_TOKEN"  # noqa: S105 - as above
    tls: ListenTls | None = None


KEEP = "keep"
"""`diffs.pii`: personal data is stored unmasked."""


@dataclass(frozen=True, slots=True)
class DiffStorage:
    """What is stored of differing pairs, and for how long; `pii` is `mask` or `keep`."""

    keep: float = 168 * 3600.0
    max_bytes: int = 1 << 30
    bodies: bool = True
    redact: tuple[str, ...] = ()
    pii: str = "mask"


@dataclass(frozen=True, slots=True)
class Judges:
    """Resource limits of comparing: `cpu` is a share of the machine (0: all of it), `processes` 0: as needed."""

    cpu: float = 0.5
    processes: int = 0

    def count(self, processors: int) -> int:
        """Return how many judges there may be on so many processors."""
        return self.processes or max(1, ceil((self.cpu or 1.0) * processors))

    def share(self, processors: int) -> float:
        """Return which share of one processor each of them may use, 0 for all of it."""
        share = self.cpu * processors / self.count(processors)
        return share if 0.0 < share < 1.0 else 0.0


@dataclass(frozen=True, slots=True)
class Notify:
    """One webhook; address and signing secret are names of environment variables."""

    url_env: str
    secret_env: str | None = None
    format: str = "json"
    events: tuple[str, ...] = ()


# ── as written: backends ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Health:
    """Active health check: a target changes state after so many like answers in a row.

    `host` None is the URL's; `statuses` are pairs of first and last.
    """

    path: str
    every: float = 5.0
    unhealthy_after: int = 3
    healthy_after: int = 2
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    statuses: tuple[tuple[int, int], ...] = ((200, 399),)


@dataclass(frozen=True, slots=True)
class BackendTls:
    """How an https backend is verified; `ca_text` is what the file `ca` held when the configuration was read."""

    ca: str | None = None
    verify: bool = True
    server_name: str | None = None
    ca_text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Backend:
    """A named set of targets; each url is `http://host:port`, `https://host:port` or `unix:PATH`.

    `max_age` is that of a connection, `resolve` that of looked-up addresses; `retries` counts further addresses or
    targets that are tried where nothing was sent.
    """

    name: str
    urls: tuple[str, ...]
    connect_timeout: float = 1.0
    timeout: float = 30.0
    idle_timeout: float = 60.0
    max_connections: int = 256
    health: Health | None = None
    tls: BackendTls | None = None
    max_age: float = 600.0
    resolve: float = 30.0
    retries: int = 2


# ── as written: routes ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a route takes; `path` is exact, `/a/{id}`, `/a/**` or `~regex`; a value may be `~regex`."""

    path: str
    methods: tuple[str, ...] = ()
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a rollout: it bakes for `seconds`, needs `min_requests`, may wait for a person."""

    weight: float
    seconds: float = 0.0
    min_requests: int = 0
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Rollout:
    """Which share of a route's users the modern side serves; `salt` is the effective one (group, salt or name)."""

    weight: float = 0.0
    by: str = "user"
    salt: str = ""
    group: str | None = None
    hash: str = "sha256"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force_header: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryEdit:
    """Changes to the query string of one side; applied as rename, remove, set."""

    rename: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    """Changes to the request fields of one side; applied as remove, set."""

    set: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyEdit:
    """Conversion of the request body: `convert` is `form_to_json`, `json_to_form` or None."""

    convert: str | None = None
    rename: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CookieEdit:
    """What Set-Cookie of a side is rewritten to; None leaves the attribute alone."""

    path: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class SidePolicy:
    """How a request is written for one side, and that side's response for the client.

    `method` replaces the client's for unsafe requests; a safe method stays unless this one is safe too.
    """

    backend: str
    path: str | None = None
    query: QueryEdit = field(default_factory=QueryEdit)
    headers: HeaderEdit = field(default_factory=HeaderEdit)
    body: BodyEdit = field(default_factory=BodyEdit)
    response_json: str | None = None
    status: tuple[tuple[int, int], ...] = ()
    rewrite_location: bool = False
    cookies: CookieEdit = field(default_factory=CookieEdit)
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """When legacy is asked after modern has failed: `none`, `connect` or `safe`."""

    mode: str = "safe"
    statuses: tuple[int, ...] = (500, 502, 503, 504)
    max_body: int = 1 << 20


@dataclass(frozen=True, slots=True)
class ShadowPolicy:
    """What is mirrored to the other side; a `sample` of 0 is off."""

    sample: float = 0.0
    methods: tuple[str, ...] = ("GET", "HEAD")
    writes: str = "none"
    when: str = "concurrent"
    timeout: float = 5.0
    max_body: int = 1 << 20
    max_in_flight: int = 64
    session: str = "strip"
    deny: tuple[str, ...] = ()
    recheck_after: float = 0.5
    recheck_per_minute: int = 30
    secondary: float = 0.01
    backend: str | None = None


@dataclass(frozen=True, slots=True)
class Invariant:
    """A business rule over the bodies of a pair, or of the modern response alone."""

    name: str
    expr: str
    on_violation: str = "observe"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class WorseThanLegacy:
    """How much worse than legacy at the same time is too much: points of error share, times P95, floor seconds."""

    errors: float = 0.01
    p95: float = 1.5
    p95_floor: float = 0.1


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """The limits that a route's modern side must keep."""

    window: float = 60.0
    min_requests: int = 20
    error_rate: float = 0.05
    p95: float = 1.0
    worse_than_legacy: WorseThanLegacy | None = field(default_factory=WorseThanLegacy)
    mismatch_rate: float = 0.01
    consecutive_failures: int = 5
    on_breach: str = "rollback"
    rollback: str = "clean"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint's whole policy; `guard` None is `guard: none`, `line` where the file says it."""

    name: str
    match: Match
    rollout: Rollout
    legacy: SidePolicy
    modern: SidePolicy
    fallback: Fallback = field(default_factory=Fallback)
    shadow: ShadowPolicy = field(default_factory=ShadowPolicy)
    compare: Mapping[str, Any] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    guard: GuardPolicy | None = field(default_factory=GuardPolicy)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One file, checked as a whole: what the operator intends. `digest` identifies its effective content.

    `secrets` are the values that came from the environment and may not be shown anywhere.
    """

    listen: Listen
    admin: Admin
    store: str
    diffs: DiffStorage
    backends: tuple[Backend, ...]
    identity: tuple[str, ...]
    routes: tuple[Route, ...]
    default_backend: str = LEGACY
    notify: tuple[Notify, ...] = ()
    judges: Judges = Judges()
    data: DataSettings | None = None
    digest: str = ""
    source: str = "proxy.yaml"
    version: int = 1
    secrets: tuple[str, ...] = field(default=(), repr=False)


# ── running ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Override:
    """What the guard or an operator set at run time for one route, kept apart from the file.

    `weight` None leaves the file's weight (or the weight of `step`); `rolled_back` sends all users to legacy
    until a resume. `reason` is the cause in one word (of a rollback: one of the closed list), `text` what an operator
    wrote about it, `evidence` JSON of what was seen. `at`, `step_since` (when the step was entered) and
    `hold_off_until` (no step is taken before) are epoch seconds. `rollbacks` counts how often the guard
    rolled back since an operator last chose a weight. `revision` grows with each change of this route's override.
    `at_most` is the percent at which a `held` route was held: the file may take it lower, not higher.
    """

    route: str
    weight: float | None = None
    step: int | None = None
    rolled_back: bool = False
    held: bool = False
    reason: str = ""
    who: str = ""
    at: float = 0.0
    revision: int = 0
    text: str = ""
    evidence: str = ""
    step_since: float = 0.0
    hold_off_until: float = 0.0
    rollbacks: int = 0
    at_most: float | None = None


class Facts(NamedTuple):
    """The facts a decision may use.

    `path` and `query` are as on the wire (`query` without the question mark, None when there is none).
    `header` returns the first value of a lower-case name. `user` finds the identity; it may cost a signature
    check, so it is called only when the result matters. `trusted` says whether the peer's force header
    counts. `unhealthy` names the backends without a healthy target.
    """

    method: str
    path: str
    query: str | None
    host: str
    header: Callable[[str], str | None]
    user: Callable[[], str | None]
    trusted: bool = False
    unhealthy: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """Where a request goes, by which rule.

    `reason` is one of weight include exclude force no_identity rolled_back legacy_only unhealthy default.
    `bucket` is None where nothing was hashed or drawn.
    """

    route: Route
    side: str
    reason: str
    bucket: float | None
    weight: float
    user: str | None
    names: Mapping[str, str]
