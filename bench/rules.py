"""Measures what two thousand routes cost: loading them, finding one among them, deciding.

Run as `python -m bench.rules`. Goals, on a quiet machine: 2000 routes load in half a second; matching among them
costs at most 1 µs more than among 10; finding plus deciding at most 1.5 µs without the hash itself. The last line
is the machine's own yard-stick: one SHA-256, about 0.45 µs where these goals were set.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable

import rules
from rules.model import Facts

ABOVE = """\
backends:
  legacy: {url: "http://127.0.0.1:9001"}
  modern: {url: "http://127.0.0.1:8000"}
identity: [cookie:uid]
routes:
"""
ROUTE = """\
  - name: route-{at}
    match: {match}
    rollout: {{weight: 10}}
    modern: {{path: /v1/r{at}}}
    shadow: {{sample: 10%}}
    guard: {{window: 60s, error_rate: 5%}}
"""
FORMS = {
    "exact": ("{{path: /api/r{at}/me, methods: [GET]}}", "/api/r7/me"),
    "template": ("{{path: '/api/r{at}/{{id}}/items', methods: [GET]}}", "/api/r7/42/items"),
    "prefix": ("{{path: /api/r{at}/**, methods: [GET]}}", "/api/r7/42/items"),
    "query": ("{{path: /index.php, query: {{r: page/{at}}}}}", "/index.php?r=page/7"),
}
FEW, MANY = 10, 2000


def text_of(form: str, count: int) -> str:
    """Write a file with `count` routes of one form."""
    match = FORMS[form][0]
    return ABOVE + "".join(ROUTE.format(at=at, match=match.format(at=at)) for at in range(count))


def best(action: Callable[[], object], times: int = 20_000, rounds: int = 9) -> float:
    """Return the microseconds of the quickest round: a disturbance only ever makes a round longer."""
    quickest = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            action()
        quickest = min(quickest, time.perf_counter() - began)
    return quickest / times * 1e6


def load_time(form: str) -> float:
    """Return the CPU seconds of loading many routes, the quickest of five."""
    text = text_of(form, MANY)
    quickest = float("inf")
    for _ in range(5):
        began = time.process_time()
        rules.load(text, environ={})
        quickest = min(quickest, time.process_time() - began)
    return quickest


def asked(form: str) -> Facts:
    """Return the facts of a request for the eighth route, by a user with a cookie."""
    path, _, query = FORMS[form][1].partition("?")
    fields = {"host": "example.com", "cookie": "uid=alice"}
    return Facts("GET", path, query or None, "example.com", fields.get, lambda: "alice")


def main() -> None:
    """Print one line a form."""
    print(f"{'':10} {'load s':>8} {'find/10':>8} {'find/2000':>9} {'more':>6} {'decide':>7} {'less hash':>9}  µs")
    hashing = best(lambda: rules.bucket("route-7", "alice"))
    for form in FORMS:
        few, many = (rules.generation(1, rules.load(text_of(form, count), environ={})) for count in (FEW, MANY))
        facts = asked(form)
        near = best(lambda table=few.table, facts=facts: table.find(facts))
        far = best(lambda table=many.table, facts=facts: table.find(facts))
        whole = best(lambda many=many, facts=facts: rules.decide(many, facts, 0.5))
        print(
            f"{form:10} {load_time(form):8.3f} {near:8.2f} {far:9.2f} {far - near:6.2f} {whole:7.2f}"
            f" {whole - hashing:9.2f}"
        )
    yard_stick = best(lambda: hashlib.sha256(b"route-7:alice").digest())
    print(f"bucket {hashing:.2f} µs, one SHA-256 {yard_stick:.2f} µs, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
