"""What explain says of a request is what the data path decides for it, whichever source identifies the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.described_request import facts_of, meets_strangers
from proxy.http1.cookies import value_of
from proxy.state.identities import sticky_signature
from proxy.state.identity_keys import Keys
from proxy.state.live import Live
from proxy.telemetry.records import Observers
from proxy.worker.client_connection import ClientConnection
from proxy.worker.server import Server
from proxy.worker.upstream_connection import UpstreamConnection
from rules.model import Decision, Override, Rollout
from rules.routing.decide import Generation, generation
from rules.routing.explain import explain
from tests.journeys.tokens import claims, hmac_token, laravel_cookie, unsigned_token
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.socketless import Paper

SECRET = "a shared secret of more than thirty-two bytes"
APP_KEY = b"k" * 32
STICKY = b"s" * 32
KEYS = Keys(SECRET, (APP_KEY,), STICKY)
BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
SOURCES = ("header:X-User-Id", "cookie:uid", "jwt:sub", "laravel:session", "sticky")
USERS = ("7", "8", "42", "anna", "b%20c")


def a_cookie(name: str, value: str) -> str:
    return f"{name}={value}"


def identified(user: str) -> dict[str, list[tuple[str, str]]]:
    """Each way in which a request may, or may not, prove who its user is."""
    sealed = laravel_cookie("session", user, APP_KEY)
    return {
        "header": [("X-User-Id", user)],
        "empty header": [("x-user-id", "")],
        "cookie": [("Cookie", f"a=b; uid={user}")],
        "two cookie fields": [("Cookie", "a=b"), ("Cookie", f"uid={user}")],
        "quoted cookie": [("Cookie", f'uid="{user}"')],
        "jwt": [("Authorization", f"Bearer {hmac_token(claims(user), SECRET)}")],
        "jwt of a number": [("Authorization", f"bearer {hmac_token(claims(7), SECRET)}")],
        "expired jwt": [("Authorization", f"Bearer {hmac_token(claims(user, -60), SECRET)}")],
        "forged jwt": [("Authorization", f"Bearer {unsigned_token(claims(user))}")],
        "basic": [("Authorization", "Basic dXNlcjpwYXNz")],
        "laravel": [("Cookie", a_cookie("session", sealed))],
        "forged laravel": [("Cookie", a_cookie("session", laravel_cookie("session", user, b"x" * 32)))],
        "sticky": [("Cookie", a_cookie("strangler_id", f"{user}.{sticky_signature(user, STICKY)}"))],
        "forged sticky": [("Cookie", a_cookie("strangler_id", f"{user}.{'0' * 32}"))],
        "nothing": [],
    }


PROOFS = tuple(identified("7"))


class Asked:
    """A worker's data path with a connection to either side, and one client."""

    def __init__(self, running: Generation, keys: Keys) -> None:
        self.server = Server(Live(running), Observers(), keys=keys, clock=Clock())
        for pool in self.server.bound.pools.values():
            connection = UpstreamConnection(pool.targets[0])
            connection.connection_made(Paper())  # type: ignore[arg-type]
            connection.idle_since = self.server.clock()
            pool.targets[0].idle.append(connection)
        self.client = ClientConnection(self.server)
        self.client.connection_made(Paper())  # type: ignore[arg-type]

    def decision(self, method: str, target: str, fields: Sequence[tuple[str, str]]) -> tuple[Decision, bool]:
        """What was decided for a request, whether its user got a new id."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.client.data_received(f"{method} {target} HTTP/1.1\r\nHost: a.test\r\n{lines}\r\n".encode())
        call: Any = self.client.call
        assert call is not None
        return call.decision, bool(call.minted)


def running(sources: Sequence[str], weight: float, override: Override | None, *, listed: bool) -> Generation:
    rollout = Rollout(
        weight=weight,
        salt="profile",
        include=("42",) if listed else (),
        exclude=("7",) if listed else (),
        force_header="X-Strangler-Force",
    )
    route = snapshots.route("/api/me", name="profile", rollout=rollout)
    trusted = ("127.0.0.1/32",)
    snapshot = snapshots.snapshot(BACKENDS, routes=[route], identity=list(sources), trusted=trusted)
    return generation(1, snapshot, {} if override is None else {"profile": override})


@settings(max_examples=300)
@given(
    sources=st.lists(st.sampled_from(SOURCES), unique=True, max_size=3),
    proofs=st.lists(st.sampled_from(PROOFS), max_size=2),
    user=st.sampled_from(USERS),
    weight=st.sampled_from([0.0, 30.0, 100.0]),
    back=st.booleans(),
    listed=st.booleans(),
    force=st.sampled_from([None, "modern", "legacy", "nonsense"]),
    target=st.sampled_from(["/api/me", "/api/me?a=1", "/elsewhere"]),
    keys=st.sampled_from([KEYS, Keys()]),
)
def test_explain_and_the_live_decision_are_the_same(  # noqa: PLR0917 - one thing of a request each
    sources: list[str],
    proofs: list[str],
    user: str,
    weight: float,
    back: bool,
    listed: bool,
    force: str | None,
    target: str,
    keys: Keys,
):
    override = Override("profile", rolled_back=True) if back else None
    now = running(sources, weight, override, listed=listed)
    fields = [field for proof in proofs for field in identified(user)[proof]]
    fields += [("X-Strangler-Force", force)] if force else []

    live, minted = Asked(now, keys).decision("GET", target, fields)
    facts = facts_of(now, "GET", target, [("Host", "a.test"), *fields], keys=keys)
    told = explain(now, facts, fresh=meets_strangers(now, keys, None))

    assert (told.route, told.reason, told.weight) == (live.route.name, live.reason, live.weight)
    if minted:
        assert told.identity is None
        assert told.side == live.side or 0 < weight < 100, "where a new id comes to lie nobody can tell"
    else:
        assert told.side == live.side
        assert live.user in (None, told.identity)
        assert live.bucket in (None, told.bucket)


def test_a_stranger_under_sticky_alone_goes_where_the_weight_says():
    now = running(["sticky"], 100.0, None, listed=False)
    facts = facts_of(now, "GET", "/api/me", keys=KEYS)

    told = explain(now, facts, fresh=meets_strangers(now, KEYS, None))
    live, minted = Asked(now, KEYS).decision("GET", "/api/me", [])

    assert (told.side, told.reason, told.identity) == ("modern", "weight", None)
    assert (live.side, live.reason, minted) == ("modern", "weight", True)
    assert value_of("a=b", "strangler_id") is None
