"""Describes the documents of the admin API as JSON Schemas: what every client may rely on, nothing more."""

from __future__ import annotations

from typing import Any

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


def paged(schema: Schema) -> Schema:
    """Return one page of a list of `schema`."""
    return thing(items=many(schema), next={"type": ["string", "integer", "null"]})


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
        shadow=thing(sent=COUNT, dropped=COUNT),
        compare=thing(
            equal=COUNT,
            different=COUNT,
            noise=COUNT,
            transient=COUNT,
            not_compared=ANYTHING,
            coverage=SHARE,
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
        routes=many(ref("RouteStatus")),
    ),
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
        examples=ANYTHING,
    ),
    "Groups": paged(ref("Group")),
    "Config": thing(digest=TEXT, generation=COUNT, effective={"type": "object"}, overrides=many({"type": "object"})),
    "Plan": thing(routes=many({"type": "object"}), settings=many(TEXT), users={"type": "object"}),
    "Reloaded": thing(outcome={"enum": ["applied", "unchanged", "accepted"]}),
    "Report": thing(at=MOMENT, digest=TEXT, share_migrated=SHARE, routes=many({"type": "object"})),
    "Object": {"type": "object"},
}
