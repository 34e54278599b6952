"""Commands about routes: actions, drill, status, events, report."""

from __future__ import annotations

import getpass
import os
import re
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from dashboards.html import count
from dashboards.report import markdown, page
from dashboards.terminal import Line, backends, details, headline, lines
from dashboards.views import RouteView, StatusView, status_view, troubled_first
from proxy.cli.admin_client import Client, Reply, client
from proxy.cli.common import UnknownRouteError, print_json, unknown
from proxy.settings import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError, UnreachableError

_API = "/api/v1"
_OPERATOR = "X-Strangler-Operator"
_NEVER_RIGHT = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)


def verb(
    config: str, admin: str, name: str, route: str, wish: dict[str, Any], *, revision: int | None, as_json: bool
) -> int:
    """Ask for one verb on one route; 0 when it is in effect, 1 when the proxy has a reason against it."""
    body = {key: value for key, value in wish.items() if value not in (None, "")}
    if revision is not None:
        body["revision"] = revision
    proxy = client(config, admin)
    reply = proxy.post(f"{_API}/routes/{quote(route, safe='')}/{name}", body, operator())
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    elif reply.ok:
        print(f"{_route_line(reply.body)} ({proxy.url})")
    else:
        print(refusal(proxy, reply))
    return exit_code(reply)


def rollback_all(config: str, admin: str, reason: str, *, as_json: bool) -> int:
    """Send all users of every route to legacy."""
    proxy = client(config, admin)
    reply = proxy.post(f"{_API}/rollback", {"reason": reason}, operator())
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    elif reply.ok:
        print(f"{len(reply.body['routes'])} routes are rolled back: legacy answers all users ({proxy.url})")
    else:
        print(refusal(proxy, reply))
    return exit_code(reply)


def resume_all(config: str, admin: str, wish: dict[str, Any], *, preview: bool, ask: bool, as_json: bool) -> int:
    """Lift every rollback that a person asked for, or those of the guard's latest incident after they were shown.

    With `ask` a terminal is asked whether to go on: the guard had a reason for each.
    """
    proxy = client(config, admin)
    by_guard = bool(wish.get("guard"))
    if preview or (by_guard and not as_json):
        would = proxy.post(f"{_API}/resume", {**wish, "preview": True}, operator())
        if preview and as_json:
            print_json({**would.body, "proxy": proxy.url})
            return exit_code(would)
        if not would.ok:
            print(refusal(proxy, would))
            return exit_code(would)
        _print_preview(would.body["routes"], proxy)
        if preview or not (would.body["routes"] and _agreed(ask=ask)):
            return EXIT_YES if preview or not would.body["routes"] else EXIT_NO
    reply = proxy.post(f"{_API}/resume", wish, operator())
    left = [route["name"] for route in reply.body.get("left", ())]
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    elif reply.ok:
        print(f"resumed: {count(len(reply.body['routes']), 'route')} ({proxy.url})")
        if left:
            whose = "" if by_guard else ", by the guard"
            print(f"still rolled back{whose}: {', '.join(left)}")
    else:
        print(refusal(proxy, reply))
    return exit_code(reply)


def revoke_sessions(config: str, admin: str, name: str | None, reason: str, *, as_json: bool) -> int:
    """End every session of the console, or those of `name`; an empty name is refused, not taken for all."""
    wish = {**({} if name is None else {"name": name}), **({"reason": reason} if reason else {})}
    proxy = client(config, admin)
    reply = proxy.post(f"{_API}/sessions/revoke", wish, operator())
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    elif reply.ok:
        whose = f"sessions of {name}" if name else "all sessions of the console"
        kept = "" if reply.body["kept"] else "; the store does not answer: other instances learn of it when it does"
        print(f"{whose} are ended ({proxy.url}){kept}")
    else:
        print(refusal(proxy, reply))
    return exit_code(reply)


def _print_preview(routes: list[dict[str, Any]], proxy: Client) -> None:
    """Print what would be resumed: when each was rolled back, why, to which weight it returns."""
    print(f"would be resumed: {count(len(routes), 'route')} ({proxy.url})")
    for route in routes:
        back = route["rolled_back"]
        print(f"  {route['name']}: {back['reason']} at {back['at']}, returns to {route['weight']['intended']:g} %")


def _agreed(*, ask: bool) -> bool:
    """Whether to go on: what is no terminal has said so by its command."""
    if not ask or not sys.stdin.isatty():
        return True
    return input("resume them? [y/N] ").strip().lower() in ("y", "yes")


def refusal(proxy: Client, reply: Reply) -> str:
    """Return why the proxy did not do, or could not confirm, what it was asked for, and which proxy that is."""
    return f"{reply.body.get('detail', 'refused')} ({proxy.url})"


