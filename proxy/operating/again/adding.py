"""Adds to a group's document how each example can be asked again."""

from __future__ import annotations

from typing import Any

from proxy.operating.again.question import question
from proxy.operating.again.writing import WRITERS
from rules.model import Snapshot


def with_questions(document: dict[str, Any] | None, snapshot: Snapshot) -> dict[str, Any] | None:
    """Return the document with `again` in each example: by form the text, None where nothing can be asked any more."""
    if document is None:
        return None
    for example in document["examples"]:
        found = question(snapshot, document["route"], example)
        example["again"] = None if found is None else {form: writer(found) for form, writer in WRITERS.items()}
    return document
