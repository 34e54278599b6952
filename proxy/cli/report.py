"""`strangler report`: the migration report."""

from __future__ import annotations

from dashboards.report import markdown, page
from proxy.cli.client import client
from proxy.cli.files import print_json
from proxy.errors import EXIT_YES, ProxyError


def report(config: str, admin: str, form: str, *, as_json: bool) -> int:
    """Print the report of the running proxy as Markdown or as a page of its own."""
    reply = client(config, admin).get("/api/v1/report")
    if not reply.ok:
        raise ProxyError(str(reply.body.get("detail", "the proxy cannot tell what was migrated")))
    if as_json:
        print_json(reply.body)
    else:
        print(page(reply.body) if form == "html" else markdown(reply.body).rstrip("\n"))
    return EXIT_YES
