"""Questions about stored differences; re-judging."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from typing import Any

import orjson

from proxy.control.comparison.judge_pool import NotJudgedError
from proxy.control.comparison.pair_pipeline import PairPipeline
from proxy.control.comparison.policies import Noise
from proxy.control.comparison.results import KnownDifferences
from proxy.control.fleet.shared_differences import KNOWN, SharedDifferences
from proxy.ipc.judge_messages import Opinion
from proxy.ipc.messages import Answer, Pair
from proxy.judge.redaction import UnreadableError, unpack
from proxy.storage.diff_store import EQUAL, Diffs, DiffsThread, Example, Group, Known, Wanted
from proxy.telemetry.events import timestamp

# Judges stored pairs again under the rules of now.


MOST_PAIRS = 1000
_PAGE = 200
_WORST = ("different", "not_compared", "equal")


async def rejudge(store: DiffsThread, judging: PairPipeline, route: str) -> dict[str, Any]:
    """Judge what is kept of `route` (empty: of all), note the outcome with each group; DiffsError.

    A group is equal when none of its examples shows its difference any more. Returns how many groups came to what.
    """
    groups = await _groups(store, route)
    pairs = list(dict.fromkeys(example.pair for group in groups for example in group.examples))[:MOST_PAIRS]
    opinions: dict[str, Opinion] = {}
    for name in pairs:
        opinion = await _opinion(store, judging, name)
        if opinion is not None:
            opinions[name] = opinion
    verdicts = {group.id: verdict for group in groups if (verdict := _verdict(group, opinions))}
    await store.query(lambda kept: kept.rejudged(verdicts))
    counts = Counter(verdicts.values())
    return {
        "pairs": len(opinions),
        "groups": {verdict: counts[verdict] for verdict in _WORST},
        "not_kept": len(groups) - len(verdicts),
        "items": [{"id": group.id, "route": group.route, "path": group.path, "verdict": verdicts.get(group.id)}
                  for group in groups],
    }  # fmt: skip


async def _groups(store: DiffsThread, route: str) -> list[Group]:
    groups: list[Group] = []
    after = ""
    while True:
        page = await store.query(partial(_page, Wanted(route=route, after=after, limit=_PAGE)))
        groups += page
        if len(page) < _PAGE:
            return groups
        after = page[-1].place


def _page(wanted: Wanted, store: Diffs) -> tuple[Group, ...]:
    return store.groups(wanted)


async def _opinion(store: DiffsThread, judging: PairPipeline, name: str) -> Opinion | None:
    """Return what the rules say now; None for a pair that is not kept whole."""
    packed = await store.query(lambda kept: kept.pair(name))
    if not packed:
        return None
    try:
        pair: Pair = unpack(packed)
        return await judging.rejudge(pair)
    except (UnreadableError, NotJudgedError):
        return None


def _verdict(group: Group, opinions: dict[str, Opinion]) -> str:
    """Return the worst that is said of the group's own difference in its examples, empty when nothing is."""
    said = {_of_group(group, opinions[each.pair]) for each in group.examples if each.pair in opinions}
    return next((verdict for verdict in _WORST if verdict in said), "")


def _of_group(group: Group, opinion: Opinion) -> str:
    if group.path.startswith("@invariant:"):
        name = group.path.removeprefix("@invariant:")
        broken = any(one.name == name and one.state == "violated" for one in opinion.checked)
        return "different" if broken else "equal"
    if opinion.verdict == "not_compared":
        return "not_compared"
    there = {(each.pattern, each.kind) for each in opinion.found}
    return "different" if (group.path, group.kind) in there else "equal"


MOST_SHOWN = 256 * 1024
"""Characters of a body that a person gets to see."""


