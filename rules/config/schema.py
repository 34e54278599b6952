"""The file format as pydantic models; their errors in an operator's words."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Field, ValidationError

from rules.config import types as t
from rules.config.schema_compare import Compare, Section
from rules.config.schema_data import Data
from rules.config.units import UnitError, did_you_mean
from rules.config.yaml_document import Path
from rules.problems import Finding


class Limits(Section):
    """Limits of one client at the listener."""

    header_bytes: t.Size = 32 * 1024
    url_bytes: t.Size = 8 * 1024
    body_bytes: t.Size = 0
    header_timeout: t.Time = 10.0
    body_timeout: t.Time = 30.0
    idle_timeout: t.Time = 75.0
    min_rate: t.Rate = 240
    per_peer: t.Count = 0
    connections: t.Count = 10_000


class Buffer(Section):
    """Limits of buffering for slow clients."""

    request: t.Size = 64 * 1024
    response: t.Size = 256 * 1024
    total: t.Size = 64 << 20


class ListenTls(Section):
    """Certificate chain and key."""

    cert: str
    key: str


class Via(Section):
    """Our own member of the Via field, by which a loop is detected."""

    name: t.Pseudonym | None = None
    passes: t.Count = 1


class Listen(Section):
    """Where users are served."""

    address: t.Address = "127.0.0.1:8080"
    workers: t.Workers = 1
    tls: ListenTls | None = None
    trusted_proxies: list[t.Network] = Field(default_factory=list)
    limits: Limits = Limits()
    buffer: Buffer = Buffer()
    mode: t.FileMode | None = None
    group: Annotated[str, Field(min_length=1)] | None = None
    drain: t.Time = 30.0
    via: Via = Via()


class Admin(Section):
    """Where operators are served."""

    address: t.Address = "127.0.0.1:9180"
    token_env: t.Variable = "STRANGLER_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
    view_token_env: t.Variable = "STRANGLER_VIEW_TOKEN"  # noqa: S105 - as above
    tls: ListenTls | None = None


class Diffs(Section):
    """What is stored of differing pairs."""

    keep: t.Time = 168 * 3600.0
    max_bytes: t.Size = 1 << 30
    bodies: bool = True
    pii: Literal["mask", "keep"] = "mask"
    redact: list[str] = Field(default_factory=list)


class Health(Section):
    """The active health check of a backend."""

    path: t.TargetPath = "/health"
    host: t.Authority | None = None
    headers: dict[t.ProbeField, t.FieldValue] = Field(default_factory=dict)
    statuses: list[t.StatusRange] = Field(default=["200-399"], min_length=1)
    every: t.Time = 5.0
    unhealthy_after: t.Count = 3
    healthy_after: t.Count = 2


class BackendTls(Section):
    """How an https backend is verified."""

    ca: str | None = None
    verify: bool = True
    server_name: str | None = None


class Backend(Section):
    """A named set of targets."""

    url: t.BackendUrl | None = None
    urls: list[t.BackendUrl] = Field(default_factory=list)
    connect_timeout: t.Time = 1.0
    timeout: t.Time = 30.0
    idle_timeout: t.Time = 60.0
    max_connections: t.Count = 256
    max_age: t.Time = 600.0
    resolve: t.Time = 30.0
    retries: t.Count = 2
    health: Health | None = None
    tls: BackendTls | None = None


class Match(Section):
    """Which requests a route takes."""

    path: t.MatchPath
    methods: list[t.Method] = Field(default_factory=list)
    host: t.Host | None = None
    headers: dict[t.FieldName, t.RegexOrText] = Field(default_factory=dict)
    query: dict[str, t.RegexOrText] = Field(default_factory=dict)


class Step(Section):
    """One stage of a rollout."""

    weight: t.Weight
    seconds: t.Time = Field(default=0.0, alias="for")
    min_requests: t.Count = 0
    approve: Literal["manual", "auto"] = "auto"


class Rollout(Section):
    """Which share of a route's users the modern side answers."""

    weight: t.Weight = 0.0
    by: Literal["user", "request"] = "user"
    group: Annotated[str, Field(min_length=1)] | None = None
    salt: Annotated[str, Field(min_length=1)] | None = None
    hash: Literal[
        "sha256", "js32", "unleash", "launchdarkly", "growthbook", "flagd", "optimizely", "nginx"
    ] = "sha256"  # fmt: skip
    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    force_header: Annotated[t.FieldName | None, t.OrNone()] = "X-Strangler-Force"
    steps: list[Step] = Field(default_factory=list)


