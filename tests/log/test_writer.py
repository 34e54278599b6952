"""Lines arrive whole and in order; a reader that stops costs lines, never time."""

from __future__ import annotations

import os
import threading
import time

from proxy.log.writer import LineWriter


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

    began = time.perf_counter()
    for _ in range(1000):
        writer.put(line)
    seconds = time.perf_counter() - began
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


def read_all(descriptor: int, into: bytearray) -> None:
    while data := os.read(descriptor, 65536):
        into += data
