"""Names the packages that this application needs, and answers in its place where one is missing."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

# module: what `pip install` calls it; the same as the extra `example` of pyproject.toml and what the proxy needs itself
PACKAGES = {
    "bcrypt": "bcrypt",
    "fastapi": "fastapi",
    "pydantic": "pydantic",
    "python_multipart": "python-multipart",
    "sqlalchemy": "sqlalchemy",
    "uvicorn": "uvicorn",
}
MYSQL = {"pymysql": "pymysql"}


def lacking(url: str) -> str:
    """What this Python has not, as a sentence; empty if nothing is missing for the database at `url`."""
    needed = PACKAGES | (MYSQL if url.startswith("mysql:") else {})
    missing = {name: package for name, package in needed.items() if importlib.util.find_spec(name) is None}
    return f"Python lacks {', '.join(missing)}: pip install {' '.join(missing.values())}" if missing else ""


class Refusing:
    """Answers every request with 503 and the sentence."""

    def __init__(self, sentence: str) -> None:
        self._body = json.dumps({"status": "down", "message": sentence}).encode()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Serve as an ASGI application."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self._body))]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})
