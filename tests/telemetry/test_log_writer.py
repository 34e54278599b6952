"""Lines arrive whole and in order; a reader that stops costs lines, never time."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable

from proxy.telemetry.log_writer import LineWriter


def lost(count: int) -> bytes:
    return b"lost %d\n" % count


def test_every_line_arrives_in_order_and_whole(tmp_path):
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(descriptor, lost)
    lines = [b"line %d %s\n" % (number, b"x" * (number % 300)) for number in range(5000)]

    for line in lines:
        writer.put(line)
    writer.close()

    assert (tmp_path / "log").read_bytes() == b"".join(lines)
    os.close(descriptor)


def test_a_line_is_written_soon_without_another_one_pushing_it():
    read, write = os.pipe()
    writer = LineWriter(write, lost)

    writer.put(b"alone\n")

    assert os.read(read, 100) == b"alone\n"
    writer.close()
    os.close(read)
    os.close(write)


def test_a_reader_that_stops_costs_lines_that_are_counted_and_told():
    read, write = os.pipe()
    writer = LineWriter(write, lost, most=200_000)
    line = b"x" * 999 + b"\n"

    began = time.process_time()
    for _ in range(1000):
        writer.put(line)
    seconds = time.process_time() - began
    dropped = writer.lost
    received = bytearray()
    reader = threading.Thread(target=read_all, args=(read, received))
    reader.start()
    writer.close(5)
    os.close(write)
    reader.join()

    assert seconds < 1
    assert 500 < dropped < 1000
    assert received.count(line) == 1000 - dropped
    assert b"lost %d\n" % dropped in received
    os.close(read)


def test_lines_of_two_writers_on_one_pipe_are_never_torn():
    read, write = os.pipe()
    writers = [LineWriter(write, lost) for _ in range(2)]
    received = bytearray()
    reader = threading.Thread(target=read_all, args=(read, received))
    reader.start()

    for number in range(3000):
        writers[number % 2].put(bytes([97 + number % 2]) * 700 + b"\n")
    for writer in writers:
        writer.close(5)
    os.close(write)
    reader.join()

    assert set(bytes(received).split(b"\n")) == {b"a" * 700, b"b" * 700, b""}
    os.close(read)


def test_a_reader_that_is_gone_for_good_ends_the_writing_not_the_program():
    read, write = os.pipe()
    os.close(read)
    writer = LineWriter(write, lost)

    writer.put(b"nobody hears\n")
    writer.close()

    assert not writer._thread.is_alive()
    os.close(write)


def test_a_full_disk_costs_lines_that_are_counted_at_once_and_the_next_ones_are_written(tmp_path):
    descriptor = os.open("/dev/full", os.O_WRONLY)
    room = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(descriptor, lost)
    writer.put_all([b"one\n", b"two\n"])
    wait_for(lambda: writer.lost == 2)
    reason = writer.trouble

    os.dup2(room, descriptor)
    writer.put(b"three\n")
    writer.close()

    assert reason == "No space left on device"
    assert writer.trouble == ""
    assert (tmp_path / "log").read_bytes() == b"\nthree\nlost 2\n"
    os.close(room)
    os.close(descriptor)


def test_lines_that_were_lost_are_told_of_though_no_other_line_comes():
    disk = Disk(room=0)
    writer = LineWriter(1, lost, write=disk.write)
    writer.put(b"one\n")
    wait_for(lambda: writer.lost)

    disk.room = 100
    wait_for(lambda: disk.written == b"\nlost 1\n")

    assert writer.trouble == ""
    writer.close()


def test_a_line_that_was_half_written_as_the_disk_was_full_is_ended_before_the_next_one():
    disk = Disk(room=6)
    writer = LineWriter(1, lost, write=disk.write)
    writer.put_all([b"one\n", b"two\n", b"three\n"])
    wait_for(lambda: writer.lost == 2)

    disk.room = 100
    writer.put(b"four\n")
    writer.close()

    assert bytes(disk.written) == b"one\ntw\nfour\nlost 2\n"


def test_lines_for_a_reader_that_is_gone_are_counted_and_kept_by_nobody():
    read, write = os.pipe()
    os.close(read)
    writer = LineWriter(write, lost)
    writer.put(b"nobody hears\n")
    wait_for(lambda: writer.trouble)

    writer.put_all([b"nor\n", b"this\n"])

    assert writer.lost == 3
    assert writer.trouble == "Broken pipe"
    os.close(write)


class Disk:
    """What the kernel does with a file: as much is written as there is room."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.written = bytearray()

    def write(self, _: int, data: bytes | memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = data[: self.room]
        self.room -= len(taken)
        self.written += taken
        return len(taken)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def read_all(descriptor: int, into: bytearray) -> None:
    while data := os.read(descriptor, 65536):
        into += data
