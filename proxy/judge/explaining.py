"""Explains a stored pair to a person, in more words than the verdict needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from proxy.ipc.judge_messages import Exhibit, Explained
from proxy.judge.packed import UnreadableError, unpack

if TYPE_CHECKING:
    from comparators.explain import Explanation


def explained(exhibit: Exhibit) -> Explained:
    """Return what there is to say of a packed pair, as lines of text; null when nothing is."""
    try:
        pair = unpack(exhibit.payload)
    except UnreadableError:
        return Explained(exhibit.ticket, b"null")
    from comparators.explain import explain  # DeepDiff comes with the first question

    try:
        text = "\n".join(_lines(explain(pair.legacy.body, pair.modern.body)))
    except Exception as error:  # noqa: BLE001 - the explanation is a courtesy, the findings stand without it
        text = f"no explanation: {type(error).__name__}"
    return Explained(exhibit.ticket, orjson.dumps(text or None))


def _lines(explanation: Explanation) -> Iterator[str]:
    for detail in explanation.details:
        yield f"{detail.path or '(root)'}  {detail.change}: {detail.legacy or '-'} → {detail.modern or '-'}"
    yield from explanation.lines
    if explanation.note:
        yield explanation.note
