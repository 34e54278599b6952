"""A stable point in [0, 1) for a salt and a user, pinned by tests for ever.

`sha256` is ours; the others are the schemes of systems users come from, each with its own comparison:
a user who was in must stay in when the rollout moves here. None of them normalises the user: `Alice@` is not
`alice@`. A point is not for a user without a name: an empty id would be in for several schemes.
"""

from __future__ import annotations

import hashlib
from struct import Struct

from rules.hashes import fnv1a, js32, murmur2, murmur3

SCHEMES = ("sha256", "js32", "unleash", "launchdarkly", "growthbook", "flagd", "optimizely", "nginx")

# How many buckets the schemes with whole numbers have.
BUCKETS = {"js32": 100, "unleash": 100, "growthbook": 10_000, "flagd": 100_000, "optimizely": 10_000}

_first_eight = Struct(">Q").unpack_from
_LAST = 1.0 - 2.0**-53
_EVERYONE = 100.0
_HUNDREDTHS = 10_000
_NGINX_FULL = 0xFFFFFFFF


def bucket(salt: str, user: str, hash: str = "sha256") -> float:  # noqa: A002 - the public name
    """Return where a user stands in [0, 1); integer schemes return bucket / number of buckets.

    `js32` and `nginx` take no salt. ValueError for a scheme that is not in `SCHEMES`.
    """
    if hash == "sha256":
        point: float = _first_eight(hashlib.sha256(_utf8(f"{salt}:{user}")).digest())[0] / 18446744073709551616.0
        # The division rounds: the topmost hashes would become 1.0 itself.
        return point if point < 1.0 else _LAST
    return _foreign(salt, user, hash)


def admits(point: float, weight: float, hash: str = "sha256") -> bool:  # noqa: A002 - as above
    """Whether a point is in at a weight in percent, by the comparison of its scheme.

    Weights count in hundredths of a percent. 0 admits nobody, 100 everybody.
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
