"""Commands about differences: those of a proxy, those of two saved responses."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from comparators.custom import failure
from comparators.literals import cut_apart
from comparators.model import Capture, Comparison
from dashboards.html import count
from proxy.cli.admin_client import Client, Reply, client
from proxy.cli.common import UnknownRouteError, print_json, print_line, read, unknown
from proxy.control.comparison.policies import today
from proxy.judge import limited
from proxy.judge.policies import Compiled, RouteRules, Rules, compiled, route_rules
from proxy.settings import EXIT_NO, EXIT_USAGE, EXIT_YES, ProxyError
from rules.invariants import VIOLATED, Outcome

_API = "/api/v1/diffs"
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_LONGEST = 100


def diffs(config: str, admin: str, route: str, since: str, *, transient: bool = False, as_json: bool) -> int:
    """Print the groups of differences, newest first; 1 when there is one that is not declared known.

    With `transient` those whose pairs were equal when asked again: they are no mismatch, so 0.
    """
    items, suggested = _all(client(config, admin), route, since, transient=transient)
    if as_json:
        print_json({"items": items, "next": None, "suggested": suggested})
        return EXIT_NO if any(_is_open(item) for item in items) else EXIT_YES
    if not items:
        print("no differences that were gone when asked again" if transient else "no differences")
    else:
        for item in items:
            _print_group(item)
    for one in suggested:
        _print_suggested(one)
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


def _all(
    proxy: Client, route: str, since: str, *, transient: bool
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the groups of all pages with what is suggested beside the first."""
    items: list[dict[str, Any]] = []
    suggested: list[dict[str, str]] | None = None
    asked = {"route": route, "since": since, "transient": "1" if transient else ""}
    query = {name: value for name, value in asked.items() if value}
    while True:
        reply = proxy.get(f"{_API}?{urlencode(query)}" if query else _API)
        if not reply.ok:
            raise _UnansweredError(reply)
        items += reply.body["items"]
        suggested = reply.body.get("suggested") or [] if suggested is None else suggested
        if not reply.body["next"]:
            return items, suggested
        query["after"] = reply.body["next"]


class _UnansweredError(ProxyError):
    """The proxy answers that it cannot, or will not."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body.get("detail", "the proxy refuses")))
        self.exit_code = EXIT_USAGE if reply.status in (_NOT_FOUND, _UNPROCESSABLE) else EXIT_NO


def _refused(reply: Reply) -> int:
    raise _UnansweredError(reply)


def _is_open(item: Mapping[str, Any]) -> bool:
    return item["known"] is None and item["rejudged"] != "equal" and not item.get("transient")


def _print_group(item: Mapping[str, Any]) -> None:
    seen = count(item["count"], "time")
    print_line(f"{item['id']}  {item['route']}  {item['path'] or '(root)'}  {item['kind']}  {seen}")
    print_line(f"  first {item['first_seen']}, last {item['last_seen']}")
    known = item["known"]
    if known is not None:
        limits = "".join(f", {name} {known[name]}" for name in ("owner", "until", "max_rate") if known[name])
        print_line(f"  known: {known['reason']}{limits} ({known['who']})")
    if item.get("transient"):
        print_line("  equal when it was asked again: no mismatch")
    if item["rejudged"]:
        print_line(f"  under the current file: {item['rejudged']}")
    for example in item["examples"][:1]:
        legacy, modern = cut_apart(example["path"], example["legacy"], example["modern"], _LONGEST)
        print_line(f"  {example['request']}: {legacy or '-'} → {modern or '-'}")


def _print_suggested(one: Mapping[str, str]) -> None:
    print()
    print_line(f"{one['route']}: what legacy varies by itself, to paste under its compare:")
    for line in one["compare"].splitlines():
        print_line(f"  {line}")


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
    answers = {side: answer for side, answer in (example.get("answers") or {}).items() if answer is not None}
    width = _width()
    if len(answers) == len(SIDES) and width >= _WIDE_ENOUGH:
        for line in beside(answers["legacy"], answers["modern"], width):
            print_line(f"  {line}".rstrip())
        return
    for side, answer in answers.items():
        print_line(f"  {side} {answer['status']}")
        for line in pretty(answer["body"]):
            print_line(f"    {line}")


SIDES = ("legacy", "modern")
_WIDE_ENOUGH = 80
_WIDEST = 240
_LINES_AROUND = 3
_QUADRATIC = 4000
"""Lines from which on frequent ones are no anchors: else the time grows with the square."""
_BETWEEN = {" ": "   ", "|": " ≠ ", "<": " < ", ">": " > "}


def _width() -> int:
    """Return the columns there are: a terminal's, COLUMNS where that is set; in a pipe as many as fit most."""
    return min(_WIDEST, shutil.get_terminal_size((120, 24)).columns)


