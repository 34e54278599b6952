"""The pairs that a worker holds for judges are bounded, and no kind of request has the whole queue."""

from __future__ import annotations

from proxy.worker.shadow.pair_queue import MOST, MOST_BYTES, PairQueue, Waiting

BUSY, RARE = ("busy", "GET /a 2xx"), ("rare", "GET /b 2xx")


def a_waiting(key: tuple[str, str] = BUSY, size: int = 10) -> Waiting:
    return Waiting(b"x" * size, key[0], 1, key)


def filled(queue: PairQueue, key: tuple[str, str], size: int = 10) -> int:
    count = 0
    while queue.has_room(key, size):
        queue.put(a_waiting(key, size))
        count += 1
    return count


def test_it_is_bounded_by_number_and_by_bytes():
    assert filled(PairQueue(), BUSY) <= MOST
    assert filled(PairQueue(), BUSY, 1 << 20) * (1 << 20) <= MOST_BYTES


def test_a_busy_route_leaves_room_for_what_comes_seldom():
    queue = PairQueue()

    filled(queue, BUSY)

    assert not queue.has_room(BUSY, 10)
    assert filled(queue, RARE) >= MOST // 4


def test_what_was_taken_out_is_held_until_it_is_released_and_may_come_back():
    queue = PairQueue()
    pairs = [a_waiting(), a_waiting(RARE), a_waiting()]
    for pair in pairs:
        queue.put(pair)

    taken = [queue.next_pair(), queue.next_pair()]
    queue.put_back(taken)
    order = [queue.next_pair() for _ in range(3)]
    for pair in order:
        queue.release(pair)

    assert order == pairs
    assert filled(queue, BUSY) == filled(PairQueue(), BUSY)


def test_a_route_can_be_given_up():
    queue = PairQueue()
    for key in (BUSY, RARE, BUSY):
        queue.put(a_waiting(key))

    assert [each.key for each in queue.drop("busy")] == [BUSY, BUSY]
    assert (len(queue), queue.next_pair().key) == (1, RARE)
