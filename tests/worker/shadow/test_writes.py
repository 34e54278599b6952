"""Which writes a read may have overlapped."""

from __future__ import annotations

from proxy.worker.shadow.conflicts import APART, KEYS_AT_MOST, RecentWrites, read_keys, write_keys


def test_a_read_sees_its_thing_and_what_its_user_wrote():
    assert set(read_keys("/orders/17/lines", (), "42")) == {"order:17", "user=42"}
    assert set(read_keys("/api/me", (), "42")) == {"user=42"}
    assert set(write_keys("/shops/3/orders/17", (), "42")) == {"shop:3", "order:17", "user=42"}


def test_no_user_is_taken_for_a_thing():
    assert not set(read_keys("/users/42", (), None)) & set(write_keys("/api/me", (), "42"))


def test_the_longest_name_is_kept_as_a_short_key():
    assert all(len(key) < 300 for key in write_keys("/orders/17/" + "x" * 8000, (), "u" * 8000))


def test_a_write_that_two_make_is_under_way_until_both_are_done():
    writes = RecentWrites()
    writes.begin(["k"])
    writes.begin(["k"])

    writes.end(["k"], 1000.0)
    one_left = writes.overlap(["k"], 2000.0)
    writes.end(["k"], 1001.0)

    assert one_left
    assert not writes.overlap(["k"], 1001.0 + APART + 0.1)
    assert writes.overlap(["k"], 1001.0 + APART - 0.1)


def test_the_memory_of_writes_is_bounded_and_forgets_the_oldest():
    writes = RecentWrites()
    for number in range(KEYS_AT_MOST):
        writes.end([f"old{number}"], 1000.0)

    writes.end(["late"], 1001.0)
    full = writes.overlap(["late"], 1001.0)
    writes.end(["new"], 2000.0)

    assert not full  # better one difference too many than memory without end
    assert writes.overlap(["new"], 2000.0)
    assert not writes.overlap(["old1"], 1000.0)