class QueryEdit(Section):
    """Changes to the query string."""

    rename: dict[str, str] = Field(default_factory=dict)
    set: dict[str, str] = Field(default_factory=dict)
    remove: list[str] = Field(default_factory=list)


class HeaderEdit(Section):
    """Changes to the request fields."""

    set: dict[t.FieldName, t.FieldValue] = Field(default_factory=dict)
    remove: list[t.FieldName] = Field(default_factory=list)


class BodyEdit(Section):
    """Conversion of the request body."""

    form_to_json: bool = False
    json_to_form: bool = False
    rename: dict[str, str] = Field(default_factory=dict)


class ResponseEdit(Section):
    """Change of the response's body: JMESPath over its JSON."""

    json_: str | None = Field(default=None, alias="json", min_length=1)


class CookieEdit(Section):
    """What Set-Cookie is rewritten to."""

    path: t.FieldValue | None = None
    domain: t.FieldValue | None = None


class Side(Section):
    """How a request is written for one side, and its response for the client."""

    backend: str | None = None
    method: t.Method | None = None
    path: t.TargetPath | None = None
    query: QueryEdit = QueryEdit()
    headers: HeaderEdit = HeaderEdit()
    body: BodyEdit = BodyEdit()
    response: ResponseEdit = ResponseEdit()
    status: dict[t.Status, t.Status] = Field(default_factory=dict)
    location: Literal["rewrite", "keep"] = "keep"
    cookies: CookieEdit = CookieEdit()


class Fallback(Section):
    """When legacy is asked instead of a failed modern."""

    mode: Literal["none", "connect", "safe"] = "safe"
    statuses: list[t.Status] = Field(default=[500, 502, 503, 504])
    max_body: t.Size = 1 << 20


class Recheck(Section):
    """When a differing read is sent once more."""

    after: t.Time = 0.5
    per_minute: t.Count = 30


class Shadow(Section):
    """What is mirrored to the other side."""

    sample: t.Share = 0.0
    methods: list[t.Method] = Field(default=["GET", "HEAD"])
    writes: Literal["none", "dry_run", "isolated"] = "none"
    when: Literal["concurrent", "after"] = "concurrent"
    timeout: t.Time = 5.0
    max_body: t.Size = 1 << 20
    max_in_flight: t.Count = 64
    session: Literal["strip", "share"] = "strip"
    deny: list[t.RegexOrText] = Field(default_factory=list)
    recheck: Recheck = Recheck()
    secondary: t.Share = 0.01
    backend: str | None = None


class Invariant(Section):
    """A business rule over the bodies."""

    name: t.Name
    expr: Annotated[str, Field(min_length=1)]
    on_violation: Literal["observe", "rollback"] = "observe"
    unit: Literal["cents"] | None = None


class WorseThanLegacy(Section):
    """How much worse than legacy is too much."""

    errors: t.Share = 0.01
    p95: t.Number = 1.5
    p95_floor: t.Time = 0.1


class Guard(Section):
    """The limits that a route's modern side must keep."""

    window: t.Time = 60.0
    min_requests: t.Count = 20
    error_rate: t.Share = 0.05
    p95: t.Time = 1.0
    worse_than_legacy: Annotated[WorseThanLegacy | None, t.OrNone()] = WorseThanLegacy()
    mismatch_rate: t.Share = 0.01
    consecutive_failures: t.Count = 5
    on_breach: Literal["rollback", "step_back", "observe"] = "rollback"
    rollback: Literal["clean", "lossy", "forbidden"] = "clean"


class Route(Section):
    """One endpoint's whole policy."""

    name: t.Name
    match: Match
    rollout: Rollout = Rollout()
    legacy: Annotated[Side, t.Short("backend")] = Side()
    modern: Annotated[Side, t.Short("backend")] = Side()
    fallback: Annotated[Fallback, t.Short("mode")] = Fallback()
    shadow: Shadow = Shadow()
    compare: Compare = Compare()
    invariants: list[Invariant] = Field(default_factory=list)
    guard: Annotated[Guard | None, t.OrNone()] = Guard()


class Defaults(Section):
    """What is merged under every route."""

    legacy: Annotated[Side, t.Short("backend")] = Side()
    modern: Annotated[Side, t.Short("backend")] = Side()
    rollout: Rollout = Rollout()
    fallback: Annotated[Fallback, t.Short("mode")] = Fallback()
    shadow: Shadow = Shadow()
    compare: Compare = Compare()
    guard: Annotated[Guard | None, t.OrNone()] = Guard()


class Notify(Section):
    """One webhook."""

    url_env: t.Variable
    secret_env: t.Variable | None = None
    format: Literal["json", "slack"] = "json"
    events: list[
        Literal[
            "rollback", "step_back", "advance", "hold", "resume", "weight", "invariant", "reload",
            "config_refused", "trip", "drill",
        ]
    ] = Field(default_factory=list)  # fmt: skip


