"""`strangler tail`: decisions as they are made."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from dashboards.html import count, seconds, share
from proxy.cli.admin_client import Client, client
from proxy.cli.common import print_line
from proxy.settings import EXIT_YES, UnreachableError

_STREAM = "/api/v1/decisions/stream"
TRY_AGAIN_EVERY = 0.5
"""Seconds between two attempts to reach a proxy that went away."""


class _Printed:
    """What has been printed: `decisions` of at most `limit` (0: no limit)."""

    def __init__(self, limit: int, *, as_json: bool) -> None:
        self.limit = limit
        self.as_json = as_json
        self.decisions = 0

    @property
    def is_enough(self) -> bool:
        return 0 < self.limit <= self.decisions

    def event(self, name: str, data: dict[str, Any]) -> None:
        """Print one event of the stream; what was dropped goes to standard error, for programs to standard output."""
        if name == "decision":
            self.decisions += 1
        if self.as_json:
            print(orjson.dumps({"event": name, **data}).decode(), flush=True)
        elif name == "decision":
            print_line(line(data))
            sys.stdout.flush()
        elif name == "dropped":
            print_line(f"{count(data['dropped'], 'decision')} more, too many to be printed", to=sys.stderr)


def tail(config: str, admin: str, wanted: Mapping[str, str], *, limit: int, as_json: bool) -> int:
    """Print decisions until Ctrl-C or `limit` of them. A proxy that restarts is waited for, once it was there."""
    proxy = client(config, admin)
    query = urlencode({name: value for name, value in wanted.items() if value})
    path = f"{_STREAM}?{query}" if query else _STREAM
    printed = _Printed(limit, as_json=as_json)
    try:
        _print_stream(proxy, path, printed, is_first=True)
        while not printed.is_enough:
            print_line("the stream has ended; decisions until the next one are missing", to=sys.stderr)
            time.sleep(TRY_AGAIN_EVERY)
            _wait_for(proxy)
            _print_stream(proxy, path, printed)
    except KeyboardInterrupt:
        pass
    return EXIT_YES


def _print_stream(proxy: Client, path: str, printed: _Printed, *, is_first: bool = False) -> None:
    """Print one stream until it ends; only the first one must be reached."""
    reached = False
    try:
        with proxy.stream(path) as events:
            reached = True
            if is_first:
                print_line(f"decisions of {proxy.url}; Ctrl-C ends this", to=sys.stderr)
            for name, data in events:
                printed.event(name, data)
                if printed.is_enough:
                    return
    except UnreachableError:
        if is_first and not reached:
            raise


def _wait_for(proxy: Client) -> None:
    while True:
        try:
            proxy.get("/readyz")
        except UnreachableError:
            time.sleep(TRY_AGAIN_EVERY)
        else:
            return


def line(decision: Mapping[str, Any]) -> str:
    """Return one decision as a line: when, route, side with the reason, the request, what came of it."""
    said = (
        decision["at"].partition("T")[2].removesuffix("Z"),
        f"{decision['route']:<20}",
        f"{decision['side']:<6}",
        f"{_why(decision):<24}",
        f"{decision['status']}",
        f"{seconds(decision['seconds']):>8}",
        f"{decision['method']} {decision['path']}{_trouble(decision)}",
    )
    return "  ".join(said)


def _why(decision: Mapping[str, Any]) -> str:
    reason = str(decision["reason"]).replace("_", " ")
    if decision["reason"] != "weight":
        return reason
    bucket = decision["bucket"]
    of = "" if bucket is None else f", bucket {share(bucket)}"
    return f"weight {decision['weight']:g} %{of}"


def _trouble(decision: Mapping[str, Any]) -> str:
    """Return that another side than the chosen one answered, or what failed; empty for a usual request."""
    told = []
    if decision["answered"] not in (decision["side"], "none"):
        told.append(f"answered by {decision['answered']}: {decision['fallback'] or 'fallback'}")
    elif decision["answered"] == "none":
        told.append("answered by the proxy")
    if decision["error"]:
        told.append(decision["error"])
    return f"  ({'; '.join(told)})" if told else ""
