"""`strangler status`: what every route does now."""

from __future__ import annotations

import os
import time

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from dashboards.terminal import Line, headline, lines
from dashboards.views import StatusView, status_view
from proxy.cli.client import Client, client
from proxy.cli.files import print_json
from proxy.errors import EXIT_NO, EXIT_YES, ProxyError

EVERY = 1.0
_STYLES = {"canary": "yellow", "modern": "green", "rolled_back": "bold red", "held": "magenta", "shadow": "cyan"}


def status(config: str, admin: str, *, watch: bool, as_json: bool) -> int:
    """Print the status once, or again each second; 1 when the proxy says that it is not ready."""
    proxy = client(config, admin)
    if as_json:
        document = _document(proxy)
        print_json(document)
        return _verdict(status_view(document))
    # rich honours NO_COLOR by itself; a pipe has no width, so nothing is cut there
    console = Console(width=None if os.isatty(1) else 200)
    if watch and console.is_terminal:
        return _watch(proxy, console)
    view = status_view(_document(proxy))
    console.print(_screen(view, console.width))
    return _verdict(view)


def _watch(proxy: Client, console: Console) -> int:
    view = status_view(_document(proxy))
    with Live(_screen(view, console.width), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(EVERY)
                view = status_view(_document(proxy))
                live.update(_screen(view, console.width), refresh=True)
        except KeyboardInterrupt:
            return _verdict(view)


def _document(proxy: Client) -> dict[str, object]:
    reply = proxy.get("/api/v1/status")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy cannot tell its status")))
    return reply.body


def _verdict(view: StatusView) -> int:
    return EXIT_YES if view.ready else EXIT_NO


def _screen(view: StatusView, width: int) -> Group:
    parts = [Text(headline(view), style="" if view.ready and not view.error else "bold red"), Text()]
    if view.error:
        parts.insert(1, Text(view.error, style="red"))
    # Text, so that a name with brackets is not taken for markup
    parts += [Text(line.text, style=_style(line)) for line in lines(view, width)]
    return Group(*parts)


def _style(line: Line) -> str:
    if line.quiet:
        return "dim"
    return _STYLES.get(line.stage, "") if line.stage else "bold"