class Judges(Section):
    """Resource limits of comparing."""

    cpu: t.Share = 0.5
    processes: t.Processes = 0


class File(Section):
    """The whole file."""

    version: t.Version = 1
    listen: Listen = Listen()
    admin: Admin = Admin()
    store: t.StoreUrl = "sqlite:var/strangler.db"
    diffs: Diffs = Diffs()
    backends: dict[t.Name, Backend]
    identity: list[t.Identity] = Field(default_factory=list)
    defaults: Defaults = Defaults()
    routes: list[Route] = Field(default_factory=list)
    notify: list[Notify] = Field(default_factory=list)
    judges: Judges = Judges()
    data: Data = Data()


# Errors of the type checks, in the words of an operator.


_KINDS = {
    "model_type": "a mapping is needed here",
    "model_attributes_type": "a mapping is needed here",
    "dict_type": "a mapping is needed here",
    "list_type": "a list is needed here",
    "string_type": "text is needed here",
    "bool_type": "true or false is needed here",
    "int_type": "a whole number is needed here",
    "float_type": "a number is needed here",
    "string_too_short": "must not be empty",
}


def findings(error: ValidationError, root: type[Section]) -> Iterable[Finding]:
    """Return each error of a validation in plain words."""
    for one in error.errors(include_url=False):
        yield _finding(one, root)


def _finding(error: Mapping[str, Any], root: type[Section]) -> Finding:
    kind, path, value = error["type"], tuple(error["loc"]), error.get("input")
    at_key = bool(path) and path[-1] == "[key]"
    if at_key:
        path = path[:-1]
    if kind == "extra_forbidden":
        return Finding(path, f"unknown key `{path[-1]}`", _known_key(path, root), at_key=True, kind=kind)
    if kind == "missing":
        return Finding(path[:-1], f"`{path[-1]}` is missing", kind=kind)
    if kind == "value_error":
        reason = error["ctx"]["error"]
        hint = reason.hint if isinstance(reason, UnitError) else ""
        return Finding(path, _named(path, str(reason)), hint, at_key=at_key, kind=kind)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        hint = did_you_mean(str(value), choices) or f"one of {', '.join(choices)}"
        return Finding(path, _named(path, f"`{value}` is not possible"), hint, kind=kind)
    message = _named(path, _KINDS.get(kind, str(error["msg"])))
    return Finding(path, message, _spelling(kind, value), at_key=at_key, kind=kind)


def _named(path: Path, message: str) -> str:
    """Put the key in front, unless the message is about an entry of a list."""
    last = next((part for part in reversed(path) if isinstance(part, str)), None)
    return f"`{last}`: {message}" if last is not None else message


def _spelling(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'write it in quotes: "{text}"'
    if kind == "list_type" and isinstance(value, str | int | float):
        return f"did you mean [{value}]?"
    if kind == "bool_type" and isinstance(value, str) and value.lower() in {"true", "false"}:
        return "without quotes"
    return ""


def _known_key(path: Path, root: type[Section]) -> str:
    """Suggest a key of the same mapping; a key of another section cannot be recognised by its name alone."""
    owner = model_at(root, path[:-1])
    if owner is None:
        return ""
    known = [field.alias or name for name, field in owner.model_fields.items()]
    return did_you_mean(str(path[-1]), known) or f"known here: {', '.join(known)}"


def model_at(root: type[Section], path: Path) -> type[Section] | None:
    """Return the section at a path, None where no section is known."""
    kind: Any = root
    for part in path:
        kind = _below(kind, part)
    return direct_section(kind)


def direct_section(kind: Any) -> type[Section] | None:
    """Return the section a field holds, None for lists of them and mappings to them."""
    kind = _bare(kind)
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def section_of(kind: Any) -> type[Section] | None:
    """Return the section in a field's type: the type itself, or that of its list or mapping."""
    kind = _bare(kind)
    while get_origin(kind) in {list, dict}:
        kind = _bare(get_args(kind)[-1])
    return direct_section(kind)


def _below(kind: Any, part: str | int) -> Any:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, Section):
        for name, field in kind.model_fields.items():
            if part in {name, field.alias} and (field.alias in {None, part}):
                return field.annotation
        return None
    if get_origin(kind) in {list, dict}:
        return get_args(kind)[-1]
    return None


def _bare(kind: Any) -> Any:
    """Unwrap a type: Annotated, or None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        return _bare(next(one for one in get_args(kind) if one is not type(None)))
    return kind
