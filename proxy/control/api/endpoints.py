"""Every endpoint with its schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proxy.control.api.http import PREFIX

# Describes the documents of the admin API as JSON Schemas: what every client may rely on, nothing more.


Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
SHARE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SECONDS: Schema = {"type": ["number", "null"], "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {}


def maybe(schema: Schema) -> Schema:
    """Return `schema` or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def thing(**members: Schema) -> Schema:
    """Return an object that has at least `members`."""
    return {"type": "object", "properties": members, "required": list(members)}


def many(schema: Schema) -> Schema:
    """Return a list of `schema`."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """Return a reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def paged(schema: Schema, **beside: Schema) -> Schema:
    """Return one page of a list of `schema`, with what stands `beside` it."""
    return thing(items=many(schema), next={"type": ["string", "integer", "null"]}, **beside)


_FILE_PROBLEM = thing(file=TEXT, line=COUNT, column=COUNT, message=TEXT, hint=maybe(TEXT), level=TEXT)

SCHEMAS: dict[str, Schema] = {
    "Problem": thing(type=TEXT, title=TEXT, status=COUNT, detail=TEXT),
    "FileProblem": _FILE_PROBLEM,
    "Readiness": thing(ready=FLAG, reasons=many(TEXT), config=thing(digest=TEXT, accepted=FLAG)),
    "Side": thing(requests=COUNT, errors=COUNT, error_rate=SHARE, p50=SECONDS, p95=SECONDS),
    "RouteStatus": thing(
        name=TEXT,
        stage={"enum": ["legacy", "shadow", "canary", "modern", "rolled_back", "held"]},
        weight=thing(intended=NUMBER, effective=NUMBER),
        held=FLAG,
        rolled_back=maybe(thing(at=MOMENT, reason=TEXT, evidence=ANYTHING)),
        legacy=ref("Side"),
        modern=ref("Side"),
        copies=thing(legacy=ref("Side"), modern=ref("Side")),
        shadow=thing(sent=COUNT, dropped=COUNT),
        compare=thing(
            equal=COUNT,
            different=COUNT,
            noise=COUNT,
            transient=COUNT,
            not_compared=ANYTHING,
            coverage=SHARE,
            coverage_reason=maybe(TEXT),
            mismatch_rate=SHARE,
        ),
        together=maybe(ref("Together")),
    ),
    "Together": thing(
        heard=FLAG,
        # `with` is a word of Python's own
        **{"with": many(TEXT)},
        left_out={"type": "object", "additionalProperties": TEXT},
        legacy=thing(requests=COUNT, errors=COUNT, error_rate=SHARE, p95=SECONDS),
        modern=thing(requests=COUNT, errors=COUNT, error_rate=SHARE, p95=SECONDS),
        compare=thing(equal=COUNT, different=COUNT, noise=COUNT, mismatch_rate=SHARE),
    ),
    "Status": thing(
        config=thing(digest=TEXT, loaded_at=MOMENT, error=maybe(TEXT)),
        instances=many({"type": "object"}),
        data=thing(configured=FLAG, tables=COUNT, verified=COUNT, unverified=many(TEXT), violated=many(TEXT)),
        routes=many(ref("RouteStatus")),
        backends=many(ref("Backend")),
    ),
    "Backend": thing(name=TEXT, max_connections=COUNT, health_check=FLAG, targets=many(ref("Target"))),
    "Target": thing(
        target=TEXT,
        up=maybe(FLAG),
        healthy=maybe(FLAG),
        left_out=COUNT,
        probe_in=SECONDS,
        in_flight=COUNT,
        idle=COUNT,
        waiting=COUNT,
        errors=COUNT,
        last_error=maybe(TEXT),
        addresses=many(thing(address=TEXT, failures=COUNT, missed=COUNT)),
    ),
    "Backends": paged(ref("Backend")),
    "Explanation": thing(
        route=TEXT,
        side=TEXT,
        reason=TEXT,
        bucket=SHARE,
        weight=NUMBER,
        identity=maybe(TEXT),
        target=ANYTHING,
        shadow=ANYTHING,
        trail=many(TEXT),
    ),
    "Event": thing(
        id={"type": ["string", "integer"]},
        at=MOMENT,
        event=TEXT,
        route=maybe(TEXT),
        who=TEXT,
        reason=TEXT,
        evidence=ANYTHING,
    ),
    "Events": paged(ref("Event")),
    "Decision": thing(
        at=MOMENT,
        request_id=TEXT,
        method=TEXT,
        path=TEXT,
        route=TEXT,
        generation=COUNT,
        side=TEXT,
        reason=TEXT,
        bucket=SHARE,
        weight=NUMBER,
        answered=TEXT,
        status=COUNT,
        target=TEXT,
        fallback=TEXT,
        error=TEXT,
        seconds=NUMBER,
    ),
    "Group": thing(
        id=TEXT,
        route=TEXT,
        path=TEXT,
        kind=TEXT,
        count=COUNT,
        here=COUNT,
        first_seen=MOMENT,
        last_seen=MOMENT,
        known=ANYTHING,
        transient=FLAG,
        examples=ANYTHING,
    ),
    "Groups": paged(ref("Group"), suggested=many(thing(route=TEXT, compare=TEXT))),
    "Config": thing(digest=TEXT, generation=COUNT, effective={"type": "object"}, overrides=many({"type": "object"})),
    "Plan": thing(routes=many({"type": "object"}), settings=many(TEXT), users={"type": "object"}),
    "Reloaded": thing(outcome={"enum": ["applied", "unchanged", "accepted"]}),
    "Revoked": thing(revoked=TEXT, kept=FLAG),
    "Report": thing(at=MOMENT, digest=TEXT, share_migrated=SHARE, routes=many({"type": "object"})),
    "Data": thing(
        configured=FLAG, tables=many({"type": "object"}), checks=many({"type": "object"}), warnings=many(TEXT)
    ),
    "Object": {"type": "object"},
}


