"""The user's identity by a header, a cookie, a token: trusted only where it is proven."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.journeys.identities import APP_KEY, JWT_KEY, at, between, bucket, known
from tests.journeys.stage import Visits, Workshop
from tests.journeys.tokens import claims, hmac_token, laravel_cookie, rsa_token, unsigned_token
from tests.support.running import running

pytestmark = pytest.mark.asyncio(loop_scope="session")


# ── a header, a cookie ──


async def test_a_header_counts_from_a_trusted_peer_only(keyed: Workshop, backends: tuple[str, str], visit: Visits):
    await keyed.adopt(between(backends, '["header:X-User-Id"]'))
    trusted, stranger = visit(keyed), visit(keyed, source=("127.0.0.9", 0))

    assert await known(trusted, "X-User-Id: 77")
    assert await bucket(trusted, "X-User-Id: 77") == at(77)
    assert not await known(trusted)
    assert not await known(stranger, "X-User-Id: 77")


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
    await keyed.adopt(between(backends, '["cookie:uid"]'))
    visitor = visit(keyed)

    assert await known(visitor, f"Cookie: {cookie}") is (user is not None)
    assert await bucket(visitor, f"Cookie: {cookie}") == (None if user is None else at(user))


async def test_the_value_alone_is_hashed_wherever_it_came_from_and_the_first_source_wins(
    keyed: Workshop, backends: tuple[str, str], visit: Visits
):
    await keyed.adopt(between(backends))
    header, cookie = "X-User-Id: 77", "Cookie: uid=77"
    token = f"Authorization: Bearer {hmac_token(claims('77'), JWT_KEY)}"
    session = f"Cookie: session={laravel_cookie('session', '77', APP_KEY)}"

    alone = [await bucket(visit(keyed), line) for line in (header, cookie, token, session)]
    mixed = await bucket(visit(keyed), "X-User-Id: 78", cookie, token)
    second = await bucket(visit(keyed), "Cookie: uid=79", token)

    assert alone == [at("77")] * 4
    assert (mixed, second) == (at("78"), at("79"))


# ── tokens ──


def _flipped(token: str) -> str:
    """The same claims for another user, with the signature that was good for the first."""
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
    await keyed.adopt(between(backends, '["jwt:sub"]'))
    make, user = GOOD_TOKENS[kind]
    line = f"Authorization: Bearer {make()}"

    assert await known(visit(keyed), line)
    assert await bucket(visit(keyed), line) == at(user)
    assert await known(visit(keyed), line.replace("Bearer", "bearer"))


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_token_that_is_not_proven_is_nobody_and_stays_on_legacy(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(between(backends, '["jwt:sub"]'))
    token = BAD_TOKENS[kind]()

    answers = [await visit(keyed).get("/moved", f"Authorization: Bearer {token}") for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"legacy")] * 2


async def test_a_token_elsewhere_than_in_the_bearer_field_is_none(
    keyed: Workshop, backends: tuple[str, str], visit: Visits
):
    await keyed.adopt(between(backends, '["jwt:sub"]'))
    token = hmac_token(claims(), JWT_KEY)

    assert not await known(visit(keyed), f"Authorization: Basic {token}")
    assert not await known(visit(keyed), f"Cookie: token={token}; Authorization={token}")
    assert not await known(visit(keyed), f"X-Authorization: Bearer {token}")


async def test_with_a_pem_key_only_rs256_of_that_key_counts(backends: tuple[str, str], visit: Visits, tmp_path: Path):
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    other = rsa.generate_private_key(65537, 2048)
    text = between(backends, '["jwt:sub"]').replace("workers: 2", "workers: 1")

    async with running(tmp_path, text, STRANGLER_JWT_KEY_FILE="key.pem") as proxy:
        good = f"Authorization: Bearer {rsa_token(claims('77'), RSA_KEY)}"
        bad = {
            "other key": rsa_token(claims(), other),
            "expired": rsa_token(claims(life=-5), RSA_KEY),
            # the public key is public: if it were a valid shared key, any client could sign as any user
            "confused": hmac_token(claims(), pem),
            "confused, stripped": hmac_token(claims(), pem.strip()),
            "unsigned": unsigned_token(claims()),
            "forged": _flipped(rsa_token(claims(), RSA_KEY)),
        }
        proven = await known(visit(proxy), good), await bucket(visit(proxy), good)
        believed = [kind for kind, token in bad.items() if await known(visit(proxy), f"Authorization: Bearer {token}")]

    assert proven == (True, at("77"))
    assert believed == []


async def test_an_identity_without_its_key_knows_nobody_and_says_so(
    backends: tuple[str, str], visit: Visits, tmp_path: Path
):
    text = between(backends, '["jwt:sub", "laravel:session"]').replace("workers: 2", "workers: 1")
    async with running(tmp_path, text) as proxy:
        token = await known(visit(proxy), f"Authorization: Bearer {hmac_token(claims(), '')}")
        session = await known(visit(proxy), f"Cookie: session={laravel_cookie('session', '77', b'0' * 32)}")
        warned = "\n".join(proxy.errors)

    assert not token
    assert not session
    assert "STRANGLER_JWT_KEY" in warned
    assert "APP_KEY is not set" in warned
