"""Closed-loop load from wrk: 64 connections, a browser's headers, 256 users in turn, ids that are never repeated."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import randrange

from bench.backends import PREFIX, SIZES
from bench.processes import LOAD_CPU
from bench.templates import CONF
from bench.tools import program

CONNECTIONS = 64
USERS = 256
ITEMS = 10_000
ANY_USER, ANY_ITEM, ANY_ID = "@USER@", "@ITEM@", "@ID@"

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"

# Twelve fields, about 700 bytes: a browser behind an edge that adds an id with a trace, other ones each time. The
# token belongs to no account.
FIELDS = (
    ("Host", "shop.example.test"),
    ("Connection", "keep-alive"),
    ("User-Agent", _BROWSER),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Language", "en-GB,en;q=0.9,nl;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "https://shop.example.test/catalogue/lamps?page=3&order=price"),
    ("Cookie", f"theme=dark; uid={ANY_USER}; session=not-a-session-just-as-long-as-one-0123456789abcdef"),
    ("Authorization", "Bearer not.a-token.but-of-the-length-that-a-short-one-would-have-0123456789"),
    ("Cache-Control", "no-cache"),
    ("X-Request-Id", f"{ANY_ID}-1111-4222-8333-444444444444"),
    ("traceparent", f"00-{ANY_ID}111111111111111111111111-2222222222222222-01"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """The result of one run of load: `bad` are refused, broken, 4xx, 5xx, late, short; latencies in milliseconds."""

    requests: int
    seconds: float
    bad: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def head(size: str, user: str, item: str = "4711", number: str = "00000000") -> str:
    """Return the head of the request that asks for `size` as `user`; `number` are eight hexadecimal digits."""
    lines = [f"GET {PREFIX}{size}/{item} HTTP/1.1", *(f"{name}: {value}" for name, value in FIELDS), "", ""]
    return "\r\n".join(lines).replace(ANY_USER, user).replace(ANY_ID, number)


def run(port: int, size: str, seconds: int, folder: Path, connections: int = CONNECTIONS, rest: int = 0) -> Answers:
    """Request responses of `size` from `port` for so many whole seconds; each connection rests `rest` ms between two.

    Each request is for one of ITEMS items, with an id that no earlier request of any run had.
    """
    template = folder / f"head-{size}"
    template.write_bytes(head(size, ANY_USER, ANY_ITEM, ANY_ID).encode())
    command = [
        "taskset",
        "-c",
        str(LOAD_CPU),
        program("wrk"),
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
    ]
    command += ["-s", str(CONF / "load.lua"), f"http://127.0.0.1:{port}/", "--", str(template)]
    command += [str(number) for number in (USERS, rest, ITEMS, randrange(1 << 31))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.strip().rpartition("\n")[2])
    requests = int(told["requests"])
    # wrk trusts a status line; missing bytes reveal responses without their body
    short = max(0, requests - int(told["bytes"]) // SIZES[size])
    return Answers(
        requests=requests,
        seconds=told["microseconds"] / 1e6,
        bad=int(told["bad"]) + short,
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
    )
