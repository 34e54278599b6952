"""Times reading one browser's request head: our strict scan beside httptools beside h11.

    python -m bench.parsers

Each figure is the least of many short runs, because a shared machine only ever adds time. The `fresh` rows drop
the tables before each head, the worst case of the scan. A head repeated within seconds is not scanned again.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable

import h11
import httptools

from proxy import http1
from proxy.http1 import fields

FIELDS = {
    "Host": "shop.example.test",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Safari/537.36",
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "uid=user-12345; theme=dark; session=c2Vzc2lvbi1wYXlsb2FkLXRoYXQtaXMtbG9uZy1lbm91Z2g",
    "Referer": "http://shop.example.test/catalog/items?page=3",
    "X-Request-Id": "7f9c2ba4-e88f-4f27-a0c5-0f3c1d2e4b5a",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Authorization": "Bearer c2lnbmF0dXJl.c2lnbmF0dXJl.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2g",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
}
HEAD = ("GET /api/me?page=3 HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())).encode()
RUNS, TIMES = 30, 1000


class Sink:
    """The callbacks of httptools: the least that keeps a head."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.url = b""

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))


def by_httptools() -> None:
    sink = Sink()
    parser = httptools.HttpRequestParser(sink)
    parser.feed_data(HEAD + b"\r\n")
    parser.get_method()
    parser.get_http_version()


def by_h11() -> None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(HEAD + b"\r\n")
    connection.next_event()


def by_scan() -> None:
    http1.request_head(HEAD[:-2])


def by_memory() -> None:
    http1.seen_head(HEAD + b"\r\n")


def by_fresh_scan() -> None:
    fields.request_lines.clear()
    fields.request_kinds.clear()
    http1.request_head(HEAD[:-2])


def least(work: Callable[[], None]) -> float:
    """Return the microseconds of one call."""
    return min(timeit.repeat(work, timer=time.process_time, number=TIMES, repeat=RUNS)) / TIMES * 1e6


def main() -> None:
    rows = {
        "httptools, callbacks into Python, no further checks": by_httptools,
        "the scan, all strictness included, ready to be written": by_scan,
        "the scan, the same fields came within seconds": by_memory,
        "the scan, nothing seen before": by_fresh_scan,
        "h11": by_h11,
    }
    figures = {name: least(work) for name, work in rows.items()}
    base = figures["the scan, all strictness included, ready to be written"]
    print("| | µs | ratio to the scan |\n|---|---|---|")
    for name, figure in figures.items():
        print(f"| {name} | {figure:.1f} | {figure / base:.2f} |")


if __name__ == "__main__":
    main()
