"""Exact probabilities of counts: how improbable what was seen would be, if the truth were no worse than allowed.

A canary has small counts, so nothing here assumes the normal distribution. Tails are summed from the count
outwards until what is left cannot matter; a bound is found by halving the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, log, log1p

_NEGLIGIBLE = 1e-17
_HALVINGS = 50


def binomial_tail(count: int, trials: int, share: float) -> float:
    """Return the chance of `count` or more of `trials`, each with the chance `share` (0…1)."""
    if count <= 0:
        return 1.0
    if count > trials or share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    first = exp(_choices(trials, count) + count * log(share) + (trials - count) * log1p(-share))
    odds = share / (1.0 - share)
    return _summed(first, lambda at: (trials - at) / (at + 1) * odds, count, trials)


def hypergeometric_tail(count: int, drawn: int, others_count: int, others: int) -> float:
    """Return the chance that `count` or more of all failures were among the `drawn`, if the side made no difference.

    `drawn` requests went to one side, of which `count` failed, `others` to the other side, of which `others_count`
    failed. This is Fisher's exact test, one-sided (R. A. Fisher, Statistical Methods for Research Workers, 1934).
    """
    failed = count + others_count
    whole = drawn + others
    most = min(drawn, failed)
    if count <= max(0, failed - others):
        return 1.0
    first = exp(_choices(drawn, count) + _choices(others, failed - count) - _choices(whole, failed))
    spare = others - failed

    def ratio(at: int) -> float:
        return (drawn - at) * (failed - at) / ((at + 1) * (spare + at + 1))

    return _summed(first, ratio, count, most)


def least_share(count: int, trials: int, doubt: float) -> float:
    """Return the share that the truth lies above, but for a chance of `doubt` (Clopper, Pearson, Biometrika 1934)."""
    if count <= 0:
        return 0.0
    low, high = 0.0, count / trials
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if binomial_tail(count, trials, middle) > doubt else (middle, high)
    return low


def greatest_share(count: int, trials: int, doubt: float) -> float:
    """Return the share that the truth lies below, but for a chance of `doubt`: with 0 of n, about 3/n at 5 %."""
    return 1.0 - least_share(trials - count, trials, doubt) if trials else 1.0


def _choices(whole: int, part: int) -> float:
    """Return the logarithm of the number of ways to choose `part` of `whole`."""
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)


def _summed(first: float, ratio: Callable[[int], float], begin: int, end: int) -> float:
    """Return the sum of terms from `begin` to `end`, each its predecessor times its ratio."""
    term = total = first
    for at in range(begin, end):
        step = ratio(at)
        term *= step
        total += term
        if step < 1.0 and term <= total * _NEGLIGIBLE * (1.0 - step):
            break
    return min(1.0, total)
