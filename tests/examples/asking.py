"""Sends one side a request over a real connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from examples.paymenter.sides import Legacy, Modern, token_for

Side = Legacy | Modern


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case, the last of repeated ones."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    side: Side,
    method: str,
    path: str,
    *,
    user: int | None = None,
    body: object = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Answer:
    """One request on a connection of its own, as `user` with a fresh token where one is named."""
    sent = dict(headers or {})
    data: bytes | None = None
    if user is not None:
        sent["Authorization"] = f"Bearer {token_for(user, side.database.key)}"
    if form is not None:
        data = urlencode(form).encode()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(side.host, side.port, timeout=timeout)
    try:
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()