def pretty(body: str) -> list[str]:
    """Return the lines of a body: JSON with a member a line, tags of HTML and XML a line each, else as it is."""
    try:
        return _outlined(body)
    except (ValueError, RecursionError):
        pass
    if body.lstrip().startswith("<"):
        return [line.strip() for line in re.sub(r">\s*<", ">\n<", body).splitlines() if line.strip()]
    return body.splitlines()


_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def _outlined(body: str) -> list[str]:
    """Return JSON with a member a line; ValueError for anything else. Every literal stays as it is spelled."""
    json.loads(body)
    lines, line, depth = [], "", 0
    pieces = [found.group() for found in _PIECE.finditer(body)]
    for before, piece, after in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        opens, closes = piece in _OPEN, piece in _CLOSED
        depth += opens - closes
        if closes and before not in _OPEN:
            lines.append(line)
            line = "  " * depth
        line += _SPELLED.get(piece, piece)
        if piece == "," or (opens and after not in _CLOSED):
            lines.append(line)
            line = "  " * depth
    return [*lines, line]


_OPEN, _CLOSED = ("{", "["), ("}", "]")
_SPELLED = {":": ": "}


def beside(legacy: Mapping[str, Any], modern: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield both answers in two columns, with a mark where they differ; long stretches of equal lines are folded."""
    column = (width - 2 - len(_BETWEEN[" "])) // 2
    yield _row(f"legacy {legacy['status']}", f"modern {modern['status']}", " ", column)
    yield _row("─" * column, "─" * column, " ", column)
    one, other = pretty(legacy["body"]), pretty(modern["body"])
    is_long = len(one) + len(other) > _QUADRATIC
    for group in SequenceMatcher(None, one, other, autojunk=is_long).get_grouped_opcodes(_LINES_AROUND):
        if group[0][1] or group[0][3]:
            yield "⋮"
        for _, first, last, start, end in group:
            for left, right in zip_longest(one[first:last], other[start:end]):
                mark = " " if left == right else ("<" if right is None else ">" if left is None else "|")
                yield from _rows(left or "", right or "", mark, column)
    if one == other:
        yield "both bodies are the same"


def _rows(left: str, right: str, mark: str, column: int) -> Iterator[str]:
    """Yield a line of each side, over as many rows as the longer one needs."""
    for start in range(0, max(len(left), len(right), 1), column):
        yield _row(left[start : start + column], right[start : start + column], mark, column)


def _row(left: str, right: str, mark: str, column: int) -> str:
    return f"{left:<{column}}{_BETWEEN[mark]}{right}"


# Reads a saved answer: raw HTTP as `curl -i` writes it, or a body alone.


_STATUS = re.compile(rb"HTTP/[0-9.]+ ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = range(100, 200)
_TYPES = {
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
}


class UnreadableAnswerError(ProxyError):
    """A file that holds no answer; the message names it."""

    exit_code = EXIT_USAGE


def saved(name: str, method: str, target: str) -> Capture:
    """Return the answer saved in the file `name` to a request of `method` for `target`; UnreadableAnswerError."""
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise UnreadableAnswerError(f"{name}: {error.strerror}") from error
    if _STATUS.match(data):
        return _raw(name, data, method, target)
    kind = _TYPES.get(Path(name).suffix.lower()) or _guessed(data)
    return Capture(method, target, 200, (("Content-Type", kind),), data)


def _guessed(data: bytes) -> str:
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return "application/json"
    return "text/html" if start == b"<" else "text/plain"


def _raw(name: str, data: bytes, method: str, target: str) -> Capture:
    while True:
        line, end = _STATUS.match(data), _END.search(data)
        if line is None or end is None:
            raise UnreadableAnswerError(f"{name}: the head of an HTTP answer never ends")
        status, head, rest = int(line[1]), data[line.end() : end.end()], data[end.end() :]
        # curl writes the heads of interim answers, of redirects that it followed, before the last one
        if status in _INTERIM or _STATUS.match(rest):
            data = rest
            continue
        headers = tuple(_headers(name, head))
        return Capture(method, target, status, headers, _body(name, dict(headers), rest, method))


def _headers(name: str, head: bytes) -> list[tuple[str, str]]:
    found = []
    for line in head.decode("latin-1").splitlines():
        if not line:
            continue
        field, colon, value = line.partition(":")
        if not colon or field != field.strip():
            raise UnreadableAnswerError(f"{name}: {line[:60]!r} is no header")
        found.append((field, value.strip()))
    return found


def _body(name: str, headers: dict[str, str], rest: bytes, method: str) -> bytes:
    fields = {field.lower(): value for field, value in headers.items()}
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return _without_chunks(rest)
    length = fields.get("content-length", "")
    if length.isdigit() and method != "HEAD" and rest:
        if int(length) > len(rest):
            raise UnreadableAnswerError(f"{name}: {len(rest)} bytes of a body of {length}")
        return rest[: int(length)]
    return rest


def _without_chunks(rest: bytes) -> bytes:
    """Undo chunks where they are still there: curl takes them out, leaving the header that names them."""
    body: list[bytes] = []
    left = rest
    while True:
        size = re.match(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r\n", left)
        if size is None:
            return rest
        length = int(size[1], 16)
        if length == 0:
            return b"".join(body)
        chunk = left[size.end() : size.end() + length]
        left = left[size.end() + length :]
        if len(chunk) < length or not left.startswith(b"\r\n"):
            return rest
        body.append(chunk)
        left = left[2:]


# `strangler compare`: two saved answers, judged as a route would judge them.


NO_ROUTE = "(none)"


def compare(config: str, legacy: str, modern: str, route: str, method: str, path: str, *, as_json: bool) -> int:
    """Print how two saved answers differ; 0 when they do not, nor break an invariant of the route."""
    rules = _rules(config, route, as_json=as_json)
    if rules is None:
        return EXIT_USAGE
    sides = saved(legacy, method, path), saved(modern, method, path)
    comparison, outcomes = limited.judged(rules, *sides)
    invariants = _invariants(rules, outcomes)
    if as_json:
        print_json({**_document(comparison), "invariants": invariants})
    else:
        _print(comparison, invariants)
        _trace(comparison, rules, *sides)
    fine = comparison.verdict in ("equal", "noise") and all(one["state"] != VIOLATED for one in invariants)
    return EXIT_YES if fine else EXIT_NO


def _trace(comparison: Comparison, rules: Compiled, legacy: Capture, modern: Capture) -> None:
    """Print what the operator's own comparator raised, to errors: both answers are the operator's own as well."""
    if any((one.kind, one.rule) == ("error", "custom") for one in comparison.findings):
        for line in failure(rules.policy.custom, legacy, modern).splitlines():
            print_line(f"  {line}", to=sys.stderr)


def _rules(config: str, route: str, *, as_json: bool) -> Compiled | None:
    """Return what to judge by: the route's rules, or none at all; None after the file's problems were printed."""
    written, folder = RouteRules({}), ""
    if route:
        prepared = read(config, as_json=as_json)
        if prepared is None:
            return None
        found = next((one for one in prepared.snapshot.routes if one.name == route), None)
        if found is None:
            raise UnknownRouteError(unknown(route, (one.name for one in prepared.snapshot.routes), config))
        written, folder = route_rules(prepared.snapshot, found), str(Path(config).absolute().parent)
    if folder and folder not in sys.path:
        sys.path.append(folder)  # the operator's own comparator lies beside the file
    rules = compiled(Rules({NO_ROUTE: written}, today()), NO_ROUTE)
    if isinstance(rules, str):
        raise ProxyError(rules)
    return rules


def _invariants(rules: Compiled, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the outcome of each invariant with its name; none where nothing was compared in time."""
    named = zip(rules.invariants, outcomes, strict=False)
    return [{"name": one.invariant.name, **asdict(outcome)} for one, outcome in named]


def _document(comparison: Comparison) -> dict[str, Any]:
    return {
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "findings": [one._asdict() for one in comparison.findings],
        "forgiven": dict(comparison.forgiven),
        "notes": list(comparison.notes),
        "capped": comparison.capped,
    }


def _print(comparison: Comparison, invariants: list[dict[str, Any]]) -> None:
    print_line(comparison.verdict + (f": {comparison.reason}" if comparison.reason else ""))
    for one in comparison.findings:
        nearly = f"  (nearly {one.rule})" if one.rule else ""
        print_line(f"  {one.path or '(root)'}  {one.kind}: {one.legacy or '-'} → {one.modern or '-'}{nearly}")
    for rule, number in sorted(comparison.forgiven.items()):
        print_line(f"  forgiven by {rule}: {number}")
    for note in comparison.notes:
        print_line(f"  note: {note}")
    for invariant in invariants:
        detail = f": {invariant['detail']}" if invariant["detail"] else ""
        print_line(f"  invariant {invariant['name']}: {invariant['state']}{detail}")
