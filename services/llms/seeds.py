"""Seeds of drawn replies: each prompt has its own, so that a reply does not depend on what was asked before."""

import hashlib
from collections.abc import Iterable

from services.types import Sampling

SEED_BITS = 31  # what every sampler takes


def seed_of(sampling: Sampling, prompts: Iterable[object]) -> int:
    """Return the seed for prompts that are read together."""
    text = repr((sampling.seed, *prompts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()) >> (256 - SEED_BITS)
