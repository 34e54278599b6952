"""Which user the proxy recognises: keys, routes that depend on it, their responses."""

from __future__ import annotations

import base64
import os

from tests.journeys.visiting import Visitor, point

JWT_KEY = "a shared key of forty-odd characters, at least"
APP_KEY, OLD_KEY, FOREIGN_KEY = os.urandom(32), os.urandom(32), os.urandom(32)
STICKY_KEY = "the same for every worker and instance"
ALL = '["header:X-User-Id", "cookie:uid", "jwt:sub", "laravel:session", "sticky"]'

CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0", workers: 2, trusted_proxies: [127.0.0.1/32]}}
admin: {{address: "127.0.0.1:0"}}
store: {store}
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
identity: {identity}
routes:
  - {{name: moved, match: {{path: /moved}}, rollout: {{weight: 100}}}}
  - {{name: half, match: {{path: /half}}, rollout: {{weight: 50}}}}
  - {{name: waiting, match: {{path: /waiting}}}}
  - {{name: drawn, match: {{path: /drawn}}, rollout: {{weight: 50, by: request}}}}
"""


def between(backends: tuple[str, str], identity: str = ALL, store: str = "memory") -> str:
    """A file with these sources of identity, in front of a legacy and a modern side."""
    return CONFIG.format(legacy=backends[0], modern=backends[1], identity=identity, store=store)


def laravel_key(key: bytes) -> str:
    """As Laravel's .env has it."""
    return "base64:" + base64.b64encode(key).decode()


KEYS = {
    "STRANGLER_JWT_KEY": JWT_KEY,
    "APP_KEY": laravel_key(APP_KEY),
    "APP_PREVIOUS_KEYS": f"{laravel_key(os.urandom(32))},{laravel_key(OLD_KEY)}",
    "STRANGLER_STICKY_KEY": "the same for every worker and instance",
}


async def known(visitor: Visitor, *lines: str) -> bool:
    """Whether the proxy recognises the user: then the request is on modern, else on legacy."""
    return (await visitor.get("/moved", *lines)).body == b"modern"


async def bucket(visitor: Visitor, *lines: str) -> str | None:
    return (await visitor.get("/half", "X-Strangler-Debug: 1", *lines)).field("x-strangler-bucket")


def at(user: object) -> str:
    return f"{point('half', user):.6f}"
