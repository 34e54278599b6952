"""`strangler weight`, `advance`, `hold`, `resume`, `rollback`: changes what a running proxy does with a route."""

from __future__ import annotations

import getpass
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from dashboards.html import count
from proxy.cli.client import Reply, client
from proxy.cli.files import print_json
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES

_API = "/api/v1"
_OPERATOR = "X-Strangler-Operator"


def verb(
    config: str, admin: str, name: str, route: str, wish: dict[str, Any], *, revision: int | None, as_json: bool
) -> int:
    """Ask for one verb on one route; 0 when it is in effect, 1 when the proxy has a reason against it."""
    body = {key: value for key, value in wish.items() if value not in (None, "")}
    if revision is not None:
        body["revision"] = revision
    reply = client(config, admin).post(f"{_API}/routes/{quote(route, safe='')}/{name}", body, operator())
    if as_json:
        print_json(reply.body)
    elif reply.ok:
        print(_line(reply.body))
    else:
        print(reply.body.get("detail", "refused"))
    return exit_code(reply)


def rollback_all(config: str, admin: str, reason: str, *, as_json: bool) -> int:
    """Send everybody of every route to legacy."""
    reply = client(config, admin).post(f"{_API}/rollback", {"reason": reason}, operator())
    if as_json:
        print_json(reply.body)
    elif reply.ok:
        print(f"{len(reply.body['routes'])} routes are rolled back: everybody is on legacy")
    else:
        print(reply.body.get("detail", "refused"))
    return exit_code(reply)


def resume_all(config: str, admin: str, reason: str, *, as_json: bool) -> int:
    """Lift every rollback that a person asked for; the guard's own each want a look."""
    reply = client(config, admin).post(f"{_API}/resume", {"reason": reason}, operator())
    left = [route["name"] for route in reply.body.get("left", ())]
    if as_json:
        print_json(reply.body)
    elif reply.ok:
        print(f"resumed: {count(len(reply.body['routes']), 'route')}")
        if left:
            print(f"still rolled back, by the guard: {', '.join(left)}")
    else:
        print(reply.body.get("detail", "refused"))
    return exit_code(reply)


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
    return EXIT_USAGE if reply.status in (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST) else EXIT_NO


def _line(route: dict[str, Any]) -> str:
    weight = route["weight"]
    said = f"{route['name']}: {route['stage']}, {weight['effective']:g} % on modern"
    step = route.get("step")
    return f"{said}, step {step['number']} of {step['of']}" if step and step["number"] else said