class Differences:
    """What the commands, the console, the admin API ask. Nothing in it changes."""

    def __init__(
        self,
        store: DiffsThread,
        judging: PairPipeline,
        known: KnownDifferences,
        noise: Noise,
        everywhere: SharedDifferences | None = None,
    ) -> None:
        self._store = store
        self._pipeline = judging
        self._known = known
        self._noise = noise
        self._shared_differences = everywhere or SharedDifferences(None, lambda: 0.0)

    async def groups(self, wanted: Wanted) -> dict[str, Any]:
        """Return a page of groups with short examples, newest first, those only others met among them; DiffsError.

        `suggested` is what legacy was seen to vary by itself, as lines to paste under a route's `compare:`.
        """
        one_more = replace(wanted, limit=wanted.limit + 1)
        others = [] if wanted.transient else self._shared_differences.groups(one_more)
        found = await self._store.query(
            lambda store: [*store.groups(one_more), *_absent(store, others, one_more.limit)]
        )
        found.sort(key=lambda group: (group.last_seen, group.id), reverse=True)
        shown = found[: wanted.limit]
        following = shown[-1].place if len(found) > len(shown) else None
        return {
            "items": [self._document(group) for group in shown],
            "next": following,
            "suggested": self._noise.to_paste(wanted.route),
        }

    async def group(self, group: str) -> dict[str, Any] | None:
        """Return one group with all that is kept of its examples, the latest of them explained; DiffsError."""
        found = await self._store.query(lambda store: store.group(group)) or self._shared_differences.group(group)
        if found is None:
            return None
        document = self._document(found)
        for number, example in enumerate(found.examples):
            packed = await self._store.query(partial(_pair, example.pair))
            # megabytes are unpacked here: the loop goes on meanwhile
            document["examples"][number]["answers"] = await asyncio.to_thread(_answers, packed)
            document["examples"][number]["explanation"] = await self._explanation(packed) if number == 0 else None
        return document

    async def rejudge(self, route: str) -> dict[str, Any]:
        """Judge what is kept of `route` (empty: of all) again; DiffsError."""
        told = await rejudge(self._store, self._pipeline, route)
        for each in told["items"]:
            if each["verdict"] == EQUAL:
                self._shared_differences.settle(each["id"], EQUAL)
        return told

    async def ignore(self, group: str, known: Known | None) -> bool:
        """Say that a group is known, or (None) not any more; False when there is no such group; DiffsError."""
        there = await self._store.query(lambda store: store.know(group, known))
        if there:
            self._known.set(group, known)
            self._shared_differences.settle(group, "" if known is None else KNOWN)
        return there

    def noise(self, routes: Iterable[str]) -> list[dict[str, Any]]:
        """Return what was learned of these routes, with its evidence."""
        return [{"route": route, **each} for route in routes for each in self._noise.suggestions(route)]

    def _document(self, group: Group) -> dict[str, Any]:
        """Return a group as it is shown, counted over all instances; `here` is what this one met of it."""
        return {
            **group_document(group),
            "count": max(group.count, self._shared_differences.count(group.id)),
            "here": group.count,
        }

    async def _explanation(self, packed: bytes) -> Any:
        if not packed:
            return None
        try:
            return orjson.loads(await self._pipeline.explain(packed))
        except NotJudgedError:
            return None


def group_document(group: Group) -> dict[str, Any]:
    """Return a group as the API shows it, its examples short."""
    return {
        "id": group.id,
        "route": group.route,
        "path": group.path,
        "kind": group.kind,
        "count": group.count,
        "first_seen": timestamp(group.first_seen),
        "last_seen": timestamp(group.last_seen),
        "known": None if group.known is None else {**asdict(group.known), "at": timestamp(group.known.at)},
        "rejudged": group.rejudged or None,
        "transient": group.is_transient,
        "examples": [_example(example) for example in group.examples],
    }


def _example(example: Example) -> dict[str, Any]:
    found = example.found
    return {
        "pair": example.pair,
        "at": timestamp(example.at),
        "request": example.request,
        "path": found.path,
        "kind": found.kind,
        "legacy": found.legacy,
        "modern": found.modern,
        "rule": found.rule,
        "notes": list(example.notes),
    }


def _absent(store: Diffs, groups: Iterable[Group], most: int) -> list[Group]:
    """Return the first of those that this instance never met."""
    return list(islice((group for group in groups if store.group(group.id) is None), most))


def _pair(name: str, store: Diffs) -> bytes:
    return store.pair(name)


def _answers(packed: bytes) -> dict[str, Any] | None:
    if not packed:
        return None
    try:
        pair = unpack(packed)
    except UnreadableError:
        return None
    return {"legacy": _answer(pair.legacy), "modern": _answer(pair.modern)}


def _answer(answer: Answer) -> dict[str, Any] | None:
    if answer.failed:
        return None
    return {
        "status": answer.status,
        "headers": [list(header) for header in answer.headers],
        "body": answer.body.decode("utf-8", "replace")[:MOST_SHOWN],
    }
