"""Confidence of an answer: margin and entropy of its probabilities, temperature scaling, products of experts."""

from collections.abc import Mapping
from math import exp, log
from typing import NamedTuple, TypeAlias

Probabilities: TypeAlias = Mapping[str, float]
"""Option letter -> probability; they sum to 1. Empty: unknown."""

TINY = 1e-9  # floor of a probability, so that its logarithm exists


class Factor(NamedTuple):
    """One factor of a product of experts: a distribution over the options and its weight."""

    probabilities: Probabilities
    weight: float


class Confidence(NamedTuple):
    """Three measures of one distribution, each in [0, 1]; all 0 for an empty one."""

    top: float
    """Probability of the likeliest option."""
    margin: float
    """Its lead over the next one."""
    certainty: float
    """1 minus the normalised entropy."""


def measure_confidence(probabilities: Probabilities) -> Confidence:
    """Measure the confidence of a distribution."""
    if not probabilities:
        return Confidence(0.0, 0.0, 0.0)
    first, *rest = sorted(probabilities.values(), reverse=True)
    if not rest:
        return Confidence(first, first, 1.0)
    entropy = -sum(p * log(p) for p in probabilities.values() if p > 0)
    return Confidence(first, first - rest[0], max(0.0, 1 - entropy / log(len(probabilities))))


def apply_temperature(probabilities: Probabilities, temperature: float) -> dict[str, float]:
    """Return p ** (1 / temperature), normalised: above 1 flatter, below 1 sharper, the order stays."""
    return pool_distributions(Factor(probabilities, 1 / temperature))


def pool_distributions(*parts: Factor) -> dict[str, float]:
    """Return the product of distributions over the same options, each to the power of its weight, summing to 1.

    An empty distribution is left out.
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
