"""No order of reads, responses and loop turns loses or mixes anything (requirements 1, 10, 15)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.interleaving import interleaving_law

pytestmark = pytest.mark.uvloop


@settings(max_examples=400)
@given(st.integers(0, 1 << 60), st.integers(1, 8))
async def test_requests_sent_ahead_are_answered_in_order_whatever_comes_between(seed: int, requests: int) -> None:
    await interleaving_law(seed, requests)
