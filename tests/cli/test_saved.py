"""Saved responses are read in the usual formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.cli.diffs import UnreadableAnswerError, saved

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"


def read(folder: Path, data: bytes, name: str = "answer", method: str = "GET"):
    path = folder / name
    path.write_bytes(data)
    return saved(str(path), method, "/api/me")


def test_raw_http_keeps_status_every_header_and_body(tmp_path: Path):
    answer = read(tmp_path, HEAD + b'{"a":1}')

    assert (answer.status, answer.method, answer.path, answer.body) == (200, "GET", "/api/me", b'{"a":1}')
    assert answer.headers == (("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 301 Moved\r\n\r\n",
    ],
)
def test_the_last_of_several_heads_counts(tmp_path: Path, before: bytes):
    assert read(tmp_path, before + HEAD + b"x").status == 200


def test_http_2_and_bare_line_feeds_are_read_too(tmp_path: Path):
    answer = read(tmp_path, b"HTTP/2 404\ncontent-type: text/plain\n\nnothing here\n")

    assert (answer.status, answer.header("content-type"), answer.body) == (404, "text/plain", b"nothing here\n")


def test_chunks_are_undone_where_they_are_still_there(tmp_path: Path):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    raw = read(tmp_path, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
    undone = read(tmp_path, head + b"abcde")

    assert (raw.body, undone.body) == (b"abcde", b"abcde")


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.json", b"[1]", "application/json"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.HTML", b"hello", "text/html"),
        ("body", b' \n{"a":1}', "application/json"),
        ("body", b"<p>hi</p>", "text/html"),
        ("body", b"hi", "text/plain"),
        ("body", b"", "text/plain"),
    ],
)
def test_a_body_alone_is_an_answer_of_its_kind(tmp_path: Path, name: str, body: bytes, kind: str):
    answer = read(tmp_path, body, name)

    assert (answer.status, answer.header("content-type"), answer.body) == (200, kind, body)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "never ends"),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "is no header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "3 bytes of a body of 10"),
    ],
)
def test_a_file_that_holds_no_whole_answer_is_refused_by_name(tmp_path: Path, data: bytes, what: str):
    with pytest.raises(UnreadableAnswerError, match=what) as refused:
        read(tmp_path, data)

    assert "answer" in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_answer_to_head_has_the_length_of_another(tmp_path: Path):
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

    assert read(tmp_path, data, method="HEAD").body == b""


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(UnreadableAnswerError, match="No such file"):
        saved(str(tmp_path / "nowhere"), "GET", "/")
