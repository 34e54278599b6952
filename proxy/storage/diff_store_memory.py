"""Keeps differences in memory, for as long as the process lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import EQUAL, EXAMPLES, MOST_GROUPS, Difference, Example, Group, Known, Wanted


@dataclass(slots=True)
class _Kept:
    """A group that is counted; `examples` are pair ids, the first ever before the latest."""

    group: Group
    examples: list[tuple[str, Found]] = field(default_factory=list)


class MemoryDiffs:
    """A `Diffs`. `_groups` and `_pairs` grow by `add_differences`, shrink by `trim`; one thread at a time."""

    def __init__(self, most_groups: int = MOST_GROUPS) -> None:
        self._groups: dict[str, _Kept] = {}
        self._pairs: dict[str, Difference] = {}
        self._notes: dict[str, bytes] = {}
        self._most_groups = most_groups

    def add_differences(self, differences: Sequence[Difference]) -> None:
        """Count these pairs in their groups, store a few of them."""
        for difference in differences:
            if difference.is_example:
                self._pairs[difference.id] = difference
            for found in _one_of_each(difference.found):
                self._count(difference, found)
        while len(self._groups) > self._most_groups:
            del self._groups[min(self._groups, key=lambda name: self._groups[name].group.last_seen)]
        self._sweep()

    def groups(self, wanted: Wanted) -> tuple[Group, ...]:
        """Return groups with their latest examples."""
        there = [
            kept
            for kept in self._groups.values()
            if wanted.route in ("", kept.group.route)
            and kept.group.is_transient == wanted.transient
            and kept.group.last_seen >= wanted.since
            and (kept.group.last_seen, kept.group.id) < wanted.place
        ]
        there.sort(key=lambda kept: (kept.group.last_seen, kept.group.id), reverse=True)
        return tuple(self._shown(kept) for kept in there[: wanted.limit])

    def group(self, group: str) -> Group | None:
        """Return one group with all its examples, None when there is none of this id."""
        kept = self._groups.get(group)
        return None if kept is None else self._shown(kept)

    def pair(self, pair: str) -> bytes:
        """Return a pair as it was packed, empty when it is not kept."""
        kept = self._pairs.get(pair)
        return b"" if kept is None else kept.pair

    def open_groups(self) -> Mapping[str, int]:
        """Return for each route how many groups are neither known nor found equal under a later file."""
        groups = (kept.group for kept in self._groups.values())
        open_ones = (group for group in groups if group.known is None and group.rejudged != EQUAL)
        return Counter(group.route for group in open_ones if not group.is_transient)

    def know(self, group: str, known: Known | None) -> bool:
        """Note that a group is known, or (None) is not any more; False when there is no such group."""
        kept = self._groups.get(group)
        if kept is None:
            return False
        kept.group = replace(kept.group, known=known)
        return True

    def known(self) -> Mapping[str, Known]:
        """Return everything that is known, by group."""
        groups = (kept.group for kept in self._groups.values())
        return {group.id: group.known for group in groups if group.known is not None}

    def rejudged(self, verdicts: Mapping[str, str]) -> None:
        """Store the result of each of these groups' examples under the current file."""
        for name, verdict in verdicts.items():
            kept = self._groups.get(name)
            if kept is not None:
                kept.group = replace(kept.group, rejudged=verdict)

    def note(self, name: str, value: bytes) -> None:
        """Store a small value under a name."""
        self._notes[name] = value

    def noted(self, name: str) -> bytes:
        """Return a small value, empty for none."""
        return self._notes.get(name, b"")

    def trim(self, now: float, keep: float, max_bytes: int) -> None:
        """Delete what is older than `keep` seconds, then the oldest pairs until `max_bytes` suffice; 0 is no limit."""
        old = now - keep if keep else 0.0
        for name in [name for name, kept in self._groups.items() if kept.group.last_seen < old]:
            if self._groups[name].group.known is None:
                del self._groups[name]
        gone = {pair.id for pair in self._pairs.values() if pair.at < old}
        total = sum(len(pair.pair) for pair in self._pairs.values() if pair.id not in gone)
        for pair in sorted(self._pairs.values(), key=lambda pair: pair.at):
            if max_bytes and total > max_bytes and pair.id not in gone:
                gone.add(pair.id)
                total -= len(pair.pair)
        for kept in self._groups.values():
            kept.examples = [each for each in kept.examples if each[0] not in gone]
        self._sweep()

    def close(self) -> None:
        """Nothing has to be closed."""

    def _count(self, difference: Difference, found: Found) -> None:
        at = difference.at
        kept = self._groups.get(found.group)
        if kept is None:
            kept = self._groups[found.group] = _Kept(
                Group(found.group, difference.route, found.pattern, found.kind, 0, at, at)
            )
        group = kept.group
        kept.group = replace(
            group,
            count=group.count + difference.count,
            first_seen=min(group.first_seen, at),
            last_seen=max(group.last_seen, at),
            rejudged="",
        )
        if not difference.is_example:
            return
        kept.examples.append((difference.id, found))
        if len(kept.examples) > EXAMPLES:
            del kept.examples[1]

    def _sweep(self) -> None:
        used = {pair for kept in self._groups.values() for pair, _ in kept.examples}
        self._pairs = {name: pair for name, pair in self._pairs.items() if name in used}

    def _shown(self, kept: _Kept) -> Group:
        examples = [
            Example(pair, self._pairs[pair].at, self._pairs[pair].request, found, self._pairs[pair].notes)
            for pair, found in reversed(kept.examples)
        ]
        return replace(kept.group, examples=tuple(examples))


def _one_of_each(found: Sequence[Found]) -> list[Found]:
    """Return the first difference of each group: a pair counts once, however many elements of a list differ alike."""
    firsts: dict[str, Found] = {}
    for each in found:
        firsts.setdefault(each.group, each)
    return list(firsts.values())
