"""Secrets that stand beside the words that name them: in forms, tables, parts of a message, pairs."""

from __future__ import annotations

import time

import pytest

from comparators import compare
from comparators.redaction import Redactor
from tests.comparators.answers import policy
from tests.comparators.bodies import answer

SECRET, OTHER = "hunter2x", "swordfish7"
PART = "--b\r\nContent-Disposition: form-data; name="
TABLE = "<table><tr><th>User</th><th>Password</th></tr><tr><td>joe</td><td>joe1</td></tr><tr><td>ann</td>"
FORMS = {
    "a part of a form": f'{PART}"user"\r\n\r\njoe\r\n{PART}"password"\r\n\r\n*\r\n--b--\r\n',
    "a part that is a file": f'{PART}"api_key"; filename="k.txt"\r\nContent-Type: text/plain\r\n\r\n*\r\n--b--',
    "a part with line feeds": f"{PART}user[pin]\n\n*\n--b--".replace("\r", ""),
    "label and content": '{"label":"Password","content":"*"}',
    "label and value with more between": '[{"label":"API key","type":"text","value":"*"}]',
    "title and current": '[{"title":"Your password","current":"*"}]',
    "a script's row": '<script>var f=[{label:"Password",type:"text",value:"*"}]</script>',
    "a row with single quotes": "x = {'name': 'api key', 'hint': 'h', 'default': '*'}",
    "pairs": '[["user","joe"],["password","*"]]',
    "columns of lists": '{"rows":[["id","password"],[1,"joe1"],[2,"*"]]}',
    "pairs of a script": 'var p = [["user","joe"],["password","*"]];',
    "a pair of PHP": "$c = array('password', '*');",
    "a pair of Python": 'log: ("api_key", "*")',
    "a heading and its cell": "<table><tr><th>Password</th><td>*</td></tr></table>",
    "two cells": "<table><tr><td>API key:</td><td><code>*</code></td></tr></table>",
    "a column": f"{TABLE}<td>*</td></tr></table>",
    "a column with more in it": f'{TABLE}<td class="x"><b>*</b></td></tr></table>',
    "a label and its field": '<label>Password</label> <input id="x" value="*">',
    "a field in its label": "<label for=p>API token: <input type=text value=*></label>",
    "a label with a mark": "<label>Secret<span>§</span></label><div><input class='a' value='*'></div>",
    "a label and an area": "<label>Password</label><textarea>*</textarea>",
    "a term that is not closed": "<dl><dt>User<dd>joe<dt>Password<dd>*</dl>",
    "a term and what it means": "<dl><dt>Client secret</dt>\n <dd><span>*</span></dd></dl>",
    "bold words": "<p><strong>Password:</strong> *</p>",
    "words and code": "<p>API key: <code>*</code></p>",
    "two spans": '<span class="l">Password</span><span>*</span>',
    "an entry": "<entry><key>password</key><value>*</value></entry>",
    "a named field": '<f><field name="password">*</field></f>',
    "a list of properties": "<dict><key>apiSecret</key><string>*</string></dict>",
    "a property": '<p><property name="password" value="*"/></p>',
    "a setting": '<s><setting key="api_key">*</setting></s>',
    "a table": "id,user,password\n1,joe,joe1\n2,ann,*\n",
    "a table with semicolons": "id;api key;x\n1;*;3\n",
    "a table with tabs": "user\tpassword\njoe\t*\n",
}  # fmt: skip
TYPES = ("application/json", "text/html", "application/xml", "text/plain", "")


def of(form: str, secret: str) -> str:
    return FORMS[form].replace("*", secret).replace("§", "*")


def types_of(form: str) -> tuple[str, ...]:
    return ("text/csv", "text/plain", "application/octet-stream", "") if form.startswith("a table") else TYPES


@pytest.mark.parametrize("form", FORMS)
def test_what_stands_beside_the_name_of_a_secret_is_masked(form: str):
    for media in types_of(form):
        shown = Redactor(b"k").capture(answer(of(form, SECRET), media)).body

        assert SECRET.encode() not in shown, media
        assert Redactor(b"k").capture(answer(shown, media)).body == shown


@pytest.mark.parametrize("form", FORMS)
def test_a_difference_of_it_shows_neither_value(form: str):
    redactor = Redactor(b"k")
    for media in types_of(form):
        legacy, modern = answer(of(form, SECRET), media), answer(of(form, OTHER), media)
        with redactor.collecting() as secrets:
            redactor.capture(legacy), redactor.capture(modern)

        findings = [
            redactor.finding(each, secrets) for each in compare(legacy, modern, policy({"preset": "php"})).findings
        ]

        assert findings
        assert [each for each in findings if SECRET in each.legacy or OTHER in each.modern] == []
        assert all(each.legacy != each.modern for each in findings)


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><th>Password</th><th>Email</th></tr><tr><td></td><td>joe x</td></tr></table>",
        "<h2>Password</h2><p>Forgot your password?</p>", "<td>Forgot password?</td><td>Help</td>",
        "<ul><li>Password</li><li>Email address</li></ul>", '["password","email","name"]',
        '{"required":["user","password"]}', '<label>Name</label><input value="joe">',
        "<p>Password</p><p>Choose a long one</p>", "Dear Joe, your password was\nchanged.",
        '{"name":"Joe","value":"x"}', '[["user","joe"],["city","Delft"]]', "id,name\n1,joe\n",
    ],
)  # fmt: skip
def test_words_that_name_no_value_mask_nothing(text: str):
    for media in ("application/json", "text/html", "text/plain"):
        assert Redactor(b"k").capture(answer(text, media)).body.decode() == text


def test_a_long_secret_that_is_shown_in_part_is_masked():
    legacy, modern = (f'{{"config":[["private key","{"A1b2" * 100}{end}{"C3d4" * 100}"]]}}' for end in "xy")
    redactor = Redactor(b"k")
    with redactor.collecting() as secrets:
        redactor.capture(answer(legacy)), redactor.capture(answer(modern))

    (finding,) = (
        redactor.finding(each, secrets) for each in compare(answer(legacy), answer(modern), policy()).findings
    )

    assert "A1b2" not in finding.legacy + finding.modern
    assert finding.legacy != finding.modern


PIECES = (
    "<td>Password", "<td>Password</td>", "<tr><th>Password<th>x<tr><td>a", "<p>a: ", "<dt>Password<dd>", '("a",',
    'label:"password",', 'Content-Disposition: form-data; name="password"\n\n', "<a name=password", "<td ",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_looking_for_labels_takes_a_time_that_grows_with_the_length_alone(piece: str):
    begun = time.process_time()
    Redactor(b"k").text(piece * (200_000 // len(piece)))

    assert time.process_time() - begun < 4
