"""One sequence sent twice, with and without caches: the bytes are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

import pytest

from proxy.worker import route_decision
from rules.model import LEGACY, MODERN, HeaderEdit, Match, Override, Rollout, Route, SidePolicy, Snapshot
from rules.routing.decide import generation, with_overrides
from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.laws import forgotten
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.snapshots import route, snapshot

STEPS = 200
LINES = (
    "Cookie: uid=1", "Cookie: uid=2", "X-User: 7", "X-User: 9", "Accept: a", "X-Beta: 1", "Connection: close",
    "Connection: X-User", "Connection: cookie", "Max-Forwards: 0", "Via: 1.0 x",
    "X-Request-Id: same", "x-request-id: other", "X-Request-Id: no id",
    f"traceparent: 00-{'1' * 32}-{'2' * 16}-01",
    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Strangler-Force: modern", "X-Strangler-Debug: 1",
    "X-Shadow: 1", "TE: trailers", "Expect: 100-continue", "Content-Length: 0",
)  # fmt: skip
STARTS = (
    "GET / HTTP/1.1", "HEAD / HTTP/1.1", "POST / HTTP/1.1", "OPTIONS / HTTP/1.1", "GET / HTTP/1.0",
    "GET http://other/user/1 HTTP/1.1", "GET /user/1 HTTP/1.1", "HEAD /user/1 HTTP/1.1", "GET /beta HTTP/1.1",
    "GET /edited HTTP/1.1", "GET /204 HTTP/1.1", "GET /304 HTTP/1.1", "GET /once HTTP/1.1",
)  # fmt: skip
IDENTITIES = (("header:X-User", "cookie:uid"), ("cookie:uid",), ("header:Host", "cookie:uid"))
OURS = re.compile(r"[0-9a-f]{32}|-[0-9a-f]{16}-|dur=[0-9.]+")


def answer(request: Message) -> bytes:
    if "204" in request.start:
        return b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
    if "304" in request.start or request.method == "HEAD":
        return b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
    return ok(b"hello", *(("Connection: close, X-Q", "X-Q: 1") if "once" in request.start else ("Date: x",)))


def routes(rnd: Random) -> tuple[Route, ...]:
    weight, force = rnd.choice([0.0, 50.0, 100.0]), rnd.choice(["X-Beta", "X-Strangler-Force"])
    chosen = Rollout(weight=weight, salt="s", include=rnd.choice([(), ("7",)]), exclude=("2",), force_header=force)
    edited = SidePolicy(MODERN, headers=HeaderEdit(set=(("X-Edit", force),)))
    return (
        route("/user/{id}", name="user", rollout=chosen),
        route("/beta", name="beta", match=Match("/beta", headers=(("X-Beta", "1"),)), weight=weight),
        route("/edited", name="edited", weight=100.0, modern=edited),
        route("/**", name="all", rollout=Rollout(weight=50.0, salt="z")),
    )


@dataclass
class Told:
    """One sequence: clients, targets, rules; the same seed gives the same."""

    rnd: Random
    proxy: Proxy
    sides: dict[str, Backend]

    def rules(self) -> Snapshot:
        urls = {name: [side.url] for name, side in self.sides.items()}
        identity = self.rnd.choice(IDENTITIES)
        return snapshot(urls, routes=routes(self.rnd), identity=identity, trusted=("127.0.0.1/32",))

    def turn(self, number: int) -> None:
        """Now and then other rules, other things set at run time."""
        live, dice = self.proxy.server.live, self.rnd.random()
        if dice < 0.05:
            live.swap(generation(number, self.rules(), live.generation.overrides))
        elif dice < 0.1:
            override = self.rnd.choice([Override("user", rolled_back=True), Override("user", weight=100.0)])
            live.swap(with_overrides(live.generation, number, {"user": override}))

    async def ask(self, data: bytes) -> str:
        """The bytes received at both ends."""
        source = self.rnd.choice(["127.0.0.1", "127.0.0.2"])
        client = await raw.connect(self.proxy.address, source=(source, 0))
        self.proxy.gateway.clients.append(client)
        before = [len(side.requests) for side in self.sides.values()]
        answered = await client.ask(data, data.split()[0].decode())
        client.close()
        heard = [side.requests[count:] for side, count in zip(self.sides.values(), before, strict=True)]
        return OURS.sub("", repr((source, answered, heard)))


async def story(gateway: RunningProxy, seed: int, *, remember: bool) -> list[str]:
    forgotten()
    rnd = Random(seed)
    sides = {name: await gateway.backend(always(answer)) for name in (LEGACY, MODERN)}
    told = Told(rnd, await gateway.proxy(sides[LEGACY]), sides)
    told.proxy.server.live.swap(generation(2, told.rules()))
    said: list[str] = []
    heads: list[str] = []
    starts = rnd.sample(STARTS, 6)
    for number in range(3, STEPS + 3):
        told.turn(number)
        if len(heads) < 5:
            lines = ("Host: a", *rnd.sample(LINES, rnd.randrange(5)))
            heads.append("".join(f"{line}\r\n" for line in lines))
        if not remember:
            forgotten()
        said.append(await told.ask(f"{rnd.choice(starts)}\r\n{rnd.choice(heads)}\r\n".encode()))
    return said


@pytest.mark.parametrize("seed", range(12))
async def test_what_is_remembered_changes_nothing(gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch, seed: int):
    monkeypatch.setattr(route_decision, "random", lambda: 0.3)

    remembering = await story(gateway, seed, remember=True)
    forgetting = await story(gateway, seed, remember=False)

    assert re.sub(r"127\.0\.0\.1:\d+", "", "\n".join(remembering)) == "\n".join(forgetting)
    assert len(set(remembering)) > 20
