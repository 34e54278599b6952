"""Every message that once broke a law is checked against all laws again (requirement 20)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.laws import answer_law, chunked_law, request_law

pytestmark = pytest.mark.uvloop
FOLDER = Path(__file__).parent.parent / "data" / "http1-regressions"
LAWS = {
    "request": request_law,
    "answer": answer_law,
    "head-answer": lambda data, places: answer_law(data, places, "HEAD"),
    "chunked": chunked_law,
}


FOUND = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.*"))}


@pytest.mark.parametrize("name", FOUND)
async def test_what_was_found_once_stays_mended(name: str) -> None:
    data = FOUND[name]
    law = LAWS[name.rpartition(".")[2]]

    law(data, [])
    law(data, range(len(data)))
    for place in range(1, len(data)):
        law(data, [place])


def test_there_is_something_to_replay() -> None:
    assert {name.rpartition(".")[2] for name in FOUND} >= {"request", "answer", "chunked"}