def operator() -> dict[str, str]:
    """Return the field that says who asks: the name of the account that runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return {}
    return {_OPERATOR: name} if re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", name) else {}


def exit_code(reply: Reply) -> int:
    """Return what the command ends with: 2 for what can never be right, 1 for what is not possible now."""
    if reply.ok:
        return EXIT_YES
    return EXIT_USAGE if reply.status in _NEVER_RIGHT else EXIT_NO


def _route_line(route: dict[str, Any]) -> str:
    weight = route["weight"]
    said = f"{route['name']}: {route['stage']}, {weight['effective']:g} % on modern"
    step = route.get("step")
    return f"{said}, step {step['number']} of {step['of']}" if step and step["number"] else said


# `strangler drill`: proves with timings that users return to legacy when modern fails.


def drill(config: str, admin: str, route: str, path: str, seconds: float, *, as_json: bool) -> int:
    """Run the drill; 0 when the guard sent the made-up users back in time and no real one was harmed."""
    wish = {"seconds": seconds, **({"path": path} if path else {})}
    proxy = client(config, admin)
    reply = proxy.post(f"/api/v1/routes/{quote(route, safe='')}/drill", wish, operator())
    if as_json:
        print_json({**reply.body, "proxy": proxy.url})
    elif reply.ok:
        print(f"drilled at {proxy.url}")
        _print_drill(reply.body)
    else:
        print(refusal(proxy, reply))
    if not reply.ok:
        return exit_code(reply)
    return EXIT_YES if reply.body["proved"] else EXIT_NO


def _print_drill(report: dict[str, Any]) -> None:
    name = report["route"]
    if report["detected_after"] is None:
        print(
            f"{name}: the guard did not act on {report['injected']} failures in a row of {report['requests']} requests"
        )
        return
    print(
        f"{name}: the guard acted ({report['reason']}) {report['detected_after'] * 1000:.0f} ms after the first failure"
    )
    print(f"the last user was back on legacy after {report['last_user_back_after'] * 1000:.0f} ms")
    print(f"{report['requests']} made-up requests, {report['injected']} failures injected, {report['harmed']} harmed")
    if report["restored"]:
        print("the route is as it was before")
    else:
        print(
            f"modern failed {count(report['real_failures'], 'time')} by itself meanwhile: the route stays rolled back"
        )


# `strangler status`: what every route does now.


STATUS_EVERY = 1.0
AWAIT_EVERY = 0.5
"""Seconds between two looks."""
_DEFAULT_ROUTE = "_default"
_STYLES = {"canary": "yellow", "modern": "green", "rolled_back": "bold red", "held": "magenta", "shadow": "cyan"}


SETTLED = "settled"
STATES = (SETTLED, "ready", "legacy", "shadow", "canary", "modern", "rolled_back", "held")
"""What `--wait` may wait for: a stage of the contract, a proxy that is ready, or nothing that moves by itself."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A state to wait for and for how many seconds; 0 seconds: one look."""

    state: str
    seconds: float


def status(config: str, admin: str, route: str, awaited: Awaited | None, *, watch: bool, as_json: bool) -> int:
    """Print the status once, again each second, or once a state is reached; 1 when it is not ready, or not reached."""
    proxy = client(config, admin)
    if awaited is not None:
        return _await(proxy, route, awaited, as_json=as_json)
    if as_json:
        document = _document(proxy, route)
        print_json(document)
        return _verdict(status_view(document))
    # rich honours NO_COLOR by itself; a pipe has no width, so nothing is cut there
    console = _console()
    if watch and console.is_terminal:
        return _watch(proxy, route, console)
    view = status_view(_document(proxy, route))
    console.print(_screen(view, console.width, route))
    return _verdict(view)


def _console() -> Console:
    return Console(width=None if os.isatty(1) else 200)


