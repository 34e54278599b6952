"""Finds one cookie in a Cookie field."""

from __future__ import annotations


def value_of(header: str, name: str) -> str | None:
    """The first value of cookie `name` (RFC 6265 5.4), quotes taken off; None when absent."""
    wanted = name + "="
    start = header.find(wanted)
    while start >= 0:
        if start == 0 or header[start - 1] in "; ":
            begin = start + len(wanted)
            end = header.find(";", begin)
            value = (header[begin:] if end < 0 else header[begin:end]).strip(" \t")
            return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        start = header.find(wanted, start + 1)
    return None
