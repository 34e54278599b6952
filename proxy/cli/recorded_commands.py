"""The commands about recorded requests, as the command line knows them."""

from __future__ import annotations

from typing import Annotated

import typer

from proxy.cli.options import ConfigOption, JsonOption


def add_to(app: typer.Typer) -> None:
    """Add `replay`, `export`."""
    app.command()(replay)
    app.command()(export)


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Access log, HAR or JSON lines; may be packed.")],
    *,
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="This route's requests alone.")] = "",
    rate: Annotated[float, typer.Option("--rate", min=0, metavar="N", help="Requests a second; 0: no limit.")] = 10.0,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, metavar="N", help="How many at a time.")] = 8,
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="Ask at most so many; 0: all.")] = 0,
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", metavar="'K: V'", help="Sent with each request; repeatable.")
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Methods that change something, too: on both sides!")
    ] = False,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Keep differing pairs (redacted) here.")] = "",
    state: Annotated[
        str, typer.Option("--state", metavar="FILE", help="Remember here how far it came; go on there.")
    ] = "",
    config: ConfigOption = "proxy.yaml",
    json: JsonOption = False,
) -> None:
    """Put recorded requests to both sides, compare; needs no running proxy. 0 when all of it agreed."""
    from proxy.cli.replay import replay as do
    from proxy.traffic.replay import Wish

    wish = Wish(rate=rate, concurrency=concurrency, only=route, limit=limit)
    raise typer.Exit(do(config, file, header or [], wish, unsafe=unsafe, out=out, state=state, as_json=json))


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording.")],
    line: Annotated[int, typer.Argument(metavar="LINE", help="Which of its requests.")],
    *,
    form: Annotated[str, typer.Option("--as", metavar="FORM", help="curl, http or pytest.")] = "curl",
    origin: Annotated[str, typer.Option("--origin", metavar="URL", help="Where to send it.")] = "http://127.0.0.1:8080",
) -> None:
    """Write one recorded request for another tool."""
    from proxy.cli.export import export as do

    raise typer.Exit(do(file, line, form, origin))