def _watch(proxy: Client, route: str, console: Console) -> int:
    view = _troubled(proxy, route)
    with Live(_screen(view, console.width, route), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(STATUS_EVERY)
                view = _troubled(proxy, route)
                live.update(_screen(view, console.width, route), refresh=True)
        except KeyboardInterrupt:
            return _verdict(view)


def _troubled(proxy: Client, route: str) -> StatusView:
    return troubled_first(status_view(_document(proxy, route)))


def _await(proxy: Client, route: str, awaited: Awaited, *, as_json: bool) -> int:
    """Look until the state is reached: 0; 1 when the time is over, or when it settled rolled back instead.

    A proxy that does not answer yet is waited for as well; 3 when it never did.
    """
    ends = time.monotonic() + awaited.seconds
    while True:
        is_last = time.monotonic() >= ends
        try:
            document = _document(proxy, route)
        except UnreachableError:
            if is_last:
                raise
        else:
            reached = is_reached(status_view(document), awaited.state)
            if reached is not None or is_last:
                return _print_awaited(document, route, awaited, reached=bool(reached), as_json=as_json)
        time.sleep(min(AWAIT_EVERY, max(0.0, ends - time.monotonic())))


def is_reached(view: StatusView, state: str) -> bool | None:
    """Whether every route of the view is in this state; False when it never will be by itself, None when not yet."""
    routes = [each for each in view.routes if each.name != _DEFAULT_ROUTE or len(view.routes) == 1]
    if not view.ready:
        return None
    if state == "ready":
        return True
    back = [each for each in routes if each.stage == "rolled_back"]
    if state != SETTLED:
        # a rolled-back route moves again after a resume alone: waiting for it to become modern would be for nothing
        return True if all(each.stage == state for each in routes) else (False if back else None)
    if back:
        return False
    return True if all(_rests(each) for each in routes) else None


def _rests(route: RouteView) -> bool:
    """Whether nothing about this route moves by itself: no step is left, or a person has to act first."""
    step = route.step
    asks = route.waits_for is not None and route.waits_for.get("kind") == "ask"
    return route.held or asks or not step or step["number"] >= step["of"]


def _print_awaited(document: dict[str, Any], route: str, awaited: Awaited, *, reached: bool, as_json: bool) -> int:
    if as_json:
        print_json(document)
    else:
        console = _console()
        console.print(_screen(troubled_first(status_view(document)), console.width, route))
        if not reached:
            print(f"{route or 'not every route'} is not {awaited.state} after {awaited.seconds:g} s", file=sys.stderr)
    return EXIT_YES if reached else EXIT_NO


def _document(proxy: Client, route: str = "") -> dict[str, Any]:
    """Return the status, of one route alone where one is named; UnknownRouteError where there is no such."""
    reply = proxy.get("/api/v1/status")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy does not report its status")))
    if not route:
        return reply.body
    found = [each for each in reply.body["routes"] if each["name"] == route]
    if not found:
        raise UnknownRouteError(unknown(route, (each["name"] for each in reply.body["routes"]), proxy.url))
    return {**reply.body, "routes": found}


def _verdict(view: StatusView) -> int:
    return EXIT_YES if view.ready else EXIT_NO


def _screen(view: StatusView, width: int, route: str = "") -> Group:
    parts = [Text(headline(view), style="" if view.ready and not view.error else "bold red"), Text()]
    if view.error:
        parts.insert(1, Text(view.error, style="red"))
    # Text, so that a name with brackets is not taken for markup
    parts += [Text(line.text, style=_style(line)) for line in lines(view, width)]
    parts += [Text(line.text, style=_style(line)) for line in backends(view, width)]
    if route:
        parts += [Text(line.text, style="dim") for each in view.routes for line in details(each, width)]
    return Group(*parts)


def _style(line: Line) -> str:
    if line.quiet:
        return "dim"
    return _STYLES.get(line.stage, "") if line.stage else "bold"


# `strangler events`: the audit log, as far as it goes or as it grows.


_EVENTS = "/api/v1/events"
EVENTS_EVERY = 0.5
"""Seconds between two questions while following."""


def events(config: str, admin: str, route: str, since: str, *, limit: int, follow: bool, as_json: bool) -> int:
    """Print events, the oldest first; with `follow` for ever, until Ctrl-C. A proxy that restarts is waited for."""
    proxy = client(config, admin)
    items = _ask(proxy, route, since, limit)
    if route and not items:
        _document(proxy, route)  # an event may be of a route that the file has lost; without one the name is checked
    if as_json and not follow:
        print_json({"items": items})
        return EXIT_YES
    _print_events(items, as_json=as_json)
    known = items[-1]["id"] if items else None
    try:
        while follow:
            time.sleep(EVENTS_EVERY)
            try:
                items = _ask(proxy, route, str(known or "1h"), 1000)
            except UnreachableError:
                continue
            _print_events(items, as_json=as_json)
            known = items[-1]["id"] if items else known
    except KeyboardInterrupt:
        pass
    return EXIT_YES


def _ask(proxy: Client, route: str, since: str, limit: int) -> list[dict[str, Any]]:
    asked = {"limit": limit, **({"route": route} if route else {}), **({"since": since} if since else {})}
    reply = proxy.get(f"{_EVENTS}?{urlencode(asked)}")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy does not report what happened")))
    items: list[dict[str, Any]] = reply.body["items"]
    return items


def _print_events(items: list[dict[str, Any]], *, as_json: bool) -> None:
    for item in items:
        print(orjson.dumps(item).decode() if as_json else _event_line(item), flush=True)


def _event_line(item: dict[str, Any]) -> str:
    evidence = item["evidence"]
    detail = evidence.get("detail", "") if isinstance(evidence, dict) else ""
    said = f"{item['at']}  {item['event']:<14} {item['route'] or '-':<20} {item['who']:<16} {item['reason']}"
    line = f"{said} ({detail})" if detail else said
    # a reason is a person's text: it must not be able to draw on the terminal
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


# `strangler report`: the migration report.


def report(config: str, admin: str, form: str, *, as_json: bool) -> int:
    """Print the report of the running proxy as Markdown or as a page of its own."""
    reply = client(config, admin).get("/api/v1/report")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy does not report what was migrated")))
    if as_json:
        print_json(reply.body)
    else:
        print(page(reply.body) if form == "html" else markdown(reply.body).rstrip("\n"))
    return EXIT_YES
