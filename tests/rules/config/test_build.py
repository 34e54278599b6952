from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import rules
from rules import model
from tests.rules.asking import BACKENDS

SAMPLE = (Path(__file__).parents[2] / "data" / "contract-sample.yaml").read_text()
ROUTE = "routes:\n  - name: a\n    match: {path: /a}\n"


def test_a_file_that_says_nothing_means_the_defaults_of_the_words() -> None:
    loaded = rules.load(BACKENDS + ROUTE, environ={})
    route = loaded.routes[0]

    assert loaded.listen == model.Listen()
    assert loaded.admin == model.Admin()
    assert loaded.diffs == model.DiffStorage()
    assert loaded.judges == model.Judges()
    assert loaded.backends[0] == model.Backend("legacy", ("http://127.0.0.1:9001",))
    assert (loaded.store, loaded.notify, loaded.version) == ("sqlite:var/strangler.db", (), 1)
    assert route.rollout == model.Rollout(salt="a", force_header="X-Strangler-Force")
    assert (route.legacy, route.modern) == (model.SidePolicy("legacy"), model.SidePolicy("modern"))
    assert (route.fallback, route.shadow, route.guard) == (model.Fallback(), model.ShadowPolicy(), model.GuardPolicy())
    assert (route.compare, route.invariants) == ({}, ())


def test_an_empty_section_means_what_an_absent_one_means() -> None:
    bare = rules.load(BACKENDS + ROUTE, environ={})
    empty = "    rollout: {}\n    shadow: {}\n    guard: {worse_than_legacy: {}}\n    modern: {}\n    compare: {}\n"

    assert rules.load(BACKENDS + "listen: {limits: {}}\n" + ROUTE + empty, environ={}).digest == bare.digest


def test_every_key_of_the_sample_arrives() -> None:
    loaded = rules.load(SAMPLE, environ={})
    route = loaded.routes[0]

    assert loaded.listen.tls == model.ListenTls("cert.pem", "key.pem")
    assert loaded.backends[1].health == model.Health("/health", host="api.internal", headers=(("X-Probe", "1"),))
    assert loaded.backends[1].tls == model.BackendTls("ca.pem", verify=True, server_name="api.internal")
    assert loaded.diffs.redact == ("/user/email",)
    assert loaded.identity == ("header:X-User-Id", "cookie:uid", "jwt:sub", "laravel:session", "sticky")
    assert route.match == model.Match(
        "/api/me", ("GET",), "api.example.com", (("X-Api-Version", "2"),), (("r", "catalog/view"),)
    )
    assert route.rollout == model.Rollout(
        10.0, "user", "account", "account", "sha256", ("42",), ("7", "8"), "X-Strangler-Force"
    )
    assert route.modern == model.SidePolicy(
        backend="modern",
        path="/api/v1/profile/me",
        query=model.QueryEdit((("p", "page"),), (("v", "2"),), ("debug",)),
        headers=model.HeaderEdit((("X-From", "gateway"),), ("X-Old",)),
        body=model.BodyEdit("form_to_json", (("username", "email"),)),
        response_json="{access_token: access_token, token_type: 'Bearer'}",
        status=((201, 200),),
        rewrite_location=True,
        cookies=model.CookieEdit("/", "example.com"),
    )
    assert route.shadow.sample == 1.0
    assert route.shadow.deny == ("~(logout|verify|callback)",)
    assert route.invariants[0] == model.Invariant(
        "credit_loss", "legacy:/balance - modern:/balance <= 0", "rollback", None
    )
    assert route.invariants[1].unit == "cents"
    assert route.guard == model.GuardPolicy()
    assert loaded.notify == (
        model.Notify("HOOK_URL", "HOOK_SECRET", "json", ("rollback", "advance", "invariant", "config_refused")),
    )


