from __future__ import annotations

from collections.abc import Callable

import pytest

from rules.config import addresses
from rules.config.units import UnitError


@pytest.mark.parametrize(
    ("check", "written", "value"),
    [
        (addresses.listen, "127.0.0.1:8080", "127.0.0.1:8080"),
        (addresses.listen, "localhost:0", "localhost:0"),
        (addresses.listen, "[::1]:8080", "[::1]:8080"),
        (addresses.listen, "unix:/run/strangler.sock", "unix:/run/strangler.sock"),
        (addresses.listen, "unix:var/s.sock", "unix:var/s.sock"),
        (addresses.backend, "http://a", "http://a:80"),
        (addresses.backend, "https://a/", "https://a:443"),
        (addresses.backend, "http://A.Example:9001", "http://a.example:9001"),
        (addresses.backend, "http://[::1]:9001", "http://[::1]:9001"),
        (addresses.backend, "http://a_b:80", "http://a_b:80"),
        (addresses.backend, "unix:/run/app.sock", "unix:/run/app.sock"),
        (addresses.network, "10.0.0.0/8", "10.0.0.0/8"),
        (addresses.network, "127.0.0.1", "127.0.0.1/32"),
        (addresses.network, "::1", "::1/128"),
        (addresses.network, "unix", "unix"),
        (addresses.store, "memory", "memory"),
        (addresses.store, "sqlite:var/x.db", "sqlite:var/x.db"),
        (addresses.store, "sqlite:/var/x.db", "sqlite:/var/x.db"),
        (addresses.store, "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        (addresses.store, "rediss://r.example", "rediss://r.example"),
    ],
)
def test_an_address_is_taken(check: Callable[[str], str], written: str, value: str) -> None:
    assert check(written) == value


@pytest.mark.parametrize(
    ("check", "written", "hint"),
    [
        (addresses.listen, "8080", "127.0.0.1:8080 or unix:/path"),
        (addresses.listen, ":8080", "did you mean 0.0.0.0:8080?"),
        (addresses.listen, "a:99999", ""),
        (addresses.listen, "unix:", ""),
        (addresses.listen, "unix://run/x", ""),
        (addresses.backend, "a:80", "did you mean http://a:80?"),
        (addresses.backend, "ftp://a", "http://host:port, https://host:port or unix:/path"),
        (addresses.backend, "http://", "http://host:port, https://host:port or unix:/path"),
        (addresses.backend, "http://a:port", "http://host:port, https://host:port or unix:/path"),
        (addresses.backend, "http://[::1", "http://host:port, https://host:port or unix:/path"),
        (addresses.backend, "http://a/api", "paths are rewritten by a side's `path:`"),
        (addresses.backend, "http://a?x", "paths are rewritten by a side's `path:`"),
        (addresses.backend, "http://u@a", "set a header with a ${VARIABLE} instead"),
        (addresses.backend, "http://a b", ""),
        (addresses.network, "10.0.0.5/8", "did you mean 10.0.0.0/8?"),
        (addresses.network, "nginx", "written 10.0.0.0/8, 127.0.0.1 or `unix`"),
        (addresses.store, "sqlite://x.db", "did you mean sqlite:x.db?"),
        (addresses.store, "sqlite:", "memory, sqlite:PATH or redis://HOST:PORT/DB"),
        (addresses.store, "mysql://a", "memory, sqlite:PATH or redis://HOST:PORT/DB"),
        (addresses.store, "redis://:pw@a", "set STRANGLER_REDIS_PASSWORD"),
        (addresses.store, "redis://a/0?password=pw", "set STRANGLER_REDIS_PASSWORD"),
        (addresses.store, "rediss://a:1/0?db=1&PASS%57ORD=pw", "set STRANGLER_REDIS_PASSWORD"),
        (addresses.store, "redis://a/0?username=u", "set STRANGLER_REDIS_PASSWORD"),
        (addresses.store, "redis://a:x/0", "redis://HOST:PORT/DB"),
        (addresses.store, "redis://a/zero", "redis://HOST:PORT/DB"),
    ],
)
def test_what_is_no_address_is_refused(check: Callable[[str], str], written: str, hint: str) -> None:
    with pytest.raises(UnitError) as raised:
        check(written)

    assert raised.value.hint == hint
