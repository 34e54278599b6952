"""`strangler drill`: proves with timings that users return to legacy when modern fails."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from proxy.cli.client import client
from proxy.cli.files import print_json
from proxy.cli.verbs import exit_code, operator
from proxy.errors import EXIT_NO, EXIT_YES


def drill(config: str, admin: str, route: str, path: str, seconds: float, *, as_json: bool) -> int:
    """Run the drill; 0 when the guard sent everybody back in time and nobody else was harmed."""
    wish = {"seconds": seconds, **({"path": path} if path else {})}
    reply = client(config, admin).post(f"/api/v1/routes/{quote(route, safe='')}/drill", wish, operator())
    if as_json:
        print_json(reply.body)
    elif reply.ok:
        _print(reply.body)
    else:
        print(reply.body.get("detail", "refused"))
    if not reply.ok:
        return exit_code(reply)
    return EXIT_YES if reply.body["proved"] else EXIT_NO


def _print(report: dict[str, Any]) -> None:
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
        print(f"modern failed {report['real_failures']} times by itself meanwhile: the route stays rolled back")
