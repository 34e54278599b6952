"""`location: rewrite`: no reference in a response shows a backend's address, or a path that only it has."""

from __future__ import annotations

import pytest

from proxy.worker.locations import Locations
from rules.model import HeaderEdit, Match, Route, SidePolicy
from tests.support.backend import Backend, always, ok, on_head
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.snapshots import route

USERS = ("/users/{id}", "/new/users/{id}")
FILES = ("/files/**", "/new/files/**")


def routes(backend: str = "modern") -> list[Route]:
    pairs = {"users": USERS, "files": FILES, "plain": ("/plain/**", None)}
    edit = HeaderEdit(set=(("Host", "inner.test"),))
    return [
        route(
            name=name, match=Match(ours), modern=SidePolicy(backend, path=theirs, rewrite_location=True, headers=edit)
        )
        for name, (ours, theirs) in pairs.items()
    ]


async def said(gateway: RunningProxy, line: str) -> tuple[str, Backend]:
    """What becomes of a line of modern's; {b} is its authority, {p} its port."""
    backend = await gateway.backend()
    name, _, value = _filled(line, backend).partition(": ")
    backend.scripts = (always(ok(b"", f"{name}: {value}", status="201 Created")),)
    proxy = await gateway.proxy(backend, backend, routes=routes())
    answer = await proxy.ask(get("/users/7", host="shop.test"))
    return f"{name}: {answer.field(name)}", backend


def _filled(line: str, backend: Backend) -> str:
    return line.replace("{p}", str(backend.port)).replace("{b}", f"127.0.0.1:{backend.port}")


ADDRESSES = [
    ("Location: http://{b}/x", "Location: http://shop.test/x"),
    ("location: //{b}/x", "location: http://shop.test/x"),
    ("Location: HTTP://{b}/x", "Location: http://shop.test/x"),
    ("Location: https://{b}/x?a=1#b", "Location: http://shop.test/x?a=1#b"),
    ("Location: http:\\\\{b}\\x", "Location: http://shop.test/x"),
    ("Location: http://user:secret@{b}/x", "Location: http://shop.test/x"),
    ("Location: http://{b}", "Location: http://shop.test"),
    ("Location: http://{b}?a", "Location: http://shop.test?a"),
    ("Location: http://inner.test/x", "Location: http://shop.test/x"),
    ("Location: /\\{b}/x", "Location: http://shop.test/x"),
    ("Location: \\\\{b}\\x", "Location: http://shop.test/x"),
    ("Location: /\\elsewhere.test/x", "Location: /\\elsewhere.test/x"),
    ("Location: http://INNER.test.:80/x", "Location: http://shop.test/x"),
    ("Location: https://inner.test:443/x", "Location: http://shop.test/x"),
    ("Content-Location: http://{b}/x", "Content-Location: http://shop.test/x"),
    ("Refresh: 5; url=http://{b}/x", "Refresh: 5; url=http://shop.test/x"),
    ('Refresh: 0;URL="http://{b}/x"', 'Refresh: 0;URL="http://shop.test/x"'),
    ("Refresh: 0, //{b}/x", "Refresh: 0, http://shop.test/x"),
    ("Refresh: 5", "Refresh: 5"),
    (
        'Link: <http://{b}/x?p=2>; rel="next"; title="<http://{b}>", <//{b}/y>;rel=last',
        'Link: <http://shop.test/x?p=2>; rel="next"; title="<http://{b}>", <http://shop.test/y>;rel=last',
    ),
    ('Link: <https://cdn.test/a.css>; anchor="http://{b}/x"', 'Link: <https://cdn.test/a.css>; anchor="http://shop.test/x"'),
    ("Location: http://127.0.0.1:1{p}/x", "Location: http://127.0.0.1:1{p}/x"),
    ("Location: http://127.0.0.1/x", "Location: http://127.0.0.1/x"),
    ("Location: http://{b}.evil.test/x", "Location: http://{b}.evil.test/x"),
    ("Location: https://elsewhere.test/new/users/7", "Location: https://elsewhere.test/new/users/7"),
    ("Location: mailto:a@inner.test", "Location: mailto:a@inner.test"),
    ("Location: myapp://inner.test/x", "Location: myapp://inner.test/x"),
    ("X-Next: http://{b}/x", "X-Next: http://{b}/x"),
]  # fmt: skip
PATHS = [
    ("Location: /new/users/42", "Location: /users/42"),
    ("Location: /new/users/42?tab=a#b", "Location: /users/42?tab=a#b"),
    ("Location: http://{b}/new/users/42", "Location: http://shop.test/users/42"),
    ("Location: //inner.test/new/files/a%2Fb//c", "Location: http://shop.test/files/a%2Fb//c"),
    ("Location: http://shop.test/new/users/42", "Location: http://shop.test/users/42"),
    ("Location: https://shop.test/new/users/42", "Location: https://shop.test/users/42"),
    ("Location: https://shop.test/users/7", "Location: https://shop.test/users/7"),
    ("Location: 42", "Location: /users/42"),
    ("Location: ../files/a", "Location: /files/a"),
    ("Location: ?page=2", "Location: ?page=2"),
    ("Location: /users/42", "Location: /users/42"),
    ("Location: /plain/x", "Location: /plain/x"),
    ("Location: /new/unknown", "Location: /new/unknown"),
    ("Content-Location: /new/users/42", "Content-Location: /users/42"),
    ("Refresh: 1; url=/new/users/42", "Refresh: 1; url=/users/42"),
    ("Link: </new/users/8>; rel=next, </new/files/a>; rel=item", "Link: </users/8>; rel=next, </files/a>; rel=item"),
]


