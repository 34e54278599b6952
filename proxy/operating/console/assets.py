"""Serves the console's stylesheet, script, icon."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from aiohttp import web

import dashboards

_FOLDER = Path(dashboards.__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> Sequence[web.RouteDef]:
    """Return one path for each file; they are read once."""
    return tuple(_route(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES)


def _route(path: Path) -> web.RouteDef:
    data = path.read_bytes()
    tag = sha256(data).hexdigest()[:16]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}

    async def asset(request: web.Request) -> web.Response:
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=data, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)

    return web.get(f"/static/{path.name}", asset)
