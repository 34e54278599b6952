"""A judge uses no more of a processor than its share, whatever its pairs cost."""

from __future__ import annotations

import pytest

from proxy.judge.share import LONGEST, Share
from tests.support.clock import Clock


@pytest.mark.parametrize("allowed", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("batch", [0.001, 0.05])
def test_over_time_it_works_for_its_share(allowed: float, batch: float):
    wall, used = Clock(), Clock()
    began, share = used(), Share(used)
    share.allow(allowed)
    share.rest(wall())
    start = wall()

    while wall() - start < 60:
        used.turn(batch)
        wall.turn(batch)
        wall.turn(share.rest(wall()))

    assert (used() - began) / (wall() - start) == pytest.approx(allowed, rel=0.15)


def test_without_a_limit_it_never_rests_and_one_long_pair_is_no_rest_for_ever():
    wall, used = Clock(), Clock()
    share = Share(used)
    share.rest(wall())
    used.turn(100)
    free = share.rest(wall())
    share.allow(0.01)
    used.turn(100)

    assert (free, share.rest(wall())) == (0.0, LONGEST)
