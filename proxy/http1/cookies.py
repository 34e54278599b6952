"""Finds one cookie in a Cookie field, or takes it out."""

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


def without(header: str, name: str) -> str:
    """A Cookie field without every cookie `name`; as it is where there is none."""
    wanted = name + "="
    if wanted not in header:
        return header
    pairs = header.split(";")
    kept = [pair for pair in pairs if not pair.strip(" \t").startswith(wanted)]
    return header if len(kept) == len(pairs) else ";".join(kept).strip(" \t")
