"""Reproductions survive a shell, an editor, an interpreter, whatever the request contained."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.control.comparison.reproduce import WRITERS, Address, StoredRequest
from tests.support.backend import Backend, always, ok

ODD = '/a?b=it\'s&c[]=$(id)&d={1}&e="""\\'
QUESTION = StoredRequest(
    "GET",
    (Address("legacy", "http://127.0.0.1:1", ODD), Address("modern", "http://127.0.0.1:2", ODD)),
    "thing: /x\nrm -rf /\r differs",
    ("a note",),
)
PUT = StoredRequest("PUT", QUESTION.sides, QUESTION.sentence, QUESTION.notes)


def words_of(text: str, **environ: str) -> list[list[str]]:
    """The words of each curl, as a shell understands them."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; printf '\\n'; }}\n{text}"
    done = subprocess.run(
        ["/bin/sh", "-euc", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ.get("PATH", os.defpath), **environ},
    )
    return [line.split("\0")[:-1] for line in done.stdout.splitlines()]


def test_a_command_line_survives_a_shell():
    first, second = words_of(WRITERS["curl"](QUESTION), COOKIE="uid=1; a='b'", AUTHORIZATION="")

    assert (first[-1], second[-1]) == (f"http://127.0.0.1:1{ODD}", f"http://127.0.0.1:2{ODD}")
    assert "Cookie: uid=1; a='b'" in first


@pytest.mark.parametrize(
    ("method", "option"),
    [("HEAD", ["-I"]), ("PUT", ["-X", "PUT", "--data-binary", "@body"]), ("DELETE", ["-X", "DELETE"])],
)
def test_a_command_line_has_the_method(method: str, option: list[str]):
    question = StoredRequest(method, QUESTION.sides, "", ())

    words = words_of(WRITERS["curl"](question), COOKIE="", AUTHORIZATION="")

    assert words[0][1 : 1 + len(option)] == option


def test_a_command_line_goes_through_a_socket():
    side = Address("modern", "http://localhost", "/a", "/run/it's here.sock")

    (_, words) = words_of(WRITERS["curl"](StoredRequest("GET", (side, side), "", ())), COOKIE="", AUTHORIZATION="")

    assert words[1:3] == ["--unix-socket", "/run/it's here.sock"]


def test_an_http_file_has_both_requests_with_their_names():
    text = WRITERS["http"](PUT)

    assert text.count("### ") == 2
    assert f"PUT http://127.0.0.1:2{ODD}\n" in text
    assert text.count("< ./body") == 2


@pytest.mark.parametrize("form", WRITERS)
def test_a_stored_answer_cannot_end_a_comment(form: str):
    assert "\nrm" not in WRITERS[form](QUESTION)


@pytest.mark.parametrize("question", [QUESTION, PUT], ids=["GET", "PUT"])
def test_a_test_compiles(question: StoredRequest):
    compile(WRITERS["pytest"](question), "test_again.py", "exec")


# ── the test, run ──


@pytest.fixture
async def sides() -> AsyncIterator[tuple[Backend, Backend]]:
    legacy = Backend(always(ok(b'{"total":"10.50"}', "Content-Type: application/json")))
    modern = Backend(always(ok(b'{"total":10.5}', "Content-Type: application/json")))
    await legacy.start()
    await modern.start()
    yield legacy, modern
    await legacy.stop()
    await modern.stop()


async def judged(sides: tuple[Backend, Backend], status: int = 200, **compare: Any) -> None:
    """Run the written test against these sides."""
    where = tuple(Address(name, side.url, "/a") for name, side in zip(("legacy", "modern"), sides, strict=True))
    question = StoredRequest("GET", (where[0], where[1]), "", (), status, compare)
    names: dict[str, Any] = {}
    exec(compile(WRITERS["pytest"](question), "test_again.py", "exec"), names)
    await asyncio.to_thread(names["test_both_sides_mean_the_same"])


async def test_a_written_test_judges_by_the_routes_own_rules(sides: tuple[Backend, Backend]):
    await judged(sides, preset="php")

    with pytest.raises(AssertionError, match="/total"):
        await judged(sides)


async def test_two_answers_to_a_stranger_prove_nothing(sides: tuple[Backend, Backend]):
    with pytest.raises(AssertionError, match="signed in"):
        await judged(sides, status=401, preset="php")
