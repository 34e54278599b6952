"""`strangler reload`: has the running proxy read its file again."""

from __future__ import annotations

from proxy.cli.client import Reply, client
from proxy.cli.files import print_json, print_problems
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES
from rules.problems import Problem


def reload(config: str, admin: str, *, wait: bool, as_json: bool) -> int:
    """Ask for the reload; with `wait` the outcome is the exit code: 2 for a broken file."""
    reply = client(config, admin).post("/api/v1/reload", {"wait": wait})
    if as_json:
        print_json(reply.body)
    else:
        _print(reply)
    if reply.ok:
        return EXIT_YES
    return EXIT_USAGE if "problems" in reply.body else EXIT_NO


def _print(reply: Reply) -> None:
    body = reply.body
    problems = [Problem(**problem) for problem in (*body.get("problems", ()), *body.get("warnings", ()))]
    print_problems(problems)
    if not reply.ok:
        print(f"{body.get('detail', 'refused')} (digest {body.get('digest', 'unknown')})")
        return
    if body["outcome"] == "accepted":
        print("asked for; status shows the outcome")
        return
    print(f"{body['outcome']}: digest {body['digest']}, generation {body['generation']}")
    if body["needs_restart"]:
        print(f"waiting for a restart: {', '.join(body['needs_restart'])}")
