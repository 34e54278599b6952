"""Attacks a running instance over its sockets: `python tests/attacks/attack.py --admin URL --users URL`.

Each attack is a function that returns what it got away with, nothing where it was refused. It needs no token, changes
nothing; those that have to know the configuration (secrets) are given what may not be seen. Ends with 1 where one of
them succeeded. Only against what is yours.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWERED_WITHIN = 5.0
GUESSES = 40
FORGED = "Cookie: strangler_session=operate:99999999999::" + "0" * 64
HALF_REQUESTS = 300
LIKE_ROUTES = 4000
PLANNED_WITHIN = 30.0
READS = (
    "/", "/api/v1/status", "/api/v1/config", "/api/v1/events", "/api/v1/report", "/api/v1/diffs", "/api/v1/backends",
    "/api/v1/explain?path=/", "/api/v1/openapi.json", "/api/v1/config/schema", "/api/v1/events/stream", "/live",
)  # fmt: skip
JSON = "Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the instance is; `token` is an operator's, for what may not be seen even with it: `secrets`."""

    admin: str
    users: str
    token: str = ""
    secrets: tuple[str, ...] = ()


async def _ask(url: str, data: bytes, within: float = ANSWERED_WITHIN) -> bytes:
    """Return what comes back for these bytes until the other side closes, or answers no more."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(data)
        async with asyncio.timeout(within):
            return await reader.read()
    except (TimeoutError, ConnectionError):
        return b""
    finally:
        writer.close()


def _get(path: str, *fields: str, method: str = "GET", body: str = "") -> bytes:
    length = (f"Content-Length: {len(body)}",) if body or method != "GET" else ()
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *fields, *length, "Connection: close", "", body)
    return "\r\n".join(lines).encode()


def _status(answer: bytes) -> int:
    return int(answer[9:12]) if answer[:7] == b"HTTP/1." and answer[9:12].isdigit() else 0


async def reads_without_a_token(target: Target) -> list[str]:
    """Reads of console and API are closed once any token is set."""
    seen = [(path, _status(await _ask(target.admin, _get(path)))) for path in READS]
    return [f"GET {path} → {status}" for path, status in seen if status == 200]


async def changes_without_a_token(target: Target) -> list[str]:
    """Nobody changes anything without a token, whatever the request looks like."""
    tried = [
        _get("/api/v1/rollback", JSON, method="POST", body='{"reason": "attack"}'),
        _get("/api/v1/reload", JSON, "Authorization: Bearer ", method="POST", body="{}"),
        _get("/api/v1/plan", JSON, method="POST", body='{"config": ""}'),
        _get("/api/v1/reload", JSON, "X-HTTP-Method-Override: GET", method="POST", body="{}"),
        _get("/api/v1/reload", JSON, FORGED, method="POST", body="{}"),
    ]  # fmt: skip
    answers = [_status(await _ask(target.admin, request)) for request in tried]
    return [f"request {number} → {status}" for number, status in enumerate(answers) if status < 400]


async def names_of_programs(target: Target) -> list[str]:
    """No answer of the admin port says which program made it."""
    tried = [_get("/healthz"), _get("/nothing"), _get("/login"), b"rubbish\r\n\r\n", b"\x16\x03\x01\x00\x10\r\n\r\n"]
    answers = [await _ask(target.admin, request) for request in tried]
    return [answer[:200].decode("latin-1") for answer in answers if b"aiohttp" in answer.lower()]


async def half_requests(target: Target) -> list[str]:
    """Connections that never become a request keep no probe out."""
    parts = urlsplit(target.admin)
    held = []
    for _ in range(HALF_REQUESTS):
        try:
            held.append(await asyncio.open_connection(parts.hostname, parts.port))
            held[-1][1].write(b"GET /readyz HTTP/1.1\r\nX: ")
        except OSError:
            break
    answers = [_status(await _ask(target.admin, _get("/readyz"))) for _ in range(3)]
    for _, writer in held:
        writer.close()
    return [f"/readyz → {status}" for status in answers if status != 200]


async def smuggled_requests(target: Target) -> list[str]:
    """What servers read differently is refused, and the connection closed."""
    tried = [
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    ]
    answers = [await _ask(target.users, request) for request in tried]
    return [
        f"request {at} → {answer[:80]!r}" for at, answer in enumerate(answers) if _status(answer) not in (0, 400, 501)
    ]


async def endless_plans(target: Target) -> list[str]:
    """A proposed file of thousands of like routes is answered in time, and control lives on."""
    if not target.token:
        return []
    head = "version: 1\\nbackends: {legacy: {url: 'http://127.0.0.1:1'}}\\nroutes:\\n"
    routes = "".join(f"  - {{name: r{number}, match: {{path: /x}}}}\\n" for number in range(LIKE_ROUTES))
    fields = (JSON, f"Authorization: Bearer {target.token}")
    request = _get("/api/v1/plan", *fields, method="POST", body=f'{{"config": "{head}{routes}"}}')
    planned = _status(await _ask(target.admin, request, PLANNED_WITHIN))
    ready = _status(await _ask(target.admin, _get("/readyz")))
    wrong = {"the plan": planned} if planned != 422 else {}
    wrong |= {"/readyz": ready} if ready != 200 else {}
    return [f"{name} → {status or 'nothing'}" for name, status in wrong.items()]


async def seen_secrets(target: Target) -> list[str]:
    """A value from the environment is in no output, whatever name it stands under."""
    asked = {path: await _ask(target.admin, _get(path, f"Authorization: Bearer {target.token}")) for path in READS[:10]}
    asked |= {"/metrics": await _ask(target.admin, _get("/metrics"))}
    return [
        f"{path} shows {secret[:3]}…"
        for path, answer in asked.items()
        for secret in target.secrets
        if secret.encode() in answer
    ]


async def guessed_tokens(target: Target) -> list[str]:
    """After a few wrong tokens none is compared any more; the last attack, for this address has to wait after it."""
    wrong = [
        _status(await _ask(target.admin, _get("/api/v1/status", f"Authorization: Bearer guess-{n}")))
        for n in range(GUESSES)
    ]
    if set(wrong) <= {401, 429} and 429 in wrong:
        return []
    return [f"{wrong.count(401)} of {GUESSES} guesses were compared, {sorted(set(wrong))}"]


ATTACKS: tuple[Callable[[Target], Awaitable[list[str]]], ...] = (
    reads_without_a_token, changes_without_a_token, names_of_programs, smuggled_requests, half_requests, endless_plans,
    seen_secrets,
    guessed_tokens,
)  # fmt: skip


async def _all(target: Target) -> int:
    worst = 0
    for attack in ATTACKS:
        found = await attack(target)
        print(f"{'SUCCEEDED' if found else 'refused':<10} {attack.__name__}", *found, sep="\n    " if found else " ")
        worst = max(worst, bool(found))
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--admin", required=True, help="http://HOST:PORT of the admin port")
    parser.add_argument("--users", required=True, help="http://HOST:PORT of the users' listener")
    chosen = parser.parse_args(arguments)
    return asyncio.run(_all(Target(chosen.admin, chosen.users)))


if __name__ == "__main__":
    sys.exit(main())
