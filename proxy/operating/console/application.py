"""Puts the console together."""

from __future__ import annotations

from aiohttp import web

from proxy.operating.access import Access
from proxy.operating.console import acts, assets, entrance
from proxy.operating.console.desk import Control, Desk
from proxy.operating.console.documents import Documents
from proxy.operating.console.live import Live
from proxy.operating.console.pages import Pages
from proxy.operating.console.visitors import Visitors
from proxy.operating.rates import Rates


def add_console(app: web.Application, control: Control, access: Access, wrong: Rates) -> Visitors:
    """Add every path of the console to `app`; return who knows its visitors."""
    desk = Desk(control)
    documents = Documents(desk)
    visitors = Visitors(access)
    pages = Pages(documents, visitors)
    live = Live(pages)
    app.add_routes(
        (
            *assets.routes(),
            *entrance.routes(access, visitors, wrong),
            *pages.routes(),
            *live.routes(),
            *acts.routes(desk, documents, visitors),
        )
    )
    app.on_shutdown.append(live.close)
    return visitors
