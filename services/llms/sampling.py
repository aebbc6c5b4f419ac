"""Sampling: softmax over the option letters, and the seeds of sampled replies."""

import hashlib
import math
from collections.abc import Iterable, Mapping

from services.request_context import get_context
from services.types import Reading, Sampling, Usage

SEED_BITS = 31  # what every sampler takes


def pick_likeliest(logprobs: Mapping[str, float], *, num_tokens: int) -> Reading:
    """Return the likeliest letter of a prompt of `num_tokens`, and the probability of each letter among them."""
    highest = max(logprobs.values())
    weights = {letter: math.exp(logprob - highest) for letter, logprob in logprobs.items()}
    total = sum(weights.values())
    return Reading(
        reply=max(weights, key=weights.__getitem__),
        probabilities={letter: weight / total for letter, weight in weights.items()},
        usage=Usage(prompt_tokens=num_tokens),
    )


def list_reply_options() -> dict[str, object]:
    """Return how the client of this request wants an open reply to be written, as fields of OpenAI's API."""
    options = get_context().reply_options
    return {} if options is None else options.model_dump(exclude_defaults=True)


def derive_seed(sampling: Sampling, prompts: Iterable[object]) -> int:
    """Return the seed for prompts that are read together: each prompt has its own, whatever was asked before."""
    text = repr((sampling.seed, *prompts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()) >> (256 - SEED_BITS)
