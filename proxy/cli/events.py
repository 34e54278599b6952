"""`strangler events`: the audit trail, as far as it goes or as it grows."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import orjson

from proxy.cli.client import Client, client
from proxy.cli.files import print_json
from proxy.errors import EXIT_YES, ProxyError, UnreachableError

_API = "/api/v1/events"
EVERY = 0.5
"""Seconds between two questions while following."""


def events(config: str, admin: str, route: str, since: str, *, limit: int, follow: bool, as_json: bool) -> int:
    """Print events, the oldest first; with `follow` for ever, until Ctrl-C. A proxy that restarts is waited for."""
    proxy = client(config, admin)
    items = _ask(proxy, route, since, limit)
    if as_json and not follow:
        print_json({"items": items})
        return EXIT_YES
    _print(items, as_json=as_json)
    known = items[-1]["id"] if items else None
    try:
        while follow:
            time.sleep(EVERY)
            try:
                items = _ask(proxy, route, str(known or "1h"), 1000)
            except UnreachableError:
                continue
            _print(items, as_json=as_json)
            known = items[-1]["id"] if items else known
    except KeyboardInterrupt:
        pass
    return EXIT_YES


def _ask(proxy: Client, route: str, since: str, limit: int) -> list[dict[str, Any]]:
    asked = {"limit": limit, **({"route": route} if route else {}), **({"since": since} if since else {})}
    reply = proxy.get(f"{_API}?{urlencode(asked)}")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy cannot tell what happened")))
    items: list[dict[str, Any]] = reply.body["items"]
    return items


def _print(items: list[dict[str, Any]], *, as_json: bool) -> None:
    for item in items:
        print(orjson.dumps(item).decode() if as_json else _line(item), flush=True)


def _line(item: dict[str, Any]) -> str:
    evidence = item["evidence"]
    detail = evidence.get("detail", "") if isinstance(evidence, dict) else ""
    said = f"{item['at']}  {item['event']:<14} {item['route'] or '-':<20} {item['who']:<16} {item['reason']}"
    line = f"{said} ({detail})" if detail else said
    # a reason is a person's text: it must not be able to draw on the terminal
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
