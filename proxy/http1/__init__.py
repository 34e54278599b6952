"""HTTP/1.1 without sockets: bytes in, heads, bodies or refusals out (RFC 9110, RFC 9112)."""