JSON = "application/json"
STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query string."""

    name: str
    about: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. `wish` are the members of the body, `required` those that must be there.

    `answers` names the schema of a success, `texts` are media types it may have instead of `media_type`; `refusals`
    are the further statuses it may give, each a problem.
    """

    method: str
    path: str
    about: str
    answers: str
    parameters: tuple[Parameter, ...] = ()
    wish: tuple[tuple[str, Schema], ...] = ()
    required: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    media_type: str = JSON
    success: tuple[int, ...] = (200,)
    tagged: bool = False
    texts: tuple[str, ...] = ()


_LIMIT = Parameter("limit", "How many items at most.", {"type": "integer", "minimum": 1, "maximum": 1000})
_AFTER = Parameter("after", "The `next` of the page before.", TEXT)
_SINCE = Parameter("since", "A duration back (1h) or a timestamp.", TEXT)
_TRANSIENT = Parameter("transient", "1: those whose pairs were equal in the re-check, instead of the others.", TEXT)
_ROUTE = Parameter("route", "Only this route.", TEXT)
_REASON: Schema = {"type": "string", "maxLength": 2000}
_NEEDED: Schema = {**_REASON, "minLength": 1, "pattern": r"\S"}
_REVISION: tuple[str, Schema] = ("revision", {"type": "integer"})
_WHY = (("reason", _REASON), _REVISION)
_WHY_NEEDED = (("reason", _NEEDED), _REVISION)
_ONE = f"{PREFIX}/routes/{{name}}"


def _verb(name: str, about: str, *, reason_needed: bool = False) -> Endpoint:
    return Endpoint(
        "POST",
        f"{_ONE}/{name}",
        about,
        "RouteStatus",
        wish=_WHY_NEEDED if reason_needed else _WHY,
        required=("reason",) if reason_needed else (),
        refusals=(404, 409, 412, 503),
        tagged=True,
    )


