"""Comparing, as far as control does it: pairs in, verdicts counted, differences stored."""
