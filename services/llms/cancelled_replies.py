"""Replies of transformers' models that end where nobody waits for them any more."""

from collections.abc import Callable

import torch
from transformers import StoppingCriteria


class UntilUnwanted(StoppingCriteria):  # type: ignore[misc]
    """Ends each reply of a batch that nobody waits for any more."""

    def __init__(self, is_wanted: Callable[[int], bool]) -> None:
        self._is_wanted = is_wanted

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:  # noqa: ARG002
        """Return who is to end, shape (num_prompts,)."""
        return torch.tensor([not self._is_wanted(n) for n in range(len(input_ids))], device=input_ids.device)
