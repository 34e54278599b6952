from __future__ import annotations

import pytest

from rules.routing.mirroring import LOOKED_AT, meant_method


@pytest.mark.parametrize(
    ("method", "target", "body", "meant"),
    [
        ("POST", "/a", b"", "POST"),
        ("POST", "/a?_method=delete", b"", "DELETE"),
        ("POST", "/a?x=1&_method=PUT&y=2", b"", "PUT"),
        ("POST", "/a?my_method=PUT", b"", "POST"),
        ("POST", "/a", b"_method=PATCH", "PATCH"),
        ("POST", "/a", b"a=1&_method=patch&b=2", "PATCH"),
        ("POST", "/a", b"a_method=PATCH", "POST"),
        ("POST", "/a", b'{"_method" : "DELETE"}', "DELETE"),
        ("POST", "/a", b'--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\nPUT\r\n--b--', "PUT"),
        ("POST", "/a", b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nPUT\r\n--b--', "POST"),
        ("GET", "/a?_method=DELETE", b"", "GET"),
        ("PUT", "/a?_method=DELETE", b"", "PUT"),
        ("POST", "/a", b"x" * LOOKED_AT + b"&_method=PUT", "POST"),
    ],
)
def test_a_post_means_what_its_method_field_says(method: str, target: str, body: bytes, meant: str) -> None:
    assert meant_method(method, target, body) == meant
