"""A request that means another method than it uses is mirrored only where that one may be."""

from __future__ import annotations

import pytest

from tests.support import raw
from tests.support.backend import always, ok
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy

FORM = "Content-Type: application/x-www-form-urlencoded"
CONFIRMED = ok(b"done", "X-Shadow-Dry-Run: 1")


async def dry(gateway: RunningProxy) -> Mirroring:
    """A mirror of GET, HEAD, POST before a side that keeps copies without effects."""
    legacy, modern = await gateway.backend(always(ok(b"done"))), await gateway.backend(always(CONFIRMED))
    return await mirroring(gateway, legacy, modern, methods=("GET", "HEAD", "POST"), writes="dry_run")


async def test_a_post_that_means_itself_is_mirrored(gateway: RunningProxy):
    mirror = await dry(gateway)

    assert await mirror.became(raw.post(b"a=1&method=DELETE", FORM)) == ("equal", "")


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ((FORM,), b"a=1&_method=DELETE"),
        (("Content-Type: application/json",), b'{"a": 1, "_method": "put"}'),
        (
            ("Content-Type: multipart/form-data; boundary=b",),
            b'--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\nPATCH\r\n--b--\r\n',
        ),
    ],
)
async def test_a_body_that_means_another_method_is_judged_by_that_one(
    gateway: RunningProxy, lines: tuple[str], body: bytes
):
    mirror = await dry(gateway)

    became = await mirror.became(raw.post(body, *lines))

    assert became == ("not_compared", "override")
    assert gateway.backends[1].wires == []


@pytest.mark.parametrize(
    "line",
    [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: PUT",
        "X-Method-Override: patch",
        "X_HTTP_Method_Override: DELETE",
        "X.HTTP.Method.Override: DELETE",
        "X-HTTP-Method-Override: POST\r\nX-HTTP-Method-Override: DELETE",
    ],
    ids=repr,
)
async def test_a_field_that_means_another_method_is_judged_by_that_one(gateway: RunningProxy, line: str):
    mirror = await dry(gateway)

    await mirror.proxy.ask(raw.post(b"a=1", FORM, line))
    await mirror.became(raw.get("/read"))

    assert [request.target for request in gateway.backends[1].requests] == ["/read"]
