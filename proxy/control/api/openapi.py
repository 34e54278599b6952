"""Writes the OpenAPI document from the list of endpoints."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.endpoints import ENDPOINTS, JSON, SCHEMAS, TEXT, Endpoint, ref
from proxy.control.api.http import PREFIX
from proxy.settings import program_version

_SAFE = "GET"
_OF_READING = (401, 421, 422, 429)
_OF_CHANGING = (400, 401, 403, 413, 415, 421, 422, 429)


def document(registered: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Return the document of those endpoints that are there: method with path."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        if (endpoint.method, endpoint.path) in registered:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strangler admin API",
            "version": program_version(),
            "description": "See and steer a strangler-fig reverse proxy. GET never changes anything.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def routes(registered: Sequence[web.RouteDef]) -> Sequence[web.RouteDef]:
    """Return the path of the document that describes `registered` with itself."""
    path = f"{PREFIX}/openapi.json"
    described = document({(route.method, route.path) for route in registered} | {(_SAFE, path)})

    async def openapi(_: web.Request) -> web.Response:
        return http.json(described)

    return (web.get(path, openapi),)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _id(endpoint),
        "summary": endpoint.about,
        "parameters": [*_in_path(endpoint), *_in_query(endpoint), *_in_header(endpoint)],
        "responses": {**_successes(endpoint), **_refusals(endpoint)},
    }
    if endpoint.method != _SAFE:
        operation["requestBody"] = _body(endpoint)
    return operation


def _id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-z]+", endpoint.path.removeprefix(PREFIX))
    return "_".join((endpoint.method.lower(), *words))


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", endpoint.path)
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.about,
            "schema": one.schema,
        }
        for one in endpoint.parameters
    ]


def _in_header(endpoint: Endpoint) -> list[dict[str, Any]]:
    if not endpoint.tagged:
        return []
    about = "The ETag that was looked at; another one is 412."
    return [{"name": "If-Match", "in": "header", "required": False, "description": about, "schema": TEXT}]


def _body(endpoint: Endpoint) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": dict(endpoint.wish),
        "required": list(endpoint.required),
        "additionalProperties": False,
    }
    return {"required": bool(endpoint.required), "content": {JSON: {"schema": schema}}}


def _successes(endpoint: Endpoint) -> dict[str, Any]:
    content = {
        endpoint.media_type: {"schema": ref(endpoint.answers)},
        **{media_type: {"schema": TEXT} for media_type in endpoint.texts},
    }
    return {str(status): {"description": "as asked", "content": content} for status in endpoint.success}


def _refusals(endpoint: Endpoint) -> dict[str, Any]:
    usual = _OF_READING if endpoint.method == _SAFE else _OF_CHANGING
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        str(status): {"description": "a problem", "content": content} for status in sorted({*usual, *endpoint.refusals})
    }
