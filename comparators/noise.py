"""The way into what legacy varies by itself: learned from pairs of its own answers, hidden by rules."""

from comparators.noise_learning import Learner, Suggestion
from comparators.noise_own import is_cut, is_piecewise, own_rules
from comparators.noise_rules import MASKED, NoiseRule, hides, masked, place_of
from comparators.noise_text import is_about_money
from comparators.noise_tokens import observed as observed_tokens

__all__ = [
    "MASKED", "Learner", "NoiseRule", "Suggestion", "hides", "is_about_money", "is_cut", "is_piecewise", "masked",
    "observed_tokens", "own_rules", "place_of",
]  # fmt: skip
