"""Where a user falls in [0, 1): the same point for the same salt and user, as other systems compute it.

`sha256` is ours; the others are the schemes of systems users come from, each with its own comparison:
a user who was included must stay so when the rollout moves here. None of them normalises the user: `Alice@` is not
`alice@`. An empty id gets no point: several schemes would include it.
"""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import Final

# The non-cryptographic hash functions of other rollout systems, bit for bit.


_MASK: Final = 0xFFFFFFFF
_SIGN: Final = 0x80000000


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


SCHEMES: Final = ("sha256", "js32", "unleash", "launchdarkly", "growthbook", "flagd", "optimizely", "nginx")

# How many buckets the schemes with whole numbers have.
BUCKETS: Final = {"js32": 100, "unleash": 100, "growthbook": 10_000, "flagd": 100_000, "optimizely": 10_000}

_first_eight = Struct(">Q").unpack_from
_LAST: Final = 1.0 - 2.0**-53
_EVERYONE: Final = 100.0
_HUNDREDTHS: Final = 10_000
_NGINX_FULL: Final = 0xFFFFFFFF


def bucket(salt: str, user: str, hash: str = "sha256") -> float:  # noqa: A002 - the public name
    """Return a user's point in [0, 1); integer schemes return bucket / number of buckets.

    `js32` and `nginx` take no salt. ValueError for a scheme that is not in `SCHEMES`.
    """
    if hash == "sha256":
        point: float = _first_eight(hashlib.sha256(_utf8(f"{salt}:{user}")).digest())[0] / 18446744073709551616.0
        # The division rounds: the topmost hashes would become 1.0 itself.
        return point if point < 1.0 else _LAST
    return _foreign(salt, user, hash)


def admits(point: float, weight: float, hash: str = "sha256") -> bool:  # noqa: A002 - as above
    """Whether a point is included at a weight in percent, by the comparison of its scheme.

    Weights count in hundredths of a percent. 0 includes no user, 100 every user.
    """
    if weight <= 0.0:
        return False
    if weight >= _EVERYONE:
        return True
    hundredths = round(weight * 100.0)
    if hash in {"sha256", "launchdarkly"}:
        return point < weight / 100.0
    if hash == "nginx":
        return round(point * 4294967296.0) < hundredths * _NGINX_FULL // 10000
    return _steps_in(point, hundredths, hash)


def _steps_in(point: float, hundredths: int, scheme: str) -> bool:
    """Compare a bucket of an integer scheme with a weight in hundredths of a percent."""
    buckets = BUCKETS[scheme]
    number = round(point * buckets)
    if scheme == "unleash":
        number += 1
    reached = number * (_HUNDREDTHS // buckets) if buckets <= _HUNDREDTHS else number / (buckets // _HUNDREDTHS)
    return reached <= hundredths if scheme in {"unleash", "growthbook"} else reached < hundredths


def _foreign(salt: str, user: str, scheme: str) -> float:
    if scheme == "launchdarkly":
        digest = hashlib.sha1(_utf8(f"{salt}.{user}"), usedforsecurity=False).hexdigest()
        return min(int(digest[:15], 16) / 0xFFFFFFFFFFFFFFF, _LAST)
    if scheme == "nginx":
        return murmur2(_utf8(user)) / 4294967296.0
    if scheme not in BUCKETS:
        raise ValueError(f"no hash scheme {scheme!r}; there are {', '.join(SCHEMES)}")
    return _number(salt, user, scheme) / BUCKETS[scheme]


def _number(salt: str, user: str, scheme: str) -> int:
    """Return the bucket an integer scheme puts a user in."""
    if scheme == "js32":
        return abs(js32(user)) % 100
    if scheme == "unleash":
        return murmur3(_utf8(f"{salt}:{user}")) % 100
    if scheme == "growthbook":
        return fnv1a(str(fnv1a(salt + user))) % 10000
    if scheme == "flagd":
        return murmur3(_utf8(salt + user)) * BUCKETS[scheme] >> 32
    return murmur3(_utf8(user + salt), 1) * BUCKETS[scheme] >> 32


def _utf8(text: str) -> bytes:
    """Encode an id; lone surrogates (a JWT may hold them) must not make a request fail."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
