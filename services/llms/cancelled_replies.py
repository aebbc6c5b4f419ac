"""Cancellation inside `generate` of transformers: replies that were cancelled end at the next token."""

from collections.abc import Callable

import torch
from transformers import StoppingCriteria


class StopWhenCancelled(StoppingCriteria):  # type: ignore[misc]
    """Ends each cancelled reply of a batch.

    Args:
        is_cancelled: number of a reply in the batch -> whether it was cancelled.
    """

    def __init__(self, is_cancelled: Callable[[int], bool]) -> None:
        self._is_cancelled = is_cancelled

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:  # noqa: ARG002
        """Return which replies end here, shape (num_prompts,)."""
        return torch.tensor([self._is_cancelled(n) for n in range(len(input_ids))], device=input_ids.device)
