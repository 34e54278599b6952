"""The quick check of a pair never claims more than the careful one."""

from __future__ import annotations

from itertools import product

import pytest

from proxy.worker.shadow.outcome import (
    NEITHER,
    PLAINLY_EQUAL,
    SideResult,
    are_alike,
    compared_fields,
    effect_of,
    failures,
    settle,
)
from proxy.worker.shadow.response_copy import Budget, ResponseCopy
from rules.model import LEGACY, MODERN

STATUSES = (200, 201, 202, 204, 206, 301, 302, 304, 401, 403, 404, 419, 422, 500, 503)
COMPARED = compared_fields(())


def recorded(status: int, *lines: str, body: bytes = b"same") -> ResponseCopy:
    recorder = ResponseCopy(0, Budget())
    recorder.began(status, list(lines), body)
    return recorder


def given_up() -> ResponseCopy:
    recorder = recorded(200)
    recorder.lose("body_cap")
    return recorder


@pytest.mark.parametrize(
    ("live_side", "stripped", "raced"), list(product((LEGACY, MODERN), (False, True), (False, True)))
)
def test_what_is_plainly_equal_would_be_found_equal_with_all_that_follows_from_it(
    live_side: str, stripped: bool, raced: bool
):
    copy_side = MODERN if live_side == LEGACY else LEGACY
    plain = 0
    for one, two in product(STATUSES, STATUSES):
        live = SideResult(live_side, recorded(one, "Date: 1"), "", 0.1)
        copy = SideResult(copy_side, recorded(two, "Date: 2"), "", 0.1)
        if not are_alike(live.answer, copy.answer, COMPARED):
            continue
        plain += 1

        careful = settle(live, copy, COMPARED, stripped=stripped, raced=raced, always=False)

        assert careful == PLAINLY_EQUAL
        assert failures(live, copy, 5.0) == NEITHER
        assert effect_of(live.answer, "session=1") == effect_of(copy.answer, "session=1") == ""
    assert plain == 1


@pytest.mark.parametrize(
    ("live", "copy"),
    [
        (recorded(200, "Location: /a"), recorded(200, "Location: /b")),
        (given_up(), given_up()),
    ],
    ids=["field", "copies that were given up"],
)
def test_anything_else_is_looked_at_with_care(live: ResponseCopy, copy: ResponseCopy):
    assert not are_alike(live, copy, COMPARED)
