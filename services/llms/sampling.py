"""From log-probabilities of the option letters to a reading."""

import math
from collections.abc import Mapping

from services.types import Reading, Usage


def best(logprobs: Mapping[str, float], *, num_tokens: int) -> Reading:
    """Return the likeliest letter of a prompt of `num_tokens`, each letter with its share of what all of them hold."""
    highest = max(logprobs.values())
    weights = {letter: math.exp(logprob - highest) for letter, logprob in logprobs.items()}
    total = sum(weights.values())
    return Reading(
        reply=max(weights, key=weights.__getitem__),
        probabilities={letter: weight / total for letter, weight in weights.items()},
        usage=Usage(prompt_tokens=num_tokens),
    )
