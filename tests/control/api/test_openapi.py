"""The OpenAPI document describes every endpoint, and only those."""

from __future__ import annotations

import re

import jsonschema
import pytest

from proxy.control import admin_server
from proxy.control.api.endpoints import ENDPOINTS, SCHEMAS
from proxy.control.api.http import PREFIX
from proxy.control.api.openapi import document
from tests.control.test_admin import Control

REGISTERED = {(route.method, route.path) for route in admin_server.routes(Control())}
DESCRIBED = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
CONTRACT = {
    ("GET", "status"), ("GET", "routes/{name}"), ("GET", "explain"), ("POST", "routes/{name}/rollback"),
    ("POST", "routes/{name}/resume"), ("POST", "routes/{name}/hold"), ("POST", "routes/{name}/advance"),
    ("POST", "routes/{name}/weight"), ("POST", "rollback"), ("POST", "reload"), ("GET", "diffs"),
    ("GET", "diffs/{id}"), ("POST", "diffs/{id}/ignore"), ("GET", "events"), ("GET", "events/stream"),
    ("GET", "report"), ("GET", "config"), ("GET", "config/schema"),
}  # fmt: skip


def test_every_path_of_the_api_is_described_and_no_other():
    api = {(method, path) for method, path in REGISTERED if path.startswith(PREFIX)}

    assert api - DESCRIBED == set()
    assert DESCRIBED - api == set()


def test_everything_that_operators_rely_on_is_there():
    assert {(method, f"{PREFIX}/{path}") for method, path in CONTRACT} <= REGISTERED
    assert {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")} <= REGISTERED


def test_reading_never_changes_anything_and_changing_is_never_reading():
    assert {method for method, _ in REGISTERED} == {"GET", "POST"}
    assert not [one for one in ENDPOINTS if one.method == "GET" and one.wish]


def test_every_operation_has_its_own_name_and_every_reference_leads_somewhere():
    described = document(REGISTERED)
    operations = [operation for methods in described["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]

    assert len(set(names)) == len(names)
    assert set(re.findall(r"#/components/schemas/(\w+)", str(described))) <= SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
