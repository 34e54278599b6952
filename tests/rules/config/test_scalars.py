from __future__ import annotations

from typing import Any

import pytest

from rules.config.yaml_document import read

ENVIRON = {"HOST": "10.0.0.9", "WEIGHT": "10", "FLAG": "true", "EMPTY": "", "COSTLY": "$5 ${HOST}"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${HOST}", "10.0.0.9"),
        ("http://${HOST}:80", "http://10.0.0.9:80"),
        ("${WEIGHT}", 10),
        ('"${WEIGHT}"', "10"),
        ("'${WEIGHT}'", "10"),
        ("${WEIGHT}${WEIGHT}", 1010),
        ("${FLAG}", True),
        ('"${EMPTY}"', ""),
        ("${COSTLY}", "$5 ${HOST}"),
        ("$$", "$"),
        ("$${HOST}", "${HOST}"),
        ("$5", "$5"),
        ("~^/a$", "~^/a$"),
        ("a$$b", "a$b"),
    ],
)
def test_a_variable_is_put_in_as_if_it_had_been_written(written: str, value: Any) -> None:
    found = read(f"a: {written}", "f", ENVIRON)

    assert found.problems == []
    assert found.data == {"a": value}


def test_a_value_knows_the_variables_it_came_from() -> None:
    found = read('a: "${HOST}:${WEIGHT}"\nb: $$\n', "f", ENVIRON)

    assert found.variables(("a",)) == ("HOST", "WEIGHT")
    assert not found.from_environment(("b",))


@pytest.mark.parametrize("written", ["${MISSING}", '"${MISSING}"', "${bad-name}", "${", "${}"])
def test_a_variable_that_cannot_be_put_in_is_reported(written: str) -> None:
    assert len(read(f"a: '{written}'" if '"' not in written else f"a: {written}", "f", {}).problems) == 1


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "http://user:hunter2@host",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        "base64:" + "A" * 43 + "=",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a" * 36,
    ],
)
def test_a_secret_in_the_text_is_refused(secret: str) -> None:
    (problem,) = read(f'a: "{secret}"', "f", {}).problems

    assert "does not belong in the file" in problem.message
    assert secret not in str(problem)


def test_a_secret_from_the_environment_is_none_of_the_files() -> None:
    assert read('a: "${URL}"', "f", {"URL": "http://user:hunter2@host"}).problems == []


@pytest.mark.parametrize("text", ["http://127.0.0.1:9001", "header:X-User", "redis://h:6379/0", "12:30", "a@b.c:d@e"])
def test_plain_text_is_no_secret(text: str) -> None:
    assert read(f'a: "{text}"', "f", {}).problems == []
