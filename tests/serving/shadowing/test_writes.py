"""Which writes a read may have met."""

from __future__ import annotations

import pytest

from proxy.serving.shadowing.writes import APART, KEYS_AT_MOST, Writes, read_keys, write_keys


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/", set()),
        ("/orders", set()),
        ("/orders/", set()),
        ("/v2/me", set()),
        ("/orders/17", {"path:/orders/17"}),
        ("/orders/17/pay", {"path:/orders/17"}),
        ("/shops/3/orders/17/pay", {"path:/shops/3/orders/17"}),
        ("/17", {"path:/17"}),
        ("/f/deadbeef01", {"path:/f/deadbeef01"}),
        ("/t/01HZX3K5V7Q9R1S3T5V7X9Z1B3", {"path:/t/01HZX3K5V7Q9R1S3T5V7X9Z1B3"}),
    ],
)
def test_a_write_changes_the_thing_that_its_path_names(path: str, keys: set[str]):
    assert set(write_keys(path, None)) == keys


def test_the_longest_path_is_kept_as_a_short_key():
    path = "/orders/17/" + "x" * 8000

    assert all(len(key) < 300 for key in write_keys(path, "u" * 8000))
    assert set(read_keys(path, None)) <= set(write_keys(path, None))


def test_a_read_sees_its_thing_and_what_its_user_wrote():
    assert set(read_keys("/orders/17/lines", "42")) == {"path:/orders/17", "user:42"}
    assert set(read_keys("/api/me", "42")) == {"user:42"}


def test_a_write_that_two_make_is_under_way_until_both_are_done():
    writes = Writes()
    writes.begin(["k"])
    writes.begin(["k"])

    writes.end(["k"], 1000.0)
    one_left = writes.overlap(["k"], 2000.0)
    writes.end(["k"], 1001.0)

    assert one_left
    assert not writes.overlap(["k"], 1001.0 + APART + 0.1)
    assert writes.overlap(["k"], 1001.0 + APART - 0.1)


def test_the_memory_of_writes_is_bounded_and_forgets_the_oldest():
    writes = Writes()
    for number in range(KEYS_AT_MOST):
        writes.end([f"old{number}"], 1000.0)

    writes.end(["late"], 1001.0)
    full = writes.overlap(["late"], 1001.0)
    writes.end(["new"], 2000.0)

    assert not full  # better one difference too many than memory without end
    assert writes.overlap(["new"], 2000.0)
    assert not writes.overlap(["old1"], 1000.0)
