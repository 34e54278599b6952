"""The admin API responds as promised to whatever its own description allows, and to whatever it does not.

Schemathesis makes the requests from the OpenAPI document of a running proxy; each answer must have a status, a media
type, a body that the document names.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.console.conftest import FILE, OPERATOR, VIEWER
from tests.support.running import Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXAMPLES = int(os.environ.get("STRANGLER_FUZZ_EXAMPLES", "4"))
"""Of each kind (requests as described, requests that are not) for each operation."""
ENDLESS = ("get_events_stream", "get_decisions_stream")
HEADERS = {"Authorization": f"Bearer {OPERATOR}"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    nobody = "http://127.0.0.1:1"
    text = FILE.format(legacy=nobody, modern=nobody)
    tokens = {"STRANGLER_ADMIN_TOKEN": OPERATOR, "STRANGLER_VIEW_TOKEN": VIEWER}
    async with running(tmp_path_factory.mktemp("fuzzed"), text, **tokens) as proxy:
        yield proxy


def ask_everything(url: str, description: dict[str, Any]) -> list[str]:
    """Try every operation; what was asked with the statuses that came."""
    schema = schemathesis.openapi.from_dict(description)
    seen: list[str] = []
    with requests.Session() as session:
        for made in schema.get_all_operations():
            operation = made.ok()
            if operation.definition.raw["operationId"] not in ENDLESS:
                for mode in MODES if operation.method.lower() == "post" else MODES[:1]:
                    ask(url, session, operation, mode, seen)
    return seen


def ask(
    url: str, session: requests.Session, operation: Any, mode: schemathesis.GenerationMode, seen: list[str]
) -> None:
    """Try one operation in one way."""

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Case) -> None:
        response = case.call(base_url=url, session=session, headers=HEADERS, timeout=20)
        seen.append(f"{operation.definition.raw['operationId']} {response.status_code}")
        case.validate_response(response, checks=PROMISED)

    one()


MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
PROMISED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
"""What the document promises; further checks would guess what a request deserved, or show wrong tokens so often that
they get a 429."""


async def test_every_operation_keeps_the_promises_of_the_document(fuzzed: Running):
    description = orjson.loads(
        (await fuzzed.admin("/api/v1/openapi.json", f"Authorization: {HEADERS['Authorization']}")).body
    )

    seen = await asyncio.to_thread(ask_everything, fuzzed.admin_url, description)

    asked = {each.partition(" ")[0] for each in seen}
    operations = {
        operation["operationId"] for methods in description["paths"].values() for operation in methods.values()
    }
    assert asked == operations - set(ENDLESS)
    assert any(each.endswith(" 200") for each in seen)
    assert any(each.endswith(" 422") for each in seen)
    assert [event for event in fuzzed.events if event["event"] == "unexpected"] == []
