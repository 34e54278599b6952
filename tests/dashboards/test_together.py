"""An operator sees whose traffic a route is judged by, which is left out and why."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.pages.route import judged_by

ALONE = "Judged by this instance's own traffic"


@pytest.mark.parametrize(
    ("heard", "others", "left_out", "said"),
    [
        (True, ["bob", "cem"], {}, f"{ALONE}, and together with that of bob, cem."),
        (True, [], {}, f"{ALONE}."),
        (True, ["bob"], {"dee": "late"}, f"{ALONE}, and together with that of bob. Left out: dee (late)."),
        (True, [], {"dee": "late", "cem": "other rules"}, f"{ALONE}. Left out: cem (other rules); dee (late)."),
        (False, [], {"dee": "late"}, f"{ALONE} alone: the others' figures do not arrive."),
    ],
)
def test_it_is_said_who_is_judged_together(heard: bool, others: list[str], left_out: dict[str, str], said: str):
    found: dict[str, Any] = {"heard": heard, "with": others, "left_out": left_out}

    assert judged_by(found) == said


def test_one_instance_alone_has_nothing_to_say():
    assert judged_by(None) is None
