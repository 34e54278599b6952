"""Judges stored pairs again under the rules of now."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from proxy.ipc.judge_messages import Opinion
from proxy.ipc.messages import Pair
from proxy.judge.redaction import UnreadableError, unpack
from proxy.operating.judges import NotJudgedError
from proxy.operating.judging import Judging
from proxy.storage.diff_store import Diffs, DiffsThread, Group, Wanted

MOST_PAIRS = 1000
_PAGE = 200
_WORST = ("different", "not_compared", "equal")


async def rejudge(store: DiffsThread, judging: Judging, route: str) -> dict[str, Any]:
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
    await store.ask(lambda kept: kept.rejudged(verdicts))
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
        page = await store.ask(partial(_page, Wanted(route=route, after=after, limit=_PAGE)))
        groups += page
        if len(page) < _PAGE:
            return groups
        after = page[-1].place


def _page(wanted: Wanted, store: Diffs) -> tuple[Group, ...]:
    return store.groups(wanted)


async def _opinion(store: DiffsThread, judging: Judging, name: str) -> Opinion | None:
    """Return what the rules say now; None for a pair that is not kept whole."""
    packed = await store.ask(lambda kept: kept.pair(name))
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
