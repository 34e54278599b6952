"""Rewrites references to a backend in an answer's fields, so that a client sees none of its addresses and paths.

Location and Content-Location are one reference, Refresh has one behind its seconds, Link any number of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urljoin

from rules.ways_back import Way

FIELDS: Final = frozenset(("location", "content-location", "refresh", "link"))
_REFRESH: Final = re.compile(r"([0-9.]*\s*[;,]\s*(?:url\s*=\s*)?[\"']?)(.*?)([\"']?)", re.IGNORECASE).fullmatch
_LINK: Final = re.compile(r'(\banchor\s*=\s*")([^"]*)|"(?:[^"\\]|\\.)*"|(<\s*)([^<>]*)', re.IGNORECASE)
_AUTHORITY: Final = re.compile(
    r"(?:([a-z]+):)?[/\\]{2}(?:[^/?#\\@]*@)?([^/?#\\@]*)(.*)", re.IGNORECASE | re.DOTALL
).fullmatch
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:").match
_PORTS: Final = {"http": "80", "https": "443"}


class Locations:
    """What one side's references become; `urls` are those that its backend is known by. Nothing in it changes."""

    __slots__ = ("_hosts", "_ways")

    def __init__(self, urls: Iterable[str], ways: tuple[Way, ...]) -> None:
        found = (_AUTHORITY(url) for url in urls)
        self._hosts = {_host(each[1] or "", each[2]) for each in found if each is not None and each[2]}
        self._ways = ways

    def rewritten(self, name: str, value: str, own_origin: str, asked: str) -> str:
        """The value of field `name` (lower case) for the client; `asked` is the path that the side was asked for."""

        def rewrite(reference: str) -> str:
            return self._reference(reference, own_origin, asked)

        if name == "link":
            return _LINK.sub(lambda found: _in_link(found, rewrite), value)
        if name == "refresh":
            found = _REFRESH(value)
            return value if found is None else f"{found[1]}{rewrite(found[2])}{found[3]}"
        return rewrite(value)

    def _reference(self, reference: str, own_origin: str, asked: str) -> str:
        found = _AUTHORITY(reference)
        if found is None:
            return self._local(reference, asked)
        scheme, authority, rest = found[1] or "", found[2], found[3].replace("\\", "/")
        if scheme.lower() not in ("", "http", "https"):
            return reference
        path = self._back(rest)
        host = _host(scheme, authority)
        if host in self._hosts:
            return f"{own_origin}{rest if path is None else path}"
        # our own host in another scheme: a redirect to https must stay one
        if path is not None and host == _host(scheme, own_origin.partition("://")[2]):
            return f"{reference[: len(reference) - len(found[3])]}{path}"
        return reference

    def _local(self, reference: str, asked: str) -> str:
        """A reference without a host: on the same side, beside the path that was asked for."""
        if not self._ways or not reference or reference[0] in "?#" or _SCHEME(reference) is not None:
            return reference
        back = self._back(reference if reference.startswith("/") else urljoin(asked, reference))
        return reference if back is None else back

    def _back(self, reference: str) -> str | None:
        """The client's path for one of the side's own, with its query and fragment; None where no route leads there."""
        at = next((index for index, character in enumerate(reference) if character in "?#"), len(reference))
        path, behind = reference[:at] or "/", reference[at:]
        found = next((ours for way in self._ways if (ours := way.back(path)) is not None), None)
        return None if found is None else f"{found}{behind}"


def _in_link(found: re.Match[str], rewrite: Callable[[str], str]) -> str:
    if found[1] is not None:
        return f"{found[1]}{rewrite(found[2])}"
    if found[3] is not None:
        return f"{found[3]}{rewrite(found[4].strip())}"
    return found[0]


def _host(scheme: str, authority: str) -> tuple[str, str]:
    """Host and port as they are compared: without case, a dot at the end, the port that the scheme has anyway."""
    host, colon, port = authority.lower().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority.lower(), ""
    if port.lstrip("0") in (_PORTS.get(scheme.lower()), "") or (not scheme and port in _PORTS.values()):
        port = ""
    return host.removesuffix("."), port