ENDPOINTS = (
    Endpoint("GET", f"{PREFIX}/status", "What every route does now.", "Status"),
    Endpoint("GET", _ONE, "What one route does now; its ETag is for If-Match.", "RouteStatus", refusals=(404,)),
    Endpoint("GET", f"{PREFIX}/backends", "How the targets of every backend are.", "Backends"),
    Endpoint(
        "GET",
        f"{PREFIX}/explain",
        "Where a request would go, why.",
        "Explanation",
        parameters=(
            Parameter("path", "The path with its query string.", {"type": "string", "pattern": "^/"}, required=True),
            Parameter("method", "GET when left out.", TEXT),
            Parameter("user", "Who the user is.", TEXT),
            Parameter("header", "A field as `Name: value`; may be repeated.", {"type": "array", "items": TEXT}),
        ),
    ),
    Endpoint("GET", f"{PREFIX}/config", "The effective configuration, secrets masked.", "Config"),
    Endpoint("GET", f"{PREFIX}/config/schema", "The JSON Schema of the file.", "Object"),
    Endpoint("GET", f"{PREFIX}/openapi.json", "This document.", "Object"),
    Endpoint(
        "GET",
        f"{PREFIX}/report",
        "The migration report: both sides of every route.",
        "Report",
        parameters=(Parameter("format", "json, md or html.", {"enum": ["json", "md", "html"]}),),
        texts=("text/markdown", "text/html"),
    ),
    Endpoint("GET", f"{PREFIX}/data", "What verifying both databases found.", "Data"),
    Endpoint(
        "POST",
        f"{PREFIX}/reload",
        "Read the file again; `wait: false` does not wait for the outcome.",
        "Reloaded",
        wish=(("wait", FLAG),),
        success=(200, 202),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/plan",
        "What another file would change, for whom.",
        "Plan",
        wish=(("config", TEXT),),
        required=("config",),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/sessions/revoke",
        "End every session of the console, or those of one name, at once.",
        "Revoked",
        wish=(("name", {"type": "string", "pattern": "^[A-Za-z0-9._@-]{1,64}$"}), ("reason", _REASON)),
    ),
    _verb(
        "rollback",
        "Send all users to legacy at once, until a resume. Never refused for a stale If-Match.",
        reason_needed=True,
    ),
    _verb("resume", "Return to the file's weight, or to step 1.", reason_needed=True),
    _verb("hold", "Stay where it is."),
    Endpoint(
        "POST",
        f"{_ONE}/advance",
        "Enter the next step; `override: true` with a reason although its data is not verified.",
        "RouteStatus",
        wish=(*_WHY, ("override", FLAG)),
        refusals=(404, 409, 412, 503),
        tagged=True,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/weight",
        "Set the share of users that modern serves.",
        "RouteStatus",
        wish=(("weight", {"type": "number", "minimum": 0, "maximum": 100}), *_WHY, ("override", FLAG)),
        required=("weight",),
        refusals=(404, 409, 412, 503),
        tagged=True,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/drill",
        "Prove with made-up users that users return to legacy when modern fails.",
        "Object",
        wish=(("seconds", {"type": "number", "minimum": 1, "maximum": 20}), ("path", TEXT)),
        refusals=(404, 409, 503),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/rollback",
        "Roll every route back.",
        "Object",
        wish=(("reason", _NEEDED),),
        required=("reason",),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/resume",
        "Lift every rollback that an operator asked for, or (`guard`) of the guard's latest incident; or `preview` it.",
        "Object",
        wish=(("reason", _NEEDED), ("guard", {"type": "boolean"}), ("preview", {"type": "boolean"})),
        required=("reason",),
        refusals=(409, 503),
    ),
    Endpoint(
        "GET",
        f"{PREFIX}/diffs",
        "Groups of differences, those seen last first.",
        "Groups",
        parameters=(_ROUTE, _SINCE, _TRANSIENT, _LIMIT, _AFTER),
        refusals=(404, 503),
    ),
    Endpoint("GET", f"{PREFIX}/diffs/{{id}}", "One group with its examples.", "Group", refusals=(404, 503)),
    Endpoint(
        "POST",
        f"{PREFIX}/diffs/{{id}}/ignore",
        "Hold a difference to be known until a day.",
        "Group",
        wish=(("reason", _NEEDED), ("owner", TEXT), ("until", TEXT), ("max_rate", {"type": ["number", "string"]})),
        required=("reason",),
        refusals=(404, 503),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/diffs/{{id}}/unignore",
        "Take back that a difference is known.",
        "Group",
        wish=_WHY_NEEDED,
        required=("reason",),
        refusals=(404, 503),
    ),
    Endpoint(
        "GET",
        f"{PREFIX}/noise",
        "What legacy varies by itself, with the evidence.",
        "Object",
        parameters=(_ROUTE,),
        refusals=(404,),
    ),
    Endpoint(
        "POST",
        f"{PREFIX}/diffs/rejudge",
        "Judge the stored pairs again under the current file.",
        "Object",
        wish=(("route", TEXT),),
        refusals=(404, 409, 503),
    ),
    Endpoint(
        "GET",
        f"{PREFIX}/events",
        "The audit log.",
        "Events",
        parameters=(Parameter("since", "The id of the last event known.", TEXT), _ROUTE, _LIMIT, _AFTER),
    ),
    Endpoint("GET", f"{PREFIX}/events/stream", "The audit log as it grows.", "Event", media_type=STREAM),
    Endpoint(
        "GET",
        f"{PREFIX}/decisions/stream",
        "Decisions as they are made; `event: dropped` says how many were too many to be sent.",
        "Decision",
        parameters=(
            _ROUTE,
            Parameter("side", "Only those for this side.", {"enum": ["legacy", "modern"]}),
            Parameter("status", "Only these statuses: 404, 5xx, 400-499, or several with commas.", TEXT),
            Parameter("user", "Only this user; the id is compared and not sent.", TEXT),
        ),
        refusals=(404, 503),
        media_type=STREAM,
    ),
)
