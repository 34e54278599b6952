"""A judge's opinion on a pair follows the route's rules and contains no secrets."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.ipc.judge_messages import Case, Exhibit, Opinion
from proxy.ipc.messages import Answer, Pair
from proxy.judge.main import explained
from proxy.judge.opinion import Opinions
from proxy.judge.policies import RouteRules, Rules, route_rules, unpack_rules
from proxy.judge.redaction import UnreadableError, pack, unpack
from rules.model import Backend, Invariant, ShadowPolicy, SidePolicy
from tests.support import snapshots
from tests.support.pairs import a_pair

TODAY = "2026-11-21"
PHP = {"preset": "php"}
JSON = (("Content-Type", "application/json"),)


def judged(pair: Pair, compare: dict[str, Any] | None = None, *invariants: Invariant, **rules: Any) -> Opinion:
    route = RouteRules(PHP if compare is None else compare, invariants)
    opinions = Opinions(Rules({"profile": route}, TODAY, **{"key": "k", **rules}))
    return opinions.on(Case(7, pair))


def test_what_is_equal_under_the_rules_leaves_nothing_behind():
    opinion = judged(a_pair(b'{"price":"10.50"}', b'{"price":10.5}'))

    assert (opinion.ticket, opinion.verdict, opinion.found, opinion.payload) == (7, "equal", (), b"")
    assert opinion.forgiven == (("numeric_string", 1),)


def test_a_difference_is_told_where_it_is_in_its_group_with_both_answers():
    legacy, modern = b'{"items":[{"price":"10.50"},{"price":"1.00"}]}', b'{"items":[{"price":10.51},{"price":2}]}'

    opinion = judged(a_pair(legacy, modern))

    (found,) = opinion.found
    assert (found.path, found.pattern, found.kind) == ("/items/0/price", "/items/*/price", "value")
    assert (found.legacy, found.modern) == ('"10.50"', "10.51")
    assert len(found.group) == 16
    assert unpack(opinion.payload).modern.body == modern
    assert opinion.request == "GET /api/me"


def test_secrets_are_gone_before_anything_leaves_the_judge():
    headers = (*JSON, ("Set-Cookie", "session=abc123def456"))
    pair = a_pair(
        legacy=b'{"password":"hunter2","user":{"email":"a@example.com"},"n":1}',
        modern=b'{"password":"hunter2","user":{"email":"b@example.com"},"n":2}',
        query="token=very-secret-token-1",
        user="0123",
    )
    pair = replace(pair, legacy=replace(pair.legacy, headers=headers))

    opinion = judged(pair, redact=("/user/email",))
    kept = unpack(opinion.payload)
    everything = repr(opinion) + repr(kept) + repr([(a.headers, a.body) for a in (kept.legacy, kept.modern)])

    for secret in ("hunter2", "@example.com", "very-secret", "abc123def456"):
        assert secret not in everything
    assert {found.path for found in opinion.found} == {"/user/email", "/n", "@header:set-cookie"}
    assert kept.user == ""


@pytest.mark.parametrize(
    ("mapping", "legacy"),
    [
        ({"unwrap": "/data"}, b'{"data":{"user":{"email":"a@example.com"},"n":1}}'),
        ({"case": "camel"}, b'{"user":{"email":"a@example.com","home_phone":"a@example.com"},"n":1}'),
        ({"rename": {"/contact/mail": "/user/email"}}, b'{"contact":{"mail":"a@example.com"},"n":1}'),
        ({"rename": {"/person": "/user"}}, b'{"person":{"email":"a@example.com"},"n":1}'),
        ({"pagination": "laravel"}, b'{"data":[{"email":"a@example.com"}],"meta":{"total":1}}'),
    ],
    ids=["unwrap", "case", "rename", "rename-around", "pagination"],
)
def test_what_is_redacted_in_the_modern_shape_is_in_legacys_own_too(mapping: dict[str, Any], legacy: bytes):
    modern = b'{"user":{"email":"b@example.com","homePhone":"1"},"n":2}'
    fields = ("/user/email", "/user/homePhone", "/items/*/email")

    opinion = judged(a_pair(legacy, modern), {"map": mapping}, redact=fields)

    kept = unpack(opinion.payload)
    assert opinion.verdict == "different"
    assert b"@example.com" not in kept.legacy.body + kept.modern.body
    assert b"redacted" in kept.legacy.body


def test_what_a_mapped_route_keeps_can_be_judged_again():
    compare, fields = {"map": {"unwrap": "/data"}}, ("/user/email",)
    legacy, modern = (
        b'{"data":{"user":{"email":"a@b.c"},"by":{"email":"x@b.c"},"n":1}}',
        b"""
        {"user":{"email":"a@b.c"},"by":{"email":"x@b.c"},"n":2}""",
    )

    first = judged(a_pair(legacy, modern), compare, redact=fields)
    again = Opinions(Rules({"profile": RouteRules(compare)}, TODAY, redact=fields)).on(
        Case(8, unpack(first.payload), stored=True)
    )

    assert [found.path for found in first.found] == [found.path for found in again.found] == ["/n"]


def test_without_bodies_only_the_findings_stay():
    opinion = judged(a_pair(b'{"n":1}', b'{"n":2}'), bodies=False)

    assert len(opinion.found) == 1
    assert opinion.payload == b""


def test_legacys_second_answer_tells_what_is_noise_and_is_learned_from():
    secondary = Answer(200, JSON, b'{"nonce":"b7","n":1}')

    opinion = judged(a_pair(b'{"nonce":"a1","n":1}', b'{"nonce":"c9","n":1}', secondary))

    assert opinion.verdict == "noise"
    assert b"/nonce" in opinion.observed


@pytest.mark.parametrize(
    ("side", "answer", "reason"),
    [
        ("modern", Answer(200, JSON, b"{}", truncated=True), "body_cap"),
        ("legacy", Answer(200, JSON, b"{}", truncated=True), "body_cap"),
        ("modern", Answer(failed="reset"), "failed"),
        ("legacy", Answer(failed="absent"), "absent"),
        ("legacy", Answer(200, (*JSON, ("Content-Encoding", "compress")), b"{"), "encoding"),
    ],
)
def test_what_cannot_be_compared_says_why(side: str, answer: Answer, reason: str):
    opinion = judged(replace(a_pair(), **{side: answer}))

    assert (opinion.verdict, opinion.reason, opinion.found) == ("not_compared", reason, ())


LOSS = Invariant("loss", "legacy:/balance - modern:/balance <= 0", "rollback")
SUM = Invariant("sum", "sum(modern:/items/*) == modern:/total")


@pytest.mark.parametrize(
    ("legacy", "modern", "verdict", "sum_of_modern", "loss"),
    [
        (Answer(302, JSON, b"{}"), b'{"items":[1],"total":2}', "not_compared", "violated", "indeterminate"),
        (Answer(200, JSON, b'{"balance":1}'), b'{"balance":0}', "not_compared", "indeterminate", "indeterminate"),
        (Answer(403, JSON, b"{}"), b"{}", "not_compared", "indeterminate", "indeterminate"),
        (Answer(200, JSON, b'{"balance":1}'), b'{"balance":1}', "equal", "indeterminate", "held"),
    ],
)
def test_a_legacy_without_the_session_proves_nothing_but_where_it_is_equal(
    legacy: Answer, modern: bytes, verdict: str, sum_of_modern: str, loss: str
):
    pair = replace(a_pair(b"", modern, reason="session", live_side="modern"), legacy=legacy)

    opinion = judged(pair, PHP, SUM, LOSS)

    assert (opinion.verdict, opinion.found) == (verdict, ())
    assert opinion.reason == ("session" if verdict == "not_compared" else "")
    assert [one.state for one in opinion.checked] == [sum_of_modern, loss]


def test_invariants_are_checked_whatever_is_ignored_and_their_pair_is_kept():
    opinion = judged(a_pair(b'{"balance":"10.50"}', b'{"balance":9.5}'), {"ignore": ["/balance"], **PHP}, LOSS, SUM)

    assert opinion.verdict == "equal"
    assert [(one.name, one.state) for one in opinion.checked] == [("loss", "violated"), ("sum", "indeterminate")]
    assert (opinion.checked[0].left, opinion.checked[0].right) == ("1.00", "0")
    assert opinion.payload != b""


def test_modern_alone_is_held_against_what_speaks_of_modern_alone():
    pair = replace(a_pair(b"", b'{"items":[1,2],"total":4}', reason="alone"), legacy=Answer(failed="absent"))

    opinion = judged(pair, {}, LOSS, SUM)

    assert [(one.name, one.state) for one in opinion.checked] == [("loss", "indeterminate"), ("sum", "violated")]


def test_an_errors_body_is_no_balance():
    pair = a_pair(b'{"balance":5}', b'{"balance":0}')

    opinion = judged(replace(pair, modern=replace(pair.modern, status=500)), {}, LOSS)

    assert opinion.checked[0].state == "indeterminate"


def test_a_coding_is_undone_before_an_invariant_reads_the_body():
    pair = a_pair(b'{"balance":5}', gzip.compress(b'{"balance":4}'))
    modern = replace(pair.modern, headers=(*JSON, ("Content-Encoding", "gzip")))

    assert judged(replace(pair, modern=modern), {}, LOSS).checked[0].state == "violated"


def test_the_values_of_a_redacted_field_are_not_told_by_an_invariant():
    opinion = judged(a_pair(b'{"balance":5}', b'{"balance":4}'), {"ignore": ["/balance"]}, LOSS, redact=("/balance",))

    assert (opinion.checked[0].state, opinion.checked[0].left) == ("violated", "")
    assert "1" not in opinion.checked[0].detail


def test_rules_that_cannot_be_used_are_a_reason_and_nothing_worse():
    broken = judged(a_pair(), {"preset": "cobol"})
    unknown = judged(a_pair(route="nobody"))

    assert (broken.verdict, broken.reason) == ("not_compared", "rules")
    assert "cobol" in broken.notes[0]
    assert unknown.reason == "rules"


def test_an_operators_comparator_that_fails_is_a_finding_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ju_broken_hook.py").write_text("def judge(legacy, modern):\n    raise KeyError('secret')\n")
    monkeypatch.syspath_prepend(tmp_path)

    opinion = judged(a_pair(), {"custom": "ju_broken_hook:judge"})

    assert (opinion.verdict, opinion.reason) == ("not_compared", "error")
    assert [(found.kind, found.rule) for found in opinion.found] == [("error", "custom")]
    assert "secret" not in repr(opinion)


def test_a_stored_pair_is_judged_as_it_is():
    opinions = Opinions(Rules({"profile": RouteRules(PHP)}, TODAY, key="k"))
    stored = a_pair(b'{"password":"<redacted:1>","n":1}', b'{"password":"<redacted:1>","n":2}')

    opinion = opinions.on(Case(1, stored, stored=True))

    assert [found.path for found in opinion.found] == ["/n"]
    assert opinion.payload == b""


def test_a_packed_pair_comes_out_as_it_went_in_and_rubbish_is_told():
    pair = a_pair(bytes(range(256)), b"", Answer(200, (("A", "é"),), b"x"))

    assert unpack(pack(pair)) == pair
    for rubbish in (b"", b"rubbish", pack(pair)[:40]):
        with pytest.raises(UnreadableError):
            unpack(rubbish)


def test_the_rules_of_a_route_travel_whole_with_what_the_backends_are_called():
    route = snapshots.route(
        name="profile",
        compare={"preset": "php", "ignore": ["/a", {"path": "/eta", "reason": "live", "max_rate": "5%"}]},
        invariants=(LOSS,),
        shadow=ShadowPolicy(sample=1.0, backend="copy"),
        legacy=SidePolicy("legacy"),
    )
    snapshot = snapshots.snapshot({"legacy": ["http://old.example"], "modern": ["https://new:8443"]}, routes=[route])
    snapshot = replace(
        snapshot, backends=(*snapshot.backends, Backend("copy", ("unix:/run/copy.sock", "http://[::1]:9")))
    )

    made = route_rules(snapshot, route, lifted=frozenset({"/eta"}))
    rules = Rules({"profile": made}, TODAY, "folder", ("/email",), bodies=False, key="k")

    assert (made.legacy_hosts, made.modern_hosts) == (("old.example:80",), ("new:8443", "[::1]:9"))
    assert made.compare["ignore"] == ["/a"]
    assert unpack_rules(rules.pack()) == rules


def test_a_stored_pair_is_explained_in_lines_and_rubbish_is_not():
    pair = a_pair(b'{"a":1,"b":[1,2]}', b'{"a":2,"b":[1,2,3]}')

    said = orjson.loads(explained(Exhibit(5, pack(pair))).payload)
    nothing = explained(Exhibit(6, b"rubbish"))

    assert "/a  value: 1 → 2" in said.splitlines()
    assert any(line.startswith("/b/2  extra") for line in said.splitlines())
    assert (nothing.ticket, nothing.payload) == (6, b"null")


def test_findings_that_stand_beside_a_cap_are_marked():
    legacy = orjson.dumps({"total": 1, "rows": [{"n": at} for at in range(3000)]})
    modern = orjson.dumps({"total": 2, "rows": [{"n": at + 5000.5} for at in range(2999)]})

    opinion = judged(a_pair(legacy, modern), {"unordered": ["/rows"], "tolerance": [{"path": "/**", "absolute": 0.4}]})

    assert opinion.verdict == "different"
    assert [note.partition(":")[0] for note in opinion.notes if note.startswith("capped")] == ["capped"]


def test_a_difference_shows_no_secret_that_only_its_label_names():
    legacy, modern = (
        f'{{"fields":[{{"label":"API key","type":"text","value":"{key}"}}]}}'.encode()
        for key in ("k1-joe-1", "k2-ann-2")
    )

    opinion = judged(a_pair(legacy, modern))

    (found,) = opinion.found
    kept = unpack(opinion.payload)
    assert (found.path, found.legacy.startswith('"<redacted:')) == ("/fields/0/value", True)
    assert b"k1-joe-1" not in kept.legacy.body
    assert "k2-ann-2" not in found.modern
