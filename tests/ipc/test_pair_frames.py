"""A pair comes out of its frame unchanged, however the bytes are split."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ipc.codec import WireError
from proxy.ipc.messages import Answer, Pair
from proxy.ipc.pair_frames import PairInbox, pack_pair
from tests.support.pairs import a_pair

LINES = st.text(st.characters(blacklist_characters="\n", blacklist_categories=()), max_size=12)
NAMES = st.text("abcX-é", min_size=1, max_size=6)
ANSWERS = st.builds(
    Answer,
    st.integers(0, 599),
    st.lists(st.tuples(NAMES, LINES), max_size=3).map(tuple),
    st.binary(max_size=50),
    st.booleans(),
    st.floats(0, 100),
    st.sampled_from(["", "absent", "timeout"]),
    st.floats(0, 2e9),
)
PAIRS = st.fixed_dictionaries(
    {
        "path": LINES, "query": st.none() | LINES, "user": LINES, "request_id": LINES, "reason": LINES,
        "legacy": ANSWERS, "modern": ANSWERS, "secondary": st.none() | ANSWERS,
        "sequence": st.integers(0, 2**40), "at": st.floats(0, 2e9),
    }
).map(lambda changes: replace(a_pair(), **changes))  # fmt: skip


def taken(inbox: PairInbox) -> list[Pair]:
    found = []
    while (pair := inbox.next_pair()) is not None:
        found.append(pair)
    return found


@given(st.lists(PAIRS, min_size=1, max_size=4), st.integers(1, 200))
def test_pairs_come_out_as_they_went_in(pairs: list[Pair], step: int):
    inbox, data, found = PairInbox(), b"".join(pack_pair(pair) for pair in pairs), []

    for start in range(0, len(data), step):
        inbox.feed(data[start : start + step])
        found += taken(inbox)

    assert found == pairs


@pytest.mark.parametrize("place", [0, 16, 25, 60])
def test_what_is_no_pair_is_an_error_or_another_pair_never_a_crash(place: int):
    data = bytearray(pack_pair(a_pair()))
    data[place] ^= 0xFF
    inbox = PairInbox()
    inbox.feed(bytes(data))

    try:
        found = taken(inbox)
    except (WireError, UnicodeDecodeError):
        found = []
    assert found != [a_pair()]


def test_another_version_is_refused():
    inbox = PairInbox()
    inbox.feed(b"\x09" + pack_pair(a_pair())[1:])

    with pytest.raises(WireError, match="version 9"):
        inbox.next_pair()
