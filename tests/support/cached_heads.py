"""Finds changes of cached heads, which belong to every request that repeats them."""

from __future__ import annotations

from proxy.http1 import request, response
from proxy.http1.request_line import request_line

LINE = request_line(b"GET / HTTP/1.1")
GROWS = ("asked", "decided", "mirrors", "user", "user_of", "agrees", "unchanged_by")
"""What a set of fields, an answer's head may learn."""


def check_and_forget() -> None:
    """Read everything remembered once more: it has to mean what it is remembered to mean."""
    fields, answers = list(request.seen.lately.items()), list(response.seen.lately.items())
    for _ in range(2):
        request.seen.turn()
        response.seen.turn()
    for data, known in fields:
        fresh = request.request_head(LINE.written[:-2] + data[:-4]).fields
        assert meaning(fresh) == meaning(known), data
    for data, head in answers:
        assert meaning(response.response_head(data[:-4])) == meaning(head), data
    for _ in range(2):
        request.seen.turn()
        response.seen.turn()


def meaning(head: object) -> dict[str, object]:
    names = (name for name in dir(head) if not name.startswith("_") and name not in GROWS)
    return {name: value for name in names if not callable(value := getattr(head, name))}
