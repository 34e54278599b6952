"""Collects an answer that has to be translated before the client may see any of it."""

from __future__ import annotations

from typing import Final

from proxy.http1 import ResponseHead
from proxy.serving.reply import without_length
from proxy.serving.transform import Translation
from rules.routing.rewrite import TranslationError

ANSWER_AT_MOST: Final = 1024 * 1024
_SUCCESS_BELOW: Final = 300


class Gathering:
    """One answer's body so far, at most ANSWER_AT_MOST bytes."""

    __slots__ = ("_head", "_pieces", "_size", "_translation")

    def __init__(self, head: ResponseHead, translation: Translation) -> None:
        self._head = head
        self._translation = translation
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> bool:
        """Take a piece; False when the answer is too large to be translated."""
        self._size += len(piece)
        self._pieces.append(piece)
        return self._size <= ANSWER_AT_MOST

    def translated(self) -> tuple[ResponseHead, bytes]:
        """Head and body for the client; raises TranslationError for a good answer that is not what was declared.

        An error that is no JSON (a crash page, a gateway's own words) passes as it is.
        """
        head, whole = self._head, b"".join(self._pieces)
        data = self._translation.answer_body(head.lines, whole)
        if data is None:
            if head.status < _SUCCESS_BELOW:
                raise TranslationError("the answer is no JSON")
            data = whole
        head.lines = [*without_length(head.lines), f"Content-Length: {len(data)}"]
        head.length = len(data)
        head.chunked = False
        return head, data
