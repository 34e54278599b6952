"""Differences are shown as text and as JSON, with the exit code saying whether one is open."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from proxy.cli.app import run_command

GROUP: dict[str, Any] = {
    "id": "0123456789abcdef",
    "route": "invoice",
    "path": "/total",
    "kind": "value",
    "count": 3,
    "first_seen": "2026-11-21T03:00:00.000Z",
    "last_seen": "2026-11-21T03:05:00.000Z",
    "known": None,
    "rejudged": None,
    "examples": [
        {
            "pair": "p1",
            "at": "2026-11-21T03:05:00.000Z",
            "request": "GET /invoices/1",
            "path": "/total",
            "kind": "value",
            "legacy": '"13.76"',
            "modern": "13.74",
            "rule": "numeric_string",
            "notes": ["not asked again: budget"],
            "explanation": "/total  value: 13.76 → 13.74",
            "answers": {"legacy": {"status": 200, "headers": [], "body": '{"total":"13.76"}'}, "modern": None},
        }
    ],
}
KNOWN = {"reason": "rounding", "owner": "ops", "until": "2027-01-31", "max_rate": 0.05, "who": "api", "at": "x"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        self.server.asked.append((self.path.removeprefix("/api/v1/"), body))
        status, answer = self.server.answers.pop(0)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Desk:
    def __init__(self, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self._server, self._capsys = server, capsys

    def diffs(self, *words: str, answers: list[tuple[int, Any]]) -> tuple[int, str, str]:
        self._server.answers[:] = answers
        code = run_command(["diffs", *words, "--admin", f"http://127.0.0.1:{self._server.server_port}"])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    @property
    def asked(self) -> list[tuple[str, Any]]:
        return self._server.asked


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield Desk(server, capsys)
    server.shutdown()
    thread.join()
    server.server_close()


def page(*items: Any, following: str | None = None) -> tuple[int, Any]:
    return 200, {"items": list(items), "next": following}


def test_open_differences_are_listed_over_all_pages_and_end_with_1(desk: Desk):
    second = {**GROUP, "id": "second", "route": "order"}

    code, out, _ = desk.diffs("invoice", "--since", "1h", answers=[page(GROUP, following="x"), page(second)])

    assert code == 1
    assert desk.asked == [("diffs?route=invoice&since=1h", None), ("diffs?route=invoice&since=1h&after=x", None)]
    assert "0123456789abcdef  invoice  /total  value  3 times" in out
    assert 'GET /invoices/1: "13.76" → 13.74' in out
    assert "second  order" in out


@pytest.mark.parametrize("at", [80, 99, 100, 150, 240])
@pytest.mark.parametrize(("path", "place"), [("/total", '"'), ("@body", "main > p#" + "y" * 200 + ": ")])
def test_two_long_literals_are_cut_around_their_first_difference(desk: Desk, at: int, path: str, place: str):
    legacy, modern = (f"{place}{'x' * at}{end}{'x' * 20}" for end in ("OLD", "NEW"))
    group = {**GROUP, "examples": [{**GROUP["examples"][0], "path": path, "legacy": legacy, "modern": modern}]}

    shown = [desk.diffs(answers=[page(group)])[1], desk.diffs("show", "0123456789abcdef", answers=[(200, group)])[1]]

    for out in shown:
        line = next(line for line in out.splitlines() if line.startswith("  GET /invoices/1: "))
        left, right = line.removeprefix("  GET /invoices/1: ").split(" → ")
        assert ("OLD" in left, "NEW" in right) == (True, True)
        assert max(len(left), len(right)) <= 101


@pytest.mark.parametrize("settled", [{"known": KNOWN}, {"rejudged": "equal"}])
def test_what_is_known_or_mended_is_no_open_difference(desk: Desk, settled: dict[str, Any]):
    code, out, _ = desk.diffs(answers=[page({**GROUP, **settled})])

    assert code == 0
    if "known" in settled:
        assert "known: rounding, owner ops, until 2027-01-31, max_rate 0.05 (api)" in out


def test_what_legacy_varies_itself_is_shown_as_lines_to_paste(desk: Desk):
    lines = "ignore_text:\n  - '(?<=in )[0-9]+(?= ms)'  # legacy differed from itself 9 times, in 9 pairs"
    body = {"items": [], "next": None, "suggested": [{"route": "wiki", "compare": lines}]}

    code, out, _ = desk.diffs(answers=[(200, body)])
    _, shown, _ = desk.diffs("--json", answers=[(200, body)])

    assert code == 0
    assert "wiki: what legacy varies by itself, to paste under its compare:\n  ignore_text:\n    - '(?<=in )" in out
    assert json.loads(shown)["suggested"] == body["suggested"]


def test_none_at_all_is_said(desk: Desk):
    assert desk.diffs(answers=[page()]) == (0, "no differences\n", "")


def test_one_is_shown_with_its_examples(desk: Desk):
    code, out, _ = desk.diffs("show", "0123456789abcdef", answers=[(200, GROUP)])

    assert (code, desk.asked) == (0, [("diffs/0123456789abcdef", None)])
    assert '/total: "13.76" → 13.74  (nearly numeric_string)' in out
    assert "note: not asked again: budget" in out
    assert "/total  value: 13.76 → 13.74" in out
    assert 'legacy 200\n    {\n      "total": "13.76"\n    }' in out


def test_what_a_backend_answered_cannot_draw_on_the_terminal(desk: Desk):
    example = {**GROUP["examples"][0], "legacy": "\x1b[2Jgone", "notes": ["a\rb"]}
    example["answers"] = {"legacy": {"status": 200, "headers": [], "body": "one\x1b]0;title\x07\ntwo é"}}

    _, out, _ = desk.diffs("show", "a", answers=[(200, {**GROUP, "examples": [example]})])

    assert not {"\x1b", "\x07", "\r"} & set(out)
    assert "\\x1b[2Jgone" in out
    assert "    two é\n" in out


def test_one_is_written_for_another_tool(desk: Desk):
    again = {"curl": "# a\x1b[2J\ncurl -i http://a\n", "http": "GET http://a\n", "pytest": "def test():\n    pass\n"}
    group = {**GROUP, "examples": [{**GROUP["examples"][0], "again": again}]}

    said = {form: desk.diffs("show", "a", "--as", form, answers=[(200, group)]) for form in again}

    assert said["curl"] == (0, "# a\\x1b[2J\ncurl -i http://a\n", "")
    assert said["http"] == (0, again["http"], "")
    assert said["pytest"] == (0, again["pytest"], "")


def test_one_that_cannot_be_asked_again_says_so(desk: Desk):
    group = {**GROUP, "examples": [{**GROUP["examples"][0], "again": None}]}

    code, _, err = desk.diffs("show", "a", "--as", "curl", answers=[(200, group)])

    assert code == 1
    assert "its route is another one by now" in err


@pytest.mark.parametrize(
    "words", [("--as", "curl"), ("show", "a", "--as", "wget"), ("show", "a", "--as", "curl", "--json")]
)
def test_a_form_goes_with_one_difference(desk: Desk, words: tuple[str, ...]):
    code, _, err = desk.diffs(*words, answers=[])

    assert (code, desk.asked) == (2, [])
    assert "--as" in err


def test_judging_again_ends_with_1_while_something_differs(desk: Desk):
    def outcome(different: int) -> tuple[int, Any]:
        items = [{"id": "a", "route": "invoice", "path": "/total", "verdict": None}]
        return 200, {"pairs": 1, "groups": {"different": different, "equal": 1, "not_compared": 0}, "items": items}

    differs = desk.diffs("rejudge", answers=[outcome(1)])
    agrees = desk.diffs("rejudge", "invoice", answers=[outcome(0)])

    assert (differs[0], agrees[0]) == (1, 0)
    assert desk.asked == [("diffs/rejudge", {}), ("diffs/rejudge", {"route": "invoice"})]
    assert "not kept" in differs[1]


def test_one_is_declared_known_with_reason_and_limits_and_taken_back(desk: Desk):
    known = desk.diffs("ignore", "a", "--reason", "live", "--max-rate", "5%", answers=[(200, GROUP)])
    back = desk.diffs("unignore", "a", "--reason", "no", answers=[(200, GROUP)])

    assert (known[0], back[0]) == (0, 0)
    assert desk.asked == [
        ("diffs/a/ignore", {"reason": "live", "max_rate": "5%"}),
        ("diffs/a/unignore", {"reason": "no"}),
    ]


@pytest.mark.parametrize("words", [("show",), ("ignore", "a"), ("invoice", "order"), ("show", "a", "b")])
def test_half_a_command_is_wrong_usage(desk: Desk, words: tuple[str, ...]):
    code, _, err = desk.diffs(*words, answers=[])

    assert (code, desk.asked) == (2, [])
    assert "Error" in err


@pytest.mark.parametrize(("status", "code"), [(404, 2), (422, 2), (503, 1)])
def test_a_refusal_is_told_with_its_reason(desk: Desk, status: int, code: int):
    ended, _, err = desk.diffs("show", "nobody", answers=[(status, {"detail": "there is no such group"})])

    assert ended == code
    assert "there is no such group" in err


def test_those_that_were_gone_when_asked_again_are_a_list_of_their_own(desk: Desk):
    gone = {**GROUP, "transient": True}

    code, out, _ = desk.diffs("invoice", "--transient", answers=[(200, {"items": [gone], "next": None})])
    none = desk.diffs("--transient", answers=[(200, {"items": [], "next": None})])
    wrong = desk.diffs("show", "x", "--transient", answers=[])

    assert (code, "equal when it was asked again" in out) == (0, True)
    assert [path for path, _ in desk.asked] == ["diffs?route=invoice&transient=1", "diffs?transient=1"]
    assert none[:2] == (0, "no differences that were gone when asked again\n")
    assert wrong[0] == 2
