"""Writes heads from parsed fields; nothing raw is copied, the version is our own (RFC 9110 2.5)."""

from __future__ import annotations


def request(method: str, target: str, host: str, lines: list[str], own: str) -> bytes:
    """A request head for a backend; `own` are whole lines of ours, framing included, each with its CR LF."""
    if lines:
        passed = "\r\n".join(lines)
        return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{passed}\r\n{own}\r\n".encode("latin-1")
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{own}\r\n".encode("latin-1")


def response(status: int, reason: str, lines: list[str], own: str) -> bytes:
    """An answer head for a client; `own` are whole lines of ours, each with its CR LF."""
    if lines:
        passed = "\r\n".join(lines)
        return f"HTTP/1.1 {status} {reason}\r\n{passed}\r\n{own}\r\n".encode("latin-1")
    return f"HTTP/1.1 {status} {reason}\r\n{own}\r\n".encode("latin-1")
