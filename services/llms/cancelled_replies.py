"""Cancellation inside transformers: cancelled replies end at the next token, a forward pass at the next layer."""

from collections.abc import Callable

import torch
from transformers import StoppingCriteria

from services.cancellation import raise_if_cancelled


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


def stop_between_layers(model: torch.nn.Module) -> None:
    """Let a forward pass end at its next layer once the work of its thread was cancelled.

    A long prompt is read in one pass, and a pass has dozens of layers.
    """
    for stack in model.modules():
        for layer in stack if isinstance(stack, torch.nn.ModuleList) else ():
            layer.register_forward_pre_hook(_check)


def _check(*_: object) -> None:
    raise_if_cancelled()
