"""A worker mirrors exactly what `explain` says it would."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from proxy.http1 import request_head
from proxy.worker.shadow.request_copy import UNTRANSLATED
from proxy.worker.shadow.route_state import ShadowRoute
from rules.model import LEGACY, MODERN, NO_NAMES, Backend, Decision, Facts, ShadowPolicy
from rules.routing.mirroring import mirror_of
from tests.support import snapshots

ROUTE = snapshots.route(
    shadow=ShadowPolicy(
        sample=1.0, methods=("GET", "HEAD", "POST", "PUT"), writes="dry_run", deny=("~^/secret", "/one")
    )
)
BACKENDS = {name: Backend(name, ("http://127.0.0.1:1",)) for name in (LEGACY, MODERN)}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND")
TARGETS = ("/", "/logout", "/a?token=1", "/a?x=1", "/secret/1", "/one", "/one?x", "/oneself", "/a?_method=PUT", "/?")
FIELDS: tuple[Mapping[str, str], ...] = (
    {},
    {"Accept": "text/html"},
    {"Accept": "text/event-stream"},
    {"range": "bytes=0-1"},
    {"Upgrade": "websocket", "Connection": "upgrade"},
    {"Content-Length": "0"},
    {"Content-Length": "3"},
    {"Transfer-Encoding": "chunked"},
    {"X-HTTP-METHOD-OVERRIDE": "PUT"},
    {"X-Method-Override": "DELETE"},
)


@pytest.mark.parametrize("side", [LEGACY, MODERN])
@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_what_is_eligible_is_what_is_explained(fields: Mapping[str, str], side: str):
    route = ShadowRoute(ROUTE, BACKENDS, UNTRANSLATED)
    mirror = mirror_of(ROUTE)
    assert mirror is not None
    lower = {name.lower(): value for name, value in fields.items()}
    wire = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    explained, found = {}, {}

    for method in METHODS:
        for target in TARGETS:
            path, mark, query = target.partition("?")
            facts = Facts(method, path, query if mark else None, "h", lower.get, lambda: None)
            explained[method, target] = mirror.refusal(facts, side) is None
            head = request_head(f"{method} {target} HTTP/1.1\r\nHost: h\r\n{wire}".removesuffix("\r\n").encode())
            decision = Decision(ROUTE, side, "weight", None, 0.0, None, NO_NAMES)
            found[method, target] = not route.ineligible(head, decision)

    assert found == explained