@pytest.mark.parametrize(("line", "seen"), [*ADDRESSES, *PATHS], ids=[line for line, _ in (*ADDRESSES, *PATHS)])
async def test_a_reference_leads_to_us(gateway: RunningProxy, line: str, seen: str) -> None:
    found, backend = await said(gateway, line)

    assert found == _filled(seen, backend)
    assert backend.requests[0].target == "/new/users/7"


def test_a_default_port_may_be_written_out() -> None:
    locations = Locations(["http://app.internal", "https://[2001:db8::1]"], ())
    ours = ("http://app.internal:80/x", "http://APP.internal/x", "//app.internal:80/x", "https://app.internal/x",
            "https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x")  # fmt: skip

    assert {locations.rewritten("location", each, "https://shop.test", "/") for each in ours} == {"https://shop.test/x"}
    other = "http://app.internal:8080/x"
    assert locations.rewritten("location", other, "https://shop.test", "/") == other


async def test_an_early_hint_shows_no_address_either(gateway: RunningProxy) -> None:
    backend = await gateway.backend()
    hint = f"HTTP/1.1 103 Early Hints\r\nLink: <{backend.url}/a.css>; rel=preload\r\n\r\n".encode()
    backend.scripts = (on_head(hint + ok()),)
    proxy = await gateway.proxy(backend, backend, routes=routes())

    answer = await proxy.ask(get("/users/7"))

    assert answer.interim[0].field("link") == "<http://example.test/a.css>; rel=preload"


async def test_what_is_kept_is_kept(gateway: RunningProxy) -> None:
    """Contract: `location: keep`."""
    backend = await gateway.backend()
    backend.scripts = (always(ok(b"", f"Location: {backend.url}/new/users/42", status="302 Found")),)
    policy = SidePolicy("modern", path=USERS[1])
    proxy = await gateway.proxy(backend, backend, routes=[route(match=Match(USERS[0]), modern=policy)])

    assert (await proxy.ask(get("/users/7"))).field("location") == f"{backend.url}/new/users/42"


async def test_a_captured_segment_and_the_way_back_to_it_keep_their_bytes(gateway: RunningProxy) -> None:
    def script(request: Message) -> bytes:
        return ok(b"", f"Location: {request.target}", status="201 Created")

    backend = await gateway.backend(always(script))
    proxy = await gateway.proxy(backend, backend, routes=routes())

    for path in ("/files/a%2Fb//c;v=1", "/users/a;v=1", "/files/jos%c3%a9"):
        answer = await proxy.ask(post(b"x", target=path))
        assert answer.field("location") == path
    assert [request.target for request in backend.requests] == [
        "/new/files/a%2Fb//c;v=1", "/new/users/a;v=1", "/new/files/jos%c3%a9",
    ]  # fmt: skip
