"""The obvious proxy in 60 lines of aiohttp, as a team writes it in an afternoon.

Arguments: the port to listen on, the port of legacy, the port of modern.
"""

from __future__ import annotations

import asyncio
import random
import sys

import aiohttp
from aiohttp import web

HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Proxy:
    """Forward with one client session to two sides, with a draw for each request."""

    def __init__(self, session: aiohttp.ClientSession, legacy: str, modern: str) -> None:
        self.session = session
        self.sides = (legacy, modern)

    async def handle(self, request: web.Request) -> web.Response:
        side = random.choice(self.sides)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        headers["X-Forwarded-For"] = request.remote or ""
        async with self.session.request(
            request.method,
            side + request.path_qs,
            headers=headers,
            data=await request.read() or None,
            allow_redirects=False,
        ) as answer:
            passed = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, headers=passed, body=await answer.read())


async def main(port: int, legacy: int, modern: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        proxy = Proxy(session, f"http://127.0.0.1:{legacy}", f"http://127.0.0.1:{modern}")
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
