"""A file of any size and format is streamed; what cannot be read is reported, never dropped silently."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from proxy.traffic.reader import LONGEST, Recording, UnreadableError

LINE = '10.0.0.1 - - [21/Nov/2026:03:00:00 +0000] "GET /{} HTTP/1.1" 200 1 "-" "-"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorded"


def targets(file: Path) -> list[str]:
    return [recorded.target for recorded in Recording(file)]


def test_combined_lines_are_read_in_order(file: Path):
    file.write_text("".join(LINE.format(number) for number in range(5)))

    assert targets(file) == ["/0", "/1", "/2", "/3", "/4"]


def test_a_packed_file_is_unpacked(file: Path):
    file.write_bytes(gzip.compress(LINE.format("a").encode()))

    assert targets(file) == ["/a"]


def test_a_packed_file_cut_off_gives_what_is_there(file: Path):
    packed = gzip.compress("".join(LINE.format(number) for number in range(20_000)).encode(), 1)
    file.write_bytes(packed[: len(packed) // 2])
    recording = Recording(file)

    read = sum(1 for _ in recording)

    assert read > 100
    assert recording.unreadable == 1


def test_json_lines_are_told_by_the_first(file: Path):
    file.write_text('{"path": "/a"}\n{"path": "/b"}\n')

    assert targets(file) == ["/a", "/b"]


def test_an_archive_is_read_with_headers_and_body(file: Path):
    request = {
        "method": "POST",
        "url": "https://shop.example/cart?x=1",
        "headers": [{"name": ":authority", "value": "shop.example"}, {"name": "X-A", "value": "1"}],
        "postData": {"text": "a=1"},
    }
    file.write_text(json.dumps({"log": {"entries": [{"request": request, "response": {"status": 302}}, {}]}}))
    recording = Recording(file)

    read = list(recording)

    assert [(one.method, one.target, one.host, one.status, one.body) for one in read] == [
        ("POST", "/cart?x=1", "shop.example", 302, b"a=1")
    ]
    assert read[0].headers == (("X-A", "1"),)
    assert recording.unreadable == 1


def test_bad_lines_are_counted_the_first_remembered_with_their_number(file: Path):
    file.write_text(LINE.format("a") + "rubbish\n" + "\n" + LINE.format("b") + "more\n")
    recording = Recording(file)

    read = [recorded.target for recorded in recording]

    assert read == ["/a", "/b"]
    assert (recording.read, recording.unreadable) == (2, 2)
    assert [number for number, _ in recording.examples] == [2, 5]


def test_a_line_without_end_costs_no_memory(file: Path):
    file.write_bytes(b"x" * (3 * LONGEST) + b"\n" + LINE.format("a").encode())
    recording = Recording(file)

    assert [recorded.target for recorded in recording] == ["/a"]
    assert recording.unreadable == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"rubbish\n", b"{}", b'{"log": {}}', b"\x1f\x8bno"])
def test_a_file_without_one_request_is_refused(file: Path, content: bytes):
    file.write_bytes(content)

    with pytest.raises(UnreadableError, match=r"recorded|archive"):
        targets(file)


def test_progress_ends_with_the_whole_file(file: Path):
    file.write_text(LINE.format("a") * 10_000)
    told: list[tuple[int, int]] = []

    for _ in Recording(file, lambda done, size: told.append((done, size))):
        pass

    assert told[-1] == (file.stat().st_size, file.stat().st_size)
    assert told == sorted(told)
