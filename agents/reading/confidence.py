"""Confidence of an answer: margin and entropy of its probabilities, temperature scaling, products of experts."""

from collections.abc import Mapping
from math import exp, log
from typing import NamedTuple, TypeAlias

Probabilities: TypeAlias = Mapping[str, float]
"""Option letter -> probability; they sum to 1, and empty means that nothing is known."""

TINY = 1e-9  # probability that stands for none, so that its logarithm exists


class Factor(NamedTuple):
    """One factor of a product of experts: a distribution over the options and its weight."""

    probabilities: Probabilities
    weight: float


class Confidence(NamedTuple):
    """Three views of one distribution, all in [0, 1]; all 0 where nothing is known."""

    top: float
    """Probability of the likeliest option."""
    margin: float
    """Its lead over the next one."""
    certainty: float
    """1 less the entropy, as a share of the most that this many options can have."""


def confidence(probabilities: Probabilities) -> Confidence:
    """Return how sure a distribution is."""
    if not probabilities:
        return Confidence(0.0, 0.0, 0.0)
    first, *rest = sorted(probabilities.values(), reverse=True)
    if not rest:
        return Confidence(first, first, 1.0)
    entropy = -sum(p * log(p) for p in probabilities.values() if p > 0)
    return Confidence(first, first - rest[0], max(0.0, 1 - entropy / log(len(probabilities))))


def apply_temperature(probabilities: Probabilities, temperature: float) -> dict[str, float]:
    """Return p ** (1 / temperature), made to sum to 1: above 1 less sure, below 1 surer, the order stays."""
    return pool_distributions(Factor(probabilities, 1 / temperature))


def pool_distributions(*parts: Factor) -> dict[str, float]:
    """Return the product of distributions over the same options, each to the power of its weight, summing to 1.

    A part about which nothing is known is left out.
    """
    known = [part for part in parts if part.probabilities]
    if not known:
        return {}
    logs = {
        letter: sum(part.weight * log(max(part.probabilities[letter], TINY)) for part in known)
        for letter in known[0].probabilities
    }
    highest = max(logs.values())
    powers = {letter: exp(value - highest) for letter, value in logs.items()}
    total = sum(powers.values())
    return {letter: power / total for letter, power in powers.items()}
