"""A checked file to frozen values: defaults filled in, its content identified by a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from operator import attrgetter
from typing import Any

from rules import model
from rules.config import build_data, schema


def snapshot(
    file: schema.File, source: str, lines: Sequence[int], compares: Sequence[Any], secrets: tuple[str, ...] = ()
) -> model.Snapshot:
    """Build the snapshot; `lines` and `compares` hold each route's line and its `compare:` as written."""
    legacy = file.defaults.legacy.backend or model.LEGACY
    modern = file.defaults.modern.backend or model.MODERN
    built = model.Snapshot(
        listen=_listen(file.listen),
        admin=model.Admin(
            file.admin.address, file.admin.token_env, file.admin.view_token_env, _server_tls(file.admin.tls)
        ),
        store=file.store,
        diffs=model.DiffStorage(
            file.diffs.keep, file.diffs.max_bytes, file.diffs.bodies, tuple(file.diffs.redact), file.diffs.pii
        ),
        backends=tuple(_backend(name, backend) for name, backend in file.backends.items()),
        identity=tuple(file.identity),
        routes=tuple(
            _route(route, legacy, modern, line, compare)
            for route, line, compare in zip(file.routes, lines, compares, strict=True)
        ),
        default_backend=legacy,
        notify=tuple(model.Notify(one.url_env, one.secret_env, one.format, tuple(one.events)) for one in file.notify),
        judges=model.Judges(file.judges.cpu, file.judges.processes),
        data=build_data.data(file.data),
        source=source,
        version=file.version,
        secrets=secrets,
    )
    return replace(built, digest=digest(built))


def digest(snapshot: model.Snapshot) -> str:
    """Return the digest of a snapshot's effective content: twelve hex digits, independent of its layout."""
    content = json.dumps(snapshot, default=lambda word: _content(word.__class__)(word), sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12]


_LAYOUT = frozenset({"line", "source", "digest", "cert_text", "key_text", "ca_text", "secrets"})


@cache
def _content(kind: Any) -> attrgetter[Any]:
    """Return a function that reads the fields of a frozen value; file and line of a value are left out."""
    return attrgetter(*(one.name for one in fields(kind) if one.name not in _LAYOUT))


def _listen(listen: schema.Listen) -> model.Listen:
    limits = listen.limits
    return model.Listen(
        address=listen.address,
        workers=listen.workers,
        tls=_server_tls(listen.tls),
        trusted_proxies=tuple(listen.trusted_proxies),
        limits=model.Limits(
            limits.header_bytes,
            limits.url_bytes,
            limits.body_bytes,
            limits.header_timeout,
            limits.body_timeout,
            limits.idle_timeout,
            limits.min_rate,
            limits.per_peer,
            limits.connections,
        ),
        drain=listen.drain,
        via=model.Via(listen.via.name or "", listen.via.passes),
        buffer=model.Buffer(listen.buffer.request, listen.buffer.response, listen.buffer.total),
        mode=listen.mode or "",
        group=listen.group or "",
    )


def _server_tls(tls: schema.ListenTls | None) -> model.ListenTls | None:
    return None if tls is None else model.ListenTls(tls.cert, tls.key)


def _backend(name: str, backend: schema.Backend) -> model.Backend:
    tls = backend.tls
    return model.Backend(
        name=name,
        urls=tuple(backend.urls) if backend.url is None else (backend.url,),
        connect_timeout=backend.connect_timeout,
        timeout=backend.timeout,
        idle_timeout=backend.idle_timeout,
        max_connections=backend.max_connections,
        health=None if backend.health is None else _health(backend.health),
        tls=None if tls is None else model.BackendTls(tls.ca, tls.verify, tls.server_name),
        max_age=backend.max_age,
        resolve=backend.resolve,
        retries=backend.retries,
    )


def _health(health: schema.Health) -> model.Health:
    ends = [each.partition("-") for each in health.statuses]
    return model.Health(
        health.path,
        health.every,
        health.unhealthy_after,
        health.healthy_after,
        host=health.host,
        headers=tuple(health.headers.items()),
        statuses=tuple((int(first), int(last or first)) for first, _, last in ends),
    )


def _route(route: schema.Route, legacy: str, modern: str, line: int, compare: Any) -> model.Route:
    return model.Route(
        name=route.name,
        match=model.Match(
            path=route.match.path,
            methods=tuple(route.match.methods),
            host=route.match.host,
            headers=tuple(route.match.headers.items()),
            query=tuple(route.match.query.items()),
        ),
        rollout=_rollout(route.rollout, route.name),
        legacy=_side(route.legacy, legacy),
        modern=_side(route.modern, modern),
        fallback=model.Fallback(route.fallback.mode, tuple(route.fallback.statuses), route.fallback.max_body),
        shadow=_shadow(route.shadow),
        compare=dict(compare),
        invariants=tuple(model.Invariant(one.name, one.expr, one.on_violation, one.unit) for one in route.invariants),
        guard=None if route.guard is None else _guard(route.guard),
        line=line,
    )


def _rollout(rollout: schema.Rollout, name: str) -> model.Rollout:
    return model.Rollout(
        weight=rollout.weight,
        by=rollout.by,
        salt=rollout.group or rollout.salt or name,
        group=rollout.group,
        hash=rollout.hash,
        include=tuple(rollout.include),
        exclude=tuple(rollout.exclude),
        force_header=rollout.force_header,
        steps=tuple(
            model.Step(one.weight, one.seconds, one.min_requests, one.approve == "manual") for one in rollout.steps
        ),
    )


def _side(side: schema.Side, backend: str) -> model.SidePolicy:
    convert = None
    if side.body.form_to_json or side.body.json_to_form:
        convert = "form_to_json" if side.body.form_to_json else "json_to_form"
    return model.SidePolicy(
        backend=side.backend or backend,
        path=side.path,
        query=model.QueryEdit(
            tuple(side.query.rename.items()), tuple(side.query.set.items()), tuple(side.query.remove)
        ),
        headers=model.HeaderEdit(tuple(side.headers.set.items()), tuple(side.headers.remove)),
        body=model.BodyEdit(convert, tuple(side.body.rename.items())),
        response_json=side.response.json_,
        status=tuple(side.status.items()),
        rewrite_location=side.location == "rewrite",
        cookies=model.CookieEdit(side.cookies.path, side.cookies.domain),
        method=side.method,
    )


def _shadow(shadow: schema.Shadow) -> model.ShadowPolicy:
    return model.ShadowPolicy(
        sample=shadow.sample,
        methods=tuple(shadow.methods),
        writes=shadow.writes,
        when=shadow.when,
        timeout=shadow.timeout,
        max_body=shadow.max_body,
        max_in_flight=shadow.max_in_flight,
        session=shadow.session,
        deny=tuple(shadow.deny),
        recheck_after=shadow.recheck.after,
        recheck_per_minute=shadow.recheck.per_minute,
        secondary=shadow.secondary,
        backend=shadow.backend,
    )


def _guard(guard: schema.Guard) -> model.GuardPolicy:
    worse = guard.worse_than_legacy
    return model.GuardPolicy(
        window=guard.window,
        min_requests=guard.min_requests,
        error_rate=guard.error_rate,
        p95=guard.p95,
        worse_than_legacy=None if worse is None else model.WorseThanLegacy(worse.errors, worse.p95, worse.p95_floor),
        mismatch_rate=guard.mismatch_rate,
        consecutive_failures=guard.consecutive_failures,
        on_breach=guard.on_breach,
        rollback=guard.rollback,
    )
