"""Pairs as many as possible of two groups, when only some may go together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence


def paired(
    lefts: Sequence[int],
    rights: Sequence[int],
    alike: Callable[[int, int], bool],
    already: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """Return the largest pairing, left to right (augmenting paths, as Kuhn's algorithm finds them).

    Taking the first partner that fits is not enough: with a tolerance one row may fit two others, and its choice
    leave the second without any. Who is `already` paired stays paired, if perhaps with another.
    """
    mates = dict(already or {})
    owners = {right: left for left, right in mates.items()}
    for left in lefts:
        if left in mates:
            continue
        found, reached = _free(left, rights, alike, owners)
        while found is not None:
            one = reached[found]
            before = mates.get(one)
            owners[found], mates[one] = one, found
            found = before
    return mates


def _free(
    left: int, rights: Sequence[int], alike: Callable[[int, int], bool], owners: dict[int, int]
) -> tuple[int | None, dict[int, int]]:
    """Look for a right that is free, over those that others could leave; also from which left each was reached."""
    reached: dict[int, int] = {}
    waiting = deque([left])
    while waiting:
        one = waiting.popleft()
        # Among many that are all alike the free ones come first, or each would be looked at once a row.
        for right in rights:
            if right not in owners and alike(one, right):
                reached[right] = one
                return right, reached
        for right in rights:
            if right in owners and right not in reached and alike(one, right):
                reached[right] = one
                waiting.append(owners[right])
    return None, reached
