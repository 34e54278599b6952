"""The non-cryptographic hash functions of other rollout systems, bit for bit."""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_SIGN = 0x80000000


def murmur3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3 x86 32-bit, unsigned."""
    state = seed
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        state ^= _scramble(int.from_bytes(data[start : start + 4], "little"))
        state = ((state << 13) | (state >> 19)) & _MASK
        state = (state * 5 + 0xE6546B64) & _MASK
    if whole < len(data):
        state ^= _scramble(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _MASK
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _MASK
    return state ^ (state >> 16)


def murmur2(data: bytes) -> int:
    """MurmurHash2 with seed 0 as nginx spells it, unsigned."""
    multiplier = 0x5BD1E995
    state = len(data)
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        block = (int.from_bytes(data[start : start + 4], "little") * multiplier) & _MASK
        block = ((block ^ (block >> 24)) * multiplier) & _MASK
        state = ((state * multiplier) & _MASK) ^ block
    if whole < len(data):
        state = ((state ^ int.from_bytes(data[whole:], "little")) * multiplier) & _MASK
    state = ((state ^ (state >> 13)) * multiplier) & _MASK
    return state ^ (state >> 15)


def fnv1a(text: str) -> int:
    """FNV-1a 32-bit over code points, as GrowthBook's Python SDK does it."""
    state = 0x811C9DC5
    for character in text:
        state = ((state ^ ord(character)) * 0x01000193) & _MASK
    return state


def js32(text: str) -> int:
    """The `h = ((h << 5) - h) + c | 0` of JavaScript over UTF-16 units, signed."""
    state = 0
    units = text.encode("utf-16-le", "surrogatepass")
    for start in range(0, len(units), 2):
        state = (state * 31 + units[start] + (units[start + 1] << 8)) & _MASK
    return state - (_MASK + 1) if state & _SIGN else state


def _scramble(block: int) -> int:
    block = (block * 0xCC9E2D51) & _MASK
    block = ((block << 15) | (block >> 17)) & _MASK
    return (block * 0x1B873593) & _MASK