@pytest.mark.parametrize(
    ("written", "processors", "count", "share"),
    [
        ("{}", 2, 1, 0.0),
        ("{cpu: 50%, processes: auto}", 1, 1, 0.5),
        ("{cpu: 50%}", 16, 8, 0.0),
        ("{cpu: 10%}", 4, 1, 0.4),
        ("{cpu: 60%}", 4, 3, 0.8),
        ("{cpu: 50%, processes: 4}", 2, 4, 0.25),
        ("{cpu: 0}", 4, 4, 0.0),
    ],
)
def test_judges_share_what_comparing_may_take(written: str, processors: int, count: int, share: float) -> None:
    judges = rules.load(f"{BACKENDS}judges: {written}\n{ROUTE}", environ={}).judges

    assert judges.count(processors) == count
    assert judges.share(processors) == pytest.approx(share)


@pytest.mark.parametrize("written", ["{processes: 0}", "{cpu: 120%}", "{cpu: many}", "{cores: 2}"])
def test_a_share_that_makes_no_sense_is_refused_where_it_stands(written: str) -> None:
    with pytest.raises(rules.ConfigError) as refused:
        rules.load(f"{BACKENDS}judges: {written}\n{ROUTE}", environ={})

    assert [problem.line for problem in refused.value.problems] == [BACKENDS.count("\n") + 1]


def test_compare_arrives_as_it_was_written() -> None:
    compare = rules.load(SAMPLE, environ={}).routes[0].compare

    assert compare["preset"] == {"name": "php", "except": ["own_host"]}
    assert compare["ignore"][2]["until"] == "2027-01-31"
    assert compare["tolerance"][0]["relative"] == 1e-6
    assert json.loads(json.dumps(dict(compare)))["status"] == [[200, 201]]


def test_steps_keep_what_they_ask_for() -> None:
    steps = "    rollout: {steps: [{weight: 1, for: 10m, min_requests: 200}, {weight: 50, for: 1h, approve: manual}]}\n"

    loaded = rules.load(BACKENDS + ROUTE + steps, environ={})

    assert loaded.routes[0].rollout.steps == (model.Step(1.0, 600.0, 200), model.Step(50.0, 3600.0, 0, manual=True))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("match: {path: /a}", "match: {path: /b}"),
        ("name: a", "name: b"),
        ("match: {path: /a}", "match: {path: /a}\n    rollout: {weight: 1}"),
        ("9001", "9002"),
        ("identity: [cookie:uid]", "identity: [cookie:uid, sticky]"),
    ],
)
def test_the_digest_changes_with_what_the_file_means(before: str, after: str) -> None:
    text = BACKENDS + ROUTE

    assert rules.load(text, environ={}).digest != rules.load(text.replace(before, after, 1), environ={}).digest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("routes:", "# a comment\n\nroutes:"),
        ("match: {path: /a}", "match: {path: /a}\n    rollout: {weight: 0}"),
        ("match: {path: /a}", "match: {path: /a}\n    guard: {window: 1m}"),
        ("match: {path: /a}", "match:\n      path: '/a'"),
        ("http://127.0.0.1:9001", "${LEGACY}"),
    ],
)
def test_the_digest_stays_when_only_the_writing_changes(before: str, after: str) -> None:
    text, environ = BACKENDS + ROUTE, {"LEGACY": "http://127.0.0.1:9001"}

    changed = rules.load(text.replace(before, after, 1), "other.yaml", environ=environ)

    assert rules.load(text, environ=environ).digest == changed.digest
    assert len(changed.digest) == 12


def test_the_words_can_be_told_as_plain_values() -> None:
    plain = dataclasses.asdict(rules.load(SAMPLE, environ={}))

    assert plain["routes"][0]["compare"]["noise"] == "learn"


def test_a_webhook_may_be_one_of_slack_and_hear_of_every_event_there_is() -> None:
    text = SAMPLE.split("notify:")[0] + "notify:\n  - {url_env: HOOK_URL, format: slack, events: [drill, step_back]}\n"

    loaded = rules.load(text, environ={})

    assert loaded.notify == (model.Notify("HOOK_URL", None, "slack", ("drill", "step_back")),)
