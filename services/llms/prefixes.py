"""Prefix sharing: the tokens that several prompts begin with are read once."""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

TokenSequence: TypeAlias = Sequence[Hashable]  # of a prompt, or their ids

MIN_SHARED = 0.5  # part of its tokens that a prompt has to share to be read with others


def count_shared(prompts: Sequence[TokenSequence]) -> int:
    """Return how many tokens all prompts begin with alike: each keeps one of its own, one alone shares none."""
    if len(prompts) == 1:
        return 0
    shortest = min(map(len, prompts)) - 1
    first = prompts[0]
    return next((n for n in range(shortest) if any(prompt[n] != first[n] for prompt in prompts)), shortest)


def group_by_prefix(prompts: Sequence[TokenSequence]) -> list[list[int]]:
    """Group the numbers of prompts that share most of their tokens from the start."""
    groups: list[list[int]] = []
    for number, prompt in enumerate(prompts):
        for group in groups:
            if count_shared([prompts[group[0]], prompt]) >= MIN_SHARED * len(prompt):
                group.append(number)
                break
        else:
            groups.append([number])
    return groups
