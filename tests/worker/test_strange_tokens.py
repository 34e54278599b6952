"""Whatever a token contains, the request gets a response (contract: Identity keys)."""

from __future__ import annotations

import base64
import hmac
import time
from hashlib import sha256

import pytest

from proxy.state.identity_keys import Keys
from rules.model import LEGACY, MODERN, Rollout
from tests.support import snapshots
from tests.support.backend import always, ok
from tests.support.proxying import RunningProxy
from tests.support.raw import get

KEY = "k" * 32
HS256 = b'{"alg":"HS256","typ":"JWT"}'
LATER = b"%d" % (time.time() + 3600)


def token(claims: bytes, head: bytes = HS256) -> str:
    parts = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (head, claims))
    signature = base64.urlsafe_b64encode(hmac.digest(KEY.encode(), parts, sha256)).rstrip(b"=")
    return (parts + b"." + signature).decode()


TOKENS: list[tuple[str, str, bytes]] = [
    ("known", token(b'{"sub":"42","exp":%b}' % LATER), b"modern"),
    ("a number", token(b'{"sub":42,"exp":%b}' % LATER), b"modern"),
    ("an end in 400 digits", token(b'{"sub":"42","exp":1%b}' % (b"0" * 400)), b"modern"),
    ("an end out of range", token(b'{"sub":"42","exp":1e400}'), b"legacy"),
    ("an end in 5000 digits", token(b'{"sub":"42","exp":1%b}' % (b"0" * 5000)), b"legacy"),
    ("no end", token(b'{"sub":"42","exp":null}'), b"legacy"),
    ("a list of ends", token(b'{"sub":"42","exp":[]}'), b"legacy"),
    ("a beginning out of range", token(b'{"sub":"42","nbf":1e400}'), b"legacy"),
    ("half a character", token(rb'{"sub":"\ud800"}'), b"legacy"),
    ("a list", token(b"[]"), b"legacy"),
    ("too deep", token(b"[" * 2000), b"legacy"),
    ("an algorithm that is a list", token(b'{"sub":"42"}', b'{"alg":["HS256"]}'), b"legacy"),
    ("an algorithm that is a map", token(b'{"sub":"42"}', b'{"alg":{}}'), b"legacy"),
    ("half a character in its head", token(b'{"sub":"42"}', rb'{"alg":"\ud800"}'), b"legacy"),
    ("demands that are no list", token(b'{"sub":"42"}', b'{"alg":"HS256","crit":7}'), b"legacy"),
    ("no UTF-8", "\xe9.\xe9.\xe9", b"legacy"),
]


@pytest.mark.parametrize(("text", "side"), [case[1:] for case in TOKENS], ids=[case[0] for case in TOKENS])
async def test_a_strange_token_is_somebody_or_nobody(gateway: RunningProxy, text: str, side: bytes) -> None:
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    chosen = snapshots.route(rollout=Rollout(weight=100.0, by="user", salt="all"))
    backends = {LEGACY: [legacy.url], MODERN: [modern.url]}
    identified = snapshots.snapshot(backends, routes=[chosen], identity=["jwt:sub"])
    proxy = await gateway.serve(identified, keys=Keys(jwt=KEY))
    client = await proxy.client()

    answer = await client.ask(get("/", f"Authorization: Bearer {text}"))

    assert (answer.status, answer.body) == (200, side)
    assert (await client.ask(get("/"))).body == b"legacy"
