"""`strangler diffs`: what differs between both sides, one difference with its examples, what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from proxy.cli.client import Client, Reply, client
from proxy.cli.files import print_json
from proxy.cli.plain import print_line
from proxy.errors import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError

_API = "/api/v1/diffs"
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_LONGEST = 100


def diffs(config: str, admin: str, route: str, since: str, *, as_json: bool) -> int:
    """Print the groups of differences, newest first; 1 when there is one that nobody has declared known."""
    items = _all(client(config, admin), route, since)
    if as_json:
        print_json({"items": items, "next": None})
    elif not items:
        print("no differences")
    else:
        for item in items:
            _print_group(item)
    return EXIT_NO if any(_is_open(item) for item in items) else EXIT_YES


def show(config: str, admin: str, group: str, *, as_json: bool) -> int:
    """Print one group with its examples."""
    reply = client(config, admin).get(f"{_API}/{quote(group, safe='')}")
    if not reply.ok:
        return _refused(reply)
    if as_json:
        print_json(reply.body)
    else:
        _print_group(reply.body)
        for example in reply.body["examples"]:
            _print_example(example)
    return EXIT_YES


def again(config: str, admin: str, group: str, form: str) -> int:
    """Print how the latest example of a group is asked again: curl, http or pytest."""
    reply = client(config, admin).get(f"{_API}/{quote(group, safe='')}")
    if not reply.ok:
        return _refused(reply)
    texts = next((example.get("again") for example in reply.body["examples"]), None)
    if not texts:
        raise ProxyError("no example of it can be asked again: its route is another one by now")
    for line in texts[form].splitlines():
        print_line(line)
    return EXIT_YES


def rejudge(config: str, admin: str, route: str, *, as_json: bool) -> int:
    """Have stored pairs judged again under the current file; 1 when one still differs."""
    reply = client(config, admin).post(f"{_API}/rejudge", {"route": route} if route else {})
    if not reply.ok:
        return _refused(reply)
    groups = reply.body["groups"]
    if as_json:
        print_json(reply.body)
    else:
        for item in reply.body["items"]:
            print_line(f"{item['id']}  {item['verdict'] or 'not kept':<12}  {item['route']}  {item['path']}")
        print(f"{groups['equal']} groups are equal now, {groups['different']} still differ")
    return EXIT_NO if groups["different"] else EXIT_YES


def ignore(config: str, admin: str, group: str, wish: Mapping[str, Any], *, undo: bool, as_json: bool) -> int:
    """Say that a difference is known, or take that back."""
    given = {name: value for name, value in wish.items() if value not in ("", None)}
    verb = "unignore" if undo else "ignore"
    reply = client(config, admin).post(f"{_API}/{quote(group, safe='')}/{verb}", given)
    if not reply.ok:
        return _refused(reply)
    if as_json:
        print_json(reply.body)
    else:
        _print_group(reply.body)
    return EXIT_YES


def _all(proxy: Client, route: str, since: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query = {name: value for name, value in (("route", route), ("since", since)) if value}
    while True:
        reply = proxy.get(f"{_API}?{urlencode(query)}" if query else _API)
        if not reply.ok:
            raise _UnansweredError(reply)
        items += reply.body["items"]
        if not reply.body["next"]:
            return items
        query["after"] = reply.body["next"]


class _UnansweredError(ProxyError):
    """The proxy answers that it cannot, or will not."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body.get("detail", "the proxy refuses")))
        self.exit_code = EXIT_USAGE if reply.status in (_NOT_FOUND, _UNPROCESSABLE) else EXIT_NO


def _refused(reply: Reply) -> int:
    raise _UnansweredError(reply)


def _is_open(item: Mapping[str, Any]) -> bool:
    return item["known"] is None and item["rejudged"] != "equal"


def _print_group(item: Mapping[str, Any]) -> None:
    print_line(f"{item['id']}  {item['route']}  {item['path'] or '(root)'}  {item['kind']}  {item['count']} times")
    print_line(f"  first {item['first_seen']}, last {item['last_seen']}")
    known = item["known"]
    if known is not None:
        limits = "".join(f", {name} {known[name]}" for name in ("owner", "until", "max_rate") if known[name])
        print_line(f"  known: {known['reason']}{limits} ({known['who']})")
    if item["rejudged"]:
        print_line(f"  under the current file: {item['rejudged']}")
    for example in item["examples"][:1]:
        print_line(f"  {example['request']}: {_cut(example['legacy'])} → {_cut(example['modern'])}")


def _print_example(example: Mapping[str, Any]) -> None:
    print()
    print_line(f"{example['at']}  {example['request']}  ({example['pair']})")
    nearly = f"  (nearly {example['rule']})" if example["rule"] else ""
    print_line(f"  {example['path'] or '(root)'}: {example['legacy'] or '-'} → {example['modern'] or '-'}{nearly}")
    for note in example["notes"]:
        print_line(f"  note: {note}")
    if example.get("explanation"):
        for line in example["explanation"].splitlines():
            print_line(f"  {line}")
    for side, answer in (example.get("answers") or {}).items():
        if answer is not None:
            print_line(f"  {side} {answer['status']}")
            for line in answer["body"].splitlines():
                print_line(f"    {line}")


def _cut(text: str) -> str:
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") or "-"
