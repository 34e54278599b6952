"""Who the user is, over real connections: believed only where it is proven, the same for every worker."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.journeys.stage import Visits, Workshop
from tests.journeys.tokens import (
    claims,
    hmac_token,
    laravel_bare,
    laravel_cookie,
    rsa_token,
    unsigned_token,
)
from tests.journeys.visiting import Visitor, point
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.running import Running, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

JWT_KEY = "a shared key of forty-odd characters, at least"
APP_KEY, OLD_KEY, FOREIGN_KEY = os.urandom(32), os.urandom(32), os.urandom(32)
STICKY_KEY = "the same for every worker and instance"
ALL = '["header:X-User-Id", "cookie:uid", "jwt:sub", "laravel:session", "sticky"]'

CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0", workers: 2, trusted_proxies: [127.0.0.1/32]}}
admin: {{address: "127.0.0.1:0"}}
store: {store}
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
identity: {identity}
routes:
  - {{name: moved, match: {{path: /moved}}, rollout: {{weight: 100}}}}
  - {{name: half, match: {{path: /half}}, rollout: {{weight: 50}}}}
  - {{name: waiting, match: {{path: /waiting}}}}
  - {{name: drawn, match: {{path: /drawn}}, rollout: {{weight: 50, by: request}}}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def backends() -> AsyncIterator[tuple[str, str]]:
    made = [Backend(always(ok(name, f"Set-Cookie: {name.decode()}=1; Path=/"))) for name in (b"legacy", b"modern")]
    for backend in made:
        await backend.start()
    yield made[0].url, made[1].url
    for backend in made:
        await backend.stop()


def _config(backends: tuple[str, str], identity: str = ALL, store: str = "memory") -> str:
    return CONFIG.format(legacy=backends[0], modern=backends[1], identity=identity, store=store)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyed(backends: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """Two workers that have every key."""
    keys = {
        "STRANGLER_JWT_KEY": JWT_KEY,
        "APP_KEY": "base64:" + base64.b64encode(APP_KEY).decode(),
        "APP_PREVIOUS_KEYS": ",".join("base64:" + base64.b64encode(key).decode() for key in (os.urandom(32), OLD_KEY)),
        "STRANGLER_STICKY_KEY": STICKY_KEY,
    }
    async with Workshop(tmp_path_factory.mktemp("keyed"), _config(backends), **keys) as proxy:
        yield proxy


async def _known(visitor: Visitor, *lines: str) -> bool:
    """Whether the proxy knows who this is: then everybody is moved, else nobody."""
    return (await visitor.get("/moved", *lines)).body == b"modern"


async def _bucket(visitor: Visitor, *lines: str) -> str | None:
    return (await visitor.get("/half", "X-Strangler-Debug: 1", *lines)).field("x-strangler-bucket")


def _at(user: object) -> str:
    return f"{point('half', user):.6f}"


# ── a header, a cookie ──


async def test_a_header_counts_from_a_trusted_peer_only(keyed: Workshop, backends: tuple[str, str], visit: Visits):
    await keyed.adopt(_config(backends, '["header:X-User-Id"]'))
    trusted, stranger = visit(keyed), visit(keyed, source=("127.0.0.9", 0))

    assert await _known(trusted, "X-User-Id: 77")
    assert await _bucket(trusted, "X-User-Id: 77") == _at(77)
    assert not await _known(trusted)
    assert not await _known(stranger, "X-User-Id: 77")


@pytest.mark.parametrize(
    ("cookie", "user"),
    [
        ("uid=77", "77"),
        ("a=b; uid=77; c=d", "77"),
        ('uid="77"', "77"),
        ("uid=77; uid=78", "77"),
        ("uid=", None),
        ("xuid=77", None),
        ("uid2=77", None),
    ],
)
async def test_a_cookie_is_read_as_browsers_write_it(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, cookie: str, user: str | None
):
    await keyed.adopt(_config(backends, '["cookie:uid"]'))
    visitor = visit(keyed)

    assert await _known(visitor, f"Cookie: {cookie}") is (user is not None)
    assert await _bucket(visitor, f"Cookie: {cookie}") == (None if user is None else _at(user))


async def test_the_value_alone_is_hashed_wherever_it_came_from_and_the_first_source_wins(
    keyed: Workshop, backends: tuple[str, str], visit: Visits
):
    await keyed.adopt(_config(backends))
    header, cookie = "X-User-Id: 77", "Cookie: uid=77"
    token = f"Authorization: Bearer {hmac_token(claims('77'), JWT_KEY)}"
    session = f"Cookie: session={laravel_cookie('session', '77', APP_KEY)}"

    alone = [await _bucket(visit(keyed), line) for line in (header, cookie, token, session)]
    mixed = await _bucket(visit(keyed), "X-User-Id: 78", cookie, token)
    second = await _bucket(visit(keyed), "Cookie: uid=79", token)

    assert alone == [_at("77")] * 4
    assert (mixed, second) == (_at("78"), _at("79"))


# ── tokens ──


def _flipped(token: str) -> str:
    """The same claims for somebody else, with the signature that was good for the first."""
    head, body, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["sub"] = "78"
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


GOOD_TOKENS = {
    "text": (lambda: hmac_token(claims("77"), JWT_KEY), "77"),
    "a-number": (lambda: hmac_token(claims(77), JWT_KEY), "77"),
    "with-an-audience": (lambda: hmac_token(claims("77", aud="shop", iss="legacy"), JWT_KEY), "77"),
    "without-an-end": (lambda: hmac_token({"sub": "77"}, JWT_KEY), "77"),
    "not-ascii": (lambda: hmac_token(claims("jürgen"), JWT_KEY), "jürgen"),
}
BAD_TOKENS = {
    "expired": lambda: hmac_token(claims(life=-5), JWT_KEY),
    "not-yet": lambda: hmac_token(claims(nbf=4_102_444_800), JWT_KEY),
    "other-key": lambda: hmac_token(claims(), "another key of forty-odd characters, at least"),
    "forged-claims": lambda: _flipped(hmac_token(claims(), JWT_KEY)),
    "alg-none": lambda: unsigned_token(claims()),
    "alg-None": lambda: unsigned_token(claims(), "None"),
    "no-signature": lambda: unsigned_token(claims(), "HS256"),
    "another-algorithm": lambda: hmac_token(claims(), JWT_KEY, "HS512"),
    "rs256": lambda: rsa_token(claims(), RSA_KEY),
    "cut": lambda: hmac_token(claims(), JWT_KEY)[:-4],
    "no-subject": lambda: hmac_token({"exp": 4_102_444_800}, JWT_KEY),
    "empty-subject": lambda: hmac_token(claims(""), JWT_KEY),
    "yes-as-subject": lambda: hmac_token(claims(True), JWT_KEY),
    "list-as-subject": lambda: hmac_token(claims(["77"]), JWT_KEY),
    "no-token": lambda: "77",
    "empty": lambda: "",
}
RSA_KEY = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("kind", GOOD_TOKENS)
async def test_a_verified_token_tells_who_the_user_is(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(_config(backends, '["jwt:sub"]'))
    make, user = GOOD_TOKENS[kind]
    line = f"Authorization: Bearer {make()}"

    assert await _known(visit(keyed), line)
    assert await _bucket(visit(keyed), line) == _at(user)
    assert await _known(visit(keyed), line.replace("Bearer", "bearer"))


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_token_that_is_not_proven_is_nobody_and_stays_on_legacy(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(_config(backends, '["jwt:sub"]'))
    token = BAD_TOKENS[kind]()

    answers = [await visit(keyed).get("/moved", f"Authorization: Bearer {token}") for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"legacy")] * 2


async def test_a_token_elsewhere_than_in_the_bearer_field_is_none(
    keyed: Workshop, backends: tuple[str, str], visit: Visits
):
    await keyed.adopt(_config(backends, '["jwt:sub"]'))
    token = hmac_token(claims(), JWT_KEY)

    assert not await _known(visit(keyed), f"Authorization: Basic {token}")
    assert not await _known(visit(keyed), f"Cookie: token={token}; Authorization={token}")
    assert not await _known(visit(keyed), f"X-Authorization: Bearer {token}")


async def test_with_a_pem_key_only_rs256_of_that_key_counts(backends: tuple[str, str], visit: Visits, tmp_path: Path):
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    other = rsa.generate_private_key(65537, 2048)
    text = _config(backends, '["jwt:sub"]').replace("workers: 2", "workers: 1")

    async with running(tmp_path, text, STRANGLER_JWT_KEY_FILE="key.pem") as proxy:
        good = f"Authorization: Bearer {rsa_token(claims('77'), RSA_KEY)}"
        bad = {
            "other key": rsa_token(claims(), other),
            "expired": rsa_token(claims(life=-5), RSA_KEY),
            # the public key is public: whoever may sign with it as a shared one may be anybody
            "confused": hmac_token(claims(), pem),
            "confused, stripped": hmac_token(claims(), pem.strip()),
            "unsigned": unsigned_token(claims()),
            "forged": _flipped(rsa_token(claims(), RSA_KEY)),
        }
        known = await _known(visit(proxy), good), await _bucket(visit(proxy), good)
        believed = [kind for kind, token in bad.items() if await _known(visit(proxy), f"Authorization: Bearer {token}")]

    assert known == (True, _at("77"))
    assert believed == []


# ── Laravel ──


def _broken(part: str) -> str:
    """A good cookie with one part changed."""
    fields = json.loads(base64.b64decode(unquote(laravel_cookie("session", "77", APP_KEY))))
    fields[part] = base64.b64encode(os.urandom(48)).decode() if part == "value" else os.urandom(32).hex()
    return quote(base64.b64encode(json.dumps(fields).encode()), safe="")


def _short_tag() -> str:
    fields = json.loads(base64.b64decode(unquote(laravel_cookie("session", "77", APP_KEY, "gcm"))))
    fields["tag"] = base64.b64encode(base64.b64decode(fields["tag"])[:4]).decode()
    return quote(base64.b64encode(json.dumps(fields).encode()), safe="")


GOOD_COOKIES = {
    "cbc": lambda: laravel_cookie("session", "77", APP_KEY),
    "gcm": lambda: laravel_cookie("session", "77", APP_KEY, "gcm"),
    "cbc-previous-key": lambda: laravel_cookie("session", "77", OLD_KEY),
    "gcm-previous-key": lambda: laravel_cookie("session", "77", OLD_KEY, "gcm"),
    "not-percent-encoded": lambda: unquote(laravel_cookie("session", "77", APP_KEY)),
}
BAD_COOKIES = {
    "foreign-key": lambda: laravel_cookie("session", "77", FOREIGN_KEY),
    "foreign-key-gcm": lambda: laravel_cookie("session", "77", FOREIGN_KEY, "gcm"),
    "another-cookies-value": lambda: laravel_cookie("session", "77", APP_KEY, prefix="XSRF-TOKEN"),
    "without-a-mark": lambda: laravel_bare("77", APP_KEY),
    "changed-value": lambda: _broken("value"),
    "changed-mac": lambda: _broken("mac"),
    "short-tag": _short_tag,
    "in-clear": lambda: "77",
    "no-base64": lambda: "%%%",
    "no-object": lambda: base64.b64encode(b"[1, 2]").decode(),
    "empty": lambda: "",
}


@pytest.mark.parametrize("kind", GOOD_COOKIES)
async def test_a_laravel_session_tells_who_the_user_is_though_its_bytes_differ_each_time(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(_config(backends, '["laravel:session"]'))
    visitor = visit(keyed)

    buckets = [await _bucket(visitor, f"Cookie: a=b; session={GOOD_COOKIES[kind]()}") for _ in range(3)]

    assert buckets == [_at("77")] * 3
    assert await _known(visitor, f"Cookie: session={GOOD_COOKIES[kind]()}")


@pytest.mark.parametrize("kind", BAD_COOKIES)
async def test_a_cookie_that_laravel_did_not_make_for_this_name_is_nobody(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(_config(backends, '["laravel:session"]'))

    answer = await visit(keyed).get("/moved", f"Cookie: session={BAD_COOKIES[kind]()}")

    assert (answer.status, answer.body) == (200, b"legacy")


# ── the proxy's own cookie ──

STICKY = re.compile(r"strangler_id=([^;]+)(.*)")


def _given(answer: Message) -> tuple[str, set[str]] | None:
    """The id that an answer sets, with its attributes; at most one."""
    found = [match for value in answer.all("set-cookie") if (match := STICKY.fullmatch(value))]
    assert len(found) <= 1
    return (found[0][1], {part.strip() for part in found[0][2].split(";") if part.strip()}) if found else None


@pytest_asyncio.fixture(loop_scope="session")
async def sticky(keyed: Workshop, backends: tuple[str, str]) -> Workshop:
    await keyed.adopt(_config(backends, '["cookie:uid", "sticky"]'))
    return keyed


async def test_a_new_visitor_is_decided_at_once_and_keeps_the_side_by_a_cookie_that_is_set_once(
    sticky: Workshop, visit: Visits
):
    for _ in range(12):
        visitor = visit(sticky)

        first = await visitor.get("/half", "X-Strangler-Debug: 1")
        others = [await visitor.get("/half", "X-Strangler-Debug: 1") for _ in range(3)]

        given = _given(first)
        assert given is not None
        assert {attribute.partition("=")[0] for attribute in given[1]} == {"Path", "Max-Age", "HttpOnly", "SameSite"}
        assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= given[1]
        assert [_given(answer) for answer in others] == [None] * 3
        assert {answer.body for answer in others} == {first.body}
        assert {answer.field("x-strangler-bucket") for answer in others} == {first.field("x-strangler-bucket")}
        assert first.body == (b"modern" if float(first.field("x-strangler-bucket") or 1) < 0.5 else b"legacy")
        # what the application sets itself is still there
        assert f"{first.body.decode()}=1; Path=/" in first.all("set-cookie")


async def test_new_visitors_are_spread_by_the_weight(sticky: Workshop, visit: Visits):
    answers = [await visit(sticky).get("/half") for _ in range(60)]

    ids = {given[0] for answer in answers if (given := _given(answer))}
    modern = sum(answer.body == b"modern" for answer in answers)
    assert len(ids) == 60
    assert 10 <= modern <= 50  # outside: once in ten million


@pytest.mark.parametrize(
    ("source", "proto", "secure"),
    [("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("127.0.0.9", "https", False)],
    ids=["https-at-the-edge", "http-at-the-edge", "claimed-by-a-stranger"],
)
async def test_the_cookie_is_secure_as_the_request_was(
    sticky: Workshop, visit: Visits, source: str, proto: str, secure: bool
):
    answer = await visit(sticky, source=(source, 0)).get("/moved", f"X-Forwarded-Proto: {proto}")

    given = _given(answer)
    assert given is not None
    assert ("Secure" in given[1]) is secure


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/moved", "Cookie: uid=77"),
        ("/waiting", "X-Nothing: here"),
        ("/nowhere", "X-Nothing: here"),
        ("/drawn", "A: b"),
    ],
    ids=["known-otherwise", "weight-0", "no-route", "drawn-for-each-request"],
)
async def test_no_cookie_is_set_where_nothing_depends_on_it(sticky: Workshop, visit: Visits, target: str, line: str):
    answer = await visit(sticky).get(target, line)

    assert answer.status == 200
    assert _given(answer) is None


@pytest.mark.parametrize("kind", ["another-id", "another-signature", "no-signature", "nonsense", "empty", "quoted"])
async def test_a_forged_cookie_is_replaced_by_a_new_one(sticky: Workshop, visit: Visits, kind: str):
    """Nobody chooses a bucket."""
    visitor = visit(sticky)
    given = _given(await visitor.get("/half"))
    assert given is not None
    user, _, signature = given[0].partition(".")
    forged = {
        "another-id": f"{'0' * 32}.{signature}",
        "another-signature": f"{user}.{'0' * len(signature)}",
        "no-signature": user,
        "nonsense": "77",
        "empty": "",
        "quoted": f'"{"0" * 32}.{signature}"',
    }[kind]

    answer = await visit(sticky).get("/half", f"Cookie: strangler_id={forged}", "X-Strangler-Debug: 1")

    anew = _given(answer)
    assert anew is not None
    assert anew[0] not in (given[0], forged)
    assert answer.field("x-strangler-bucket") not in (_at(forged), _at("0" * 32), _at(user))


async def test_every_worker_knows_a_cookie_of_any_other(sticky: Workshop, visit: Visits):
    given = _given(await visit(sticky).get("/half"))
    assert given is not None
    line = f"Cookie: strangler_id={given[0]}"

    answers = await asyncio.gather(*(visit(sticky).get("/half", line, "X-Strangler-Debug: 1") for _ in range(40)))

    assert len(sticky.pids("worker")) == 2
    assert {_given(answer) for answer in answers} == {None}
    assert len({answer.field("x-strangler-bucket") for answer in answers}) == 1


async def test_without_a_key_of_the_operators_one_is_made_for_all_workers_and_survives_a_restart(
    backends: tuple[str, str], visit: Visits, tmp_path: Path
):
    text = _config(backends, '["sticky"]', f'"sqlite:{tmp_path}/strangler.db"')
    seen: list[list[Message]] = []

    async def visit_often(proxy: Running, line: str) -> None:
        asked = (visit(proxy).get("/half", line, "X-Strangler-Debug: 1") for _ in range(30))
        seen.append(await asyncio.gather(*asked))

    async with running(tmp_path, text) as proxy:
        given = _given(await visit(proxy).get("/half"))
        assert given is not None
        await visit_often(proxy, f"Cookie: strangler_id={given[0]}")
    async with running(tmp_path, text) as proxy:
        await visit_often(proxy, f"Cookie: strangler_id={given[0]}")

    assert {_given(answer) for answers in seen for answer in answers} == {None}
    assert len({answer.field("x-strangler-bucket") for answers in seen for answer in answers}) == 1


async def test_an_identity_without_its_key_knows_nobody_and_says_so(
    backends: tuple[str, str], visit: Visits, tmp_path: Path
):
    text = _config(backends, '["jwt:sub", "laravel:session"]').replace("workers: 2", "workers: 1")
    async with running(tmp_path, text) as proxy:
        token = await _known(visit(proxy), f"Authorization: Bearer {hmac_token(claims(), '')}")
        session = await _known(visit(proxy), f"Cookie: session={laravel_cookie('session', '77', b'0' * 32)}")
        warned = "\n".join(proxy.errors)

    assert not token
    assert not session
    assert "STRANGLER_JWT_KEY" in warned
    assert "APP_KEY is not set" in warned
