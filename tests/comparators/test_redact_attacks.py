"""What slipped through redaction into the store: names, forms, encodings, personal data."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.model import Capture, Finding
from comparators.personal_data import is_account
from comparators.redaction import Redactor
from tests.comparators.bodies import answer

MARK = re.compile(r"<redacted:[0-9a-f]{8}>")
SECRET = "hunter2x"
MAIL, IBAN = "joe.doe+x@mail.a-example.com", "NL91ABNA0417164300"


def shown(text: bytes | str, media: str = "", **options: bool) -> bytes:
    return Redactor(b"key", **options).capture(answer(text, media)).body


NAMES = [
    "PHPSESSID", "sid", "connect.sid", "auth_key", "authKey", "pass", "user_pass", "userPass", "activation_key",
    "user_activation_key", "verification_code", "verificationCode", "app_key", "APP_KEY", "dsn", "database_dsn", "sig",
    "laravel_session", "ci_session", "remember_me", "magic_link", "magicLink", "recovery_codes", "backupCodes",
    "recoveryCode", "JSESSIONID", "x-auth", "signing_key", "encryption_key", "passcode",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_secrets_name_is_known_in_every_form_of_text(name: str) -> None:
    forms = (
        json.dumps({name: SECRET}),
        json.dumps({name: [SECRET, SECRET]}),
        f"{name}={SECRET}&x=1",
        f"<input name='{name}' value='{SECRET}'>",
        f"[{name}] => {SECRET}\n",
        f'a:1:{{s:{len(name)}:"{name}";s:{len(SECRET)}:"{SECRET}";}}',
    )

    assert [form for form in forms if SECRET.encode() in shown(form)] == []


@pytest.mark.parametrize(
    "name", ["X-Auth", "X-Session", "Authentication", "X-Forwarded-Client-Cert", "X-Amz-Security-Token", "X-Sig"]
)
def test_a_field_that_carries_a_secret_is_masked(name: str) -> None:
    (field,) = Redactor(b"key").capture(Capture("GET", "/", 200, ((name, f"By=x {SECRET}"),))).headers

    assert SECRET not in field[1]


@pytest.mark.parametrize(
    "name", ["passenger", "compass", "session_count", "signed", "sidebar", "boarding_pass", "state"]
)
def test_words_around_a_secrets_are_none(name: str) -> None:
    assert SECRET.encode() in shown(json.dumps({name: SECRET}))


@pytest.mark.parametrize(
    "text",
    [
        f'a:2:{{s:4:"user";s:3:"joe";s:8:"password";s:10:"{SECRET[:4]}";{SECRET[4:]}";}}',
        f'password|s:8:"{SECRET}";user|s:3:"joe";',
        f's:14:"\x00User\x00password";s:8:"{SECRET}";',
        f'{{"blob":"a:1:{{s:8:\\"password\\";s:8:\\"{SECRET}\\";}}"}}',
        f's:5:"token";a:1:{{i:0;s:8:"{SECRET}";}}',
        f'{{"name":"password","value":"{SECRET}"}}',
        f'{{"fields":[{{"value":"{SECRET}","name":"user_pass"}}]}}',
        f'{{"key":"api_key","content":["{SECRET}"]}}',
        f"<script>var f = [{{name: 'password', value: '{SECRET}'}}]</script>",
        f"<script>var f = [{{value: '{SECRET}', name: 'password'}}]</script>",
        f'<input type=password value="{SECRET}">',
        f"<input value='{SECRET}' id=p type='password'>",
        f"<user><password><![CDATA[{SECRET}<b>]]></password></user>",
        f"<password>\n  <![CDATA[{SECRET}]]>\n</password>",
    ],
)
def test_a_form_that_hid_a_secret_does_not_any_more(text: str) -> None:
    for media in ("application/json", "text/html", "text/xml", ""):
        found = shown(text, media)

        assert SECRET.encode() not in found
        assert SECRET[4:].encode() not in found
        assert shown(found, media) == found


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
def test_json_in_other_encodings_is_looked_through_and_stays_in_its_own(coding: str) -> None:
    found = shown(json.dumps({"password": SECRET, "a": "ü"}, ensure_ascii=False).encode(coding), "application/json")

    told = json.loads(found.decode(coding).removeprefix("\ufeff"))
    assert (MARK.fullmatch(told["password"]) is not None, told["a"]) == (True, "ü")
    assert shown(b"\xff\xfe" + b"\x00\xd8" * 3).startswith(b"<redacted:")


@pytest.mark.parametrize("card", ["4111.1111.1111.1111", "3782.822463.10005", "4111-1111-1111-1111"])
def test_cards_are_masked_whatever_stands_between_the_groups(card: str) -> None:
    assert card.encode() not in shown(f"paid with {card}, thanks")
    assert shown("at 192.168.100.200 and 4111.1111.1111.1112") == b"at 192.168.100.200 and 4111.1111.1111.1112"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f'{{"owner":"{MAIL}"}}', '{"owner":"*"}'),
        (f'{{"by":{{"{MAIL}":1}}}}', '{"by":{"*":1}}'),
        (f"mail to <{MAIL}>, or {MAIL}.", "mail to <*>, or *."),
        ("?q=joe%40a.example&r=name%3Djoe%40a.example", "?q=*&r=name%3D*"),
        (f"pay to {IBAN} now", "pay to * now"),
        ("pay to NL91 ABNA 0417 1643 00 EUR", "pay to * EUR"),
        ("pay to NL91 ABNA 0417 1643 01", "pay to NL91 ABNA 0417 1643 01"),
        ("see logo@2x.png, pkg@1.2.3, @name, a@b", "see logo@2x.png, pkg@1.2.3, @name, a@b"),
    ],
)
def test_what_names_a_person_is_masked_unless_it_is_to_be_kept(text: str, masked: str) -> None:
    assert MARK.sub("*", shown(text).decode()) == masked
    assert shown(text, personal=False).decode() == text


def test_equal_people_stay_equal_others_apart_in_bodies_targets_and_findings() -> None:
    redactor = Redactor(b"key")
    one = MARK.findall(redactor.text(f"a {MAIL} b"))
    target = MARK.findall(redactor.target(f"/find?q={MAIL}"))
    finding = redactor.finding(Finding(f"/by/{MAIL}", "value", f'"{MAIL}"', '"x@b.example"'))

    assert one == target == MARK.findall(finding.path) == MARK.findall(finding.legacy)
    assert one != MARK.findall(finding.modern)
    assert is_account(IBAN)


@given(st.text(alphabet="ab@.%4 -\"'<>[]{}:;|s=0&NLABNA91\x00", max_size=200))
def test_nothing_makes_it_fail_and_twice_is_once(text: str) -> None:
    redactor = Redactor(b"key")

    once = redactor.text(text)

    assert redactor.text(once) == once


@pytest.mark.parametrize("piece", ["a", "a.", "ab@", "%40a", "NL91 ", 's:1:"p";', "name:'a',", "<a><![CDATA[", "4111."])
def test_time_grows_with_the_length_alone(piece: str) -> None:
    redactor = Redactor(b"key")
    text = piece * (400_000 // len(piece))

    begun = time.process_time()
    redactor.text(text)

    assert time.process_time() - begun < 4
