"""From log-probabilities of the option letters to probabilities."""

import math
from collections.abc import Mapping


def shares(logprobs: Mapping[str, float]) -> dict[str, float]:
    """Return each letter's share of the probability that all letters hold together (softmax over them)."""
    best = max(logprobs.values())
    weights = {letter: math.exp(logprob - best) for letter, logprob in logprobs.items()}
    total = sum(weights.values())
    return {letter: weight / total for letter, weight in weights.items()}
