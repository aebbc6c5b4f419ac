"""Contrastive training of a naming head: pooled features against all names at once (InfoNCE).

The loss is that of the connector (`lalm/train/alignment/contrast.py`), but a step takes milliseconds, because the
factors of each clip are computed once.
"""

# Shape suffixes: C clips, F factors, H backbone width, B names of the bank

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lalm.model.naming_head import NamingHead
from lalm.naming.clips import NamedClips
from lalm.train.alignment.clip_batches import optimise
from lalm.train.alignment.contrast import MAX_SCALE, TEMPERATURE, compute_info_nce
from lalm.train.config import ScheduleConfig


class NameBank:
    """Bank of all names to distinguish, as unit vectors.

    Args:
        names: in order.
        vectors_BH: embeddings of the names, of any length.
    """

    def __init__(self, names: Sequence[str], vectors_BH: Tensor) -> None:
        self.names = tuple(names)
        self.vectors_BH = F.normalize(vectors_BH, dim=-1)
        self._place = {name: number for number, name in enumerate(names)}

    def mark(self, labels: Sequence[frozenset[str]]) -> Tensor:
        """Mark the names of each clip, shape (C, B), bool."""
        is_named_CB = torch.zeros(len(labels), len(self.names), dtype=torch.bool)
        for row, names in enumerate(labels):
            is_named_CB[row, [self._place[name] for name in names]] = True
        return is_named_CB


def train_head(head: NamingHead, clips: NamedClips, bank: NameBank, config: ScheduleConfig) -> Iterator[float]:
    """Calibrate and train a head, and yield the loss of each step; rare names are drawn more often.

    PyTorch's generator draws clips and dropout: the caller seeds it, before the head is made.
    """
    with torch.no_grad():
        head.calibrate(clips.pooled_CP)
        factors_CF = head.reduce(clips.pooled_CP)
    is_named_CB = bank.mark(clips.labels)
    frequency_B = is_named_CB.sum(0).clamp(min=1).float()
    rarest_C = (is_named_CB / frequency_B).amax(1)
    log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def compute_loss() -> Tensor:
        drawn = torch.multinomial(rarest_C.sqrt(), config.clips, replacement=True)
        logits_CB = log_scale.exp().clamp(max=MAX_SCALE) * head(factors_CF[drawn]) @ bank.vectors_BH.T
        heard_CB = is_named_CB[drawn]
        is_drawn_B = heard_CB.any(0)
        by_name = compute_info_nce(logits_CB.T[is_drawn_B], heard_CB.T[is_drawn_B])
        return (compute_info_nce(logits_CB, heard_CB) + by_name) / 2

    head.train()
    yield from optimise(config, [*head.parameters(), log_scale], compute_loss)
    head.eval()


@torch.inference_mode()
def measure_naming(head: NamingHead, clips: NamedClips, bank: NameBank) -> float:
    """Return the share of clips whose nearest name, among those of all clips, is one of their own."""
    is_named_CB = bank.mark(clips.labels)
    is_used_B = is_named_CB.any(0)
    nearest_C = (head(head.reduce(clips.pooled_CP)) @ bank.vectors_BH[is_used_B].T).argmax(1)
    return is_named_CB[:, is_used_B].gather(1, nearest_C[:, None]).float().mean().item()
