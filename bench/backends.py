"""The two sides behind every proxy: one nginx with answers of 1 KB, 64 KB, 1 MB that say which side they are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import templates
from bench.processes import LOAD_CPU, Running, free_port, started
from bench.tools import program

PREFIX = "/api/v1/items/"
SIZES = {"1k": 1 << 10, "64k": 64 << 10, "1m": 1 << 20}
SIDE_HEADER = "X-Side"


@dataclass(frozen=True, slots=True)
class Backends:
    """The ports of the two sides."""

    legacy: int
    modern: int
    running: Running


def body(size: int) -> bytes:
    """Return a JSON document of exactly `size` bytes, without a quote or dollar that nginx would interpret."""
    items: list[dict[str, object]] = []
    document = {"id": 4711, "name": "an item among others", "items": items, "rest": ""}
    room = size - len(json.dumps(document))
    while room > 200:
        item = {"sku": f"SKU-{len(items):06d}", "quantity": len(items) % 9, "colour": "blue"}
        room -= len(json.dumps(item)) + 2
        items.append(item)
    document["rest"] = "x" * (size - len(json.dumps(document)))
    return json.dumps(document).encode()


@contextlib.contextmanager
def running(
    folder: Path,
    spelled: Callable[[bytes], bytes] = bytes,
    meant: Callable[[bytes], bytes] = bytes,
    odd: str = "0%",
    *,
    own: bool = False,
) -> Iterator[Backends]:
    """Run both sides on the load's processor until the block ends; modern has its own spelling of the 1 KB.

    Legacy has the spelling `meant`. For the share `odd` of users modern's response has another `id`. `own`: the
    name is that of the path and the user on both sides, so that hardly a pair comes twice.
    """
    bodies = folder / "bodies"
    bodies.mkdir(parents=True)
    for name, size in SIZES.items():
        (bodies / name).write_bytes(body(size))
    legacy, modern = free_port(), free_port()
    conf = templates.fill(
        "backends.nginx.conf",
        folder,
        LEGACY=legacy,
        MODERN=modern,
        PREFIX=PREFIX,
        SMALL=_named(meant(body(SIZES["1k"])).decode(), own=own),
        SPELLED=_named(spelled(body(SIZES["1k"])).decode(), own=own).replace("4711", "$number", 1),
        ODD=f'{odd} "4712";' if odd != "0%" else "",
    )
    command = [program("nginx"), "-p", str(folder), "-c", str(conf)]
    with started(command, LOAD_CPU, folder, port_of=lambda _: modern) as process:
        yield Backends(legacy, modern, process)


def _named(document: str, *, own: bool) -> str:
    return document.replace("an item among others", "$uri $cookie_uid") if own else document
