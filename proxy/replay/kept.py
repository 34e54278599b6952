"""Keeps pairs in a file, one JSON line each, redacted; reads them back to be judged again."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from comparators.model import Capture
from comparators.redaction import Redactor
from proxy.judge.redaction import Redactors
from proxy.recorded.request import UnreadableError


class Keeper:
    """Appends to a file that is for its owner alone."""

    def __init__(self, path: Path, redactors: Redactors) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8")
        self._redactors = redactors

    def put(self, route: str, legacy: Capture, modern: Capture) -> None:
        """Keep a pair; OSError when the disk says no."""
        redactor = self._redactors.of(route)
        sides = {"legacy": _side(legacy, redactor), "modern": _side(modern, redactor)}
        request = {"method": legacy.method, "target": redactor.target(legacy.path)}
        self._file.write(json.dumps({"route": route, "request": request, **sides}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Write out what is left."""
        self._file.close()


def _side(capture: Capture, redactor: Redactor) -> dict[str, Any]:
    seen = redactor.capture(capture)
    try:
        body = {"text": seen.body.decode()}
    except UnicodeDecodeError:
        body = {"base64": base64.b64encode(seen.body).decode()}
    return {"status": seen.status, "headers": [list(pair) for pair in seen.headers], **body}


def pairs(path: Path) -> Iterator[tuple[str, Capture, Capture]]:
    """Yield route, legacy's, modern's answer of each line; UnreadableError names a line that is no pair."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                pair = json.loads(line)
                request = pair["request"]
                yield pair["route"], _capture(request, pair["legacy"]), _capture(request, pair["modern"])
            except (ValueError, KeyError, TypeError) as error:
                raise UnreadableError(f"{path}:{number}: no pair of answers: {error!r}") from error


def _capture(request: dict[str, str], side: dict[str, Any]) -> Capture:
    body = side["text"].encode() if "text" in side else base64.b64decode(side["base64"])
    headers = tuple((str(name), str(value)) for name, value in side["headers"])
    return Capture(request["method"], request["target"], int(side["status"]), headers, body)
