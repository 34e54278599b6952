"""Results of mirrored requests are delivered to every observer, once, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.telemetry.records import Observers, Shadowed


def became(number: int) -> Shadowed:
    return Shadowed("all", number, "modern", "equal", "", (), None)


def test_records_of_one_turn_are_told_together_once():
    turns: list[Callable[[], None]] = []
    together: list[list[int]] = []
    one_by_one: list[int] = []
    observe = Observers()
    observe.add_batch(lambda records: together.append([record.generation for record in records]))
    observe.add_observer(lambda record: one_by_one.append(record.generation))
    observe.emit_by(turns.append)

    for number in range(3):
        observe.emit(became(number))
    before = list(together)
    for turn in turns:
        turn()

    assert (before, together, one_by_one, len(turns)) == ([], [[0, 1, 2]], [0, 1, 2], 1)


def test_without_a_loop_each_is_told_at_once():
    told: list[int] = []
    observe = Observers()
    observe.add_observer(lambda record: told.append(record.generation))

    observe.emit(became(1))

    assert told == [1]


def test_what_a_listener_raises_is_counted_told_once_and_keeps_nobody_from_hearing():
    told: list[BaseException] = []
    heard: list[int] = []
    observe = Observers()
    observe.failed = told.append

    def broken(_: Sequence[Shadowed] | Shadowed) -> None:
        raise RuntimeError("a bug")

    observe.add_batch(broken)
    observe.add_observer(broken)
    observe.add_observer(lambda record: heard.append(record.generation))

    observe.emit(became(1))
    observe.emit(became(2))

    assert (heard, observe.failures, [str(error) for error in told]) == ([1, 2], 4, ["a bug"])
