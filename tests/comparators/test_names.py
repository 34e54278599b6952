"""Which names are about secrets, which about money."""

from __future__ import annotations

import pytest

from comparators.sensitive_names import looks_money, looks_secret


@pytest.mark.parametrize(
    "name",
    ["password", "passwordHash", "password_hash", "passwd", "user-password", "api_token", "accessToken", "APIKey",
     "api_key", "client_secret", "remember_token", "hash", "sessionId", "PHPSESSID_token", "otp", "jwt", "privateKey",
     "credentials", "csrf", "cvv", "tokens", "wachtwoord", "motDePasse", "senha", "XSRF-TOKEN", "code_verifier",
     "two_factor_code", "mfaCode", "authcode", "device_code", "seed_phrase", "connectionString", "database_url",
     "login_link", "signedUrl", "master_key", "SAMLResponse", "security_answer", "card_number", "hmac", "bsn"],
)  # fmt: skip
def test_a_secret_is_known_by_its_name(name: str):
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "hashtag",
        "name",
        "author",
        "key",
        "pinned",
        "session_count",
        "saltiness",
        "",
        "factor",
        "url",
        "answer",
        "card",
        "verifier",
        "sender",
        "code",
        "country_code",
    ],
)
def test_other_names_are_no_secrets(name: str):
    assert not looks_secret(name)


@pytest.mark.parametrize("name", ["amount", "grandTotal", "unit_price", "VAT", "due", "dueDate", "tax_rate", "qty"])
def test_money_is_known_by_its_name_wherever_it_stands(name: str):
    assert looks_money(["items", name, "value"])


@pytest.mark.parametrize("name", ["residue", "syntax", "schedule", "feedback", "id", "costume"])
def test_other_names_are_not_about_money(name: str):
    assert not looks_money([name])
