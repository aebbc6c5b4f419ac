"""Naming head: embeds a clip among the names of sounds, beside the likelihoods of the backbone.

A small generative LALM often fails to name an instrument that a linear probe recognises (docs/log). The head is trained
by contrast with names, as CLAP is (arXiv:2206.04769), and the score of an option becomes its likelihood
(`lalm/runtimes/in_process.py`) plus a weight times its cosine similarity to the clip.

Mean, standard deviation and maximum over time of every tap of the head's own frozen encoders are standardised and
reduced to principal components; two linear layers bring them into the space of names (`lalm/model/name_space.py`).
"""

# Shape suffixes: K taps, T frames, E encoder width, P pooled values, F factors, S segments, H backbone width

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lalm.model.config import NamingConfig
from lalm.model.frames import EncodedSegment, TapShape

LIMIT = 6.0  # standard deviations at which an outlier is clamped
MIN_DEVIATION = 1e-3  # of a pooled value, so that a constant one is not amplified
NUM_STATISTICS = 3  # mean, deviation, maximum


class NamingHead(nn.Module):
    """Maps the pooled features of a segment to a unit vector among names.

    Args:
        config: its size.
        shapes: of the taps of its encoders, in order.
        backbone_width: H.
    """

    mean_P: Tensor
    deviation_P: Tensor
    components_PF: Tensor
    weight: Tensor

    def __init__(self, config: NamingConfig, shapes: Sequence[TapShape], *, backbone_width: int) -> None:
        super().__init__()
        num_pooled = NUM_STATISTICS * sum(one.num_taps * one.width for one in shapes)
        self.register_buffer("mean_P", torch.zeros(num_pooled))
        self.register_buffer("deviation_P", torch.ones(num_pooled))
        self.register_buffer("components_PF", torch.zeros(num_pooled, config.num_factors))
        self.register_buffer("weight", torch.zeros(()))
        """Weight of the cosine in the score of an option."""
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(config.num_factors, config.width)
        self.projection = nn.Linear(config.width, backbone_width)

    def calibrate(self, pooled_SP: Tensor) -> None:
        """Set mean, deviation and principal components from the pooled features of the training clips."""
        self.mean_P.copy_(pooled_SP.mean(0))
        self.deviation_P.copy_(pooled_SP.std(0).clamp(min=MIN_DEVIATION))
        standard_SP = self._standardise(pooled_SP)
        num_factors = self.components_PF.shape[1]
        _, singular_F, components_PF = torch.svd_lowrank(standard_SP, q=num_factors, niter=2)
        self.components_PF.copy_(components_PF / (singular_F / len(standard_SP) ** 0.5).clamp(min=MIN_DEVIATION))

    def reduce(self, pooled_SP: Tensor) -> Tensor:
        """Return the factors of pooled features, shape (S, F), which do not change during training."""
        return (self._standardise(pooled_SP) @ self.components_PF).clamp(-LIMIT, LIMIT)

    def forward(self, factors_SF: Tensor) -> Tensor:
        """Return a unit vector for the factors of each segment, shape (S, H)."""
        hidden = F.gelu(self.hidden(self.dropout(factors_SF)))
        return F.normalize(self.projection(self.dropout(hidden)), dim=-1)

    def embed(self, pooled_SP: Tensor) -> Tensor:
        """Return the mean vector of the segments of a clip, shape (H,)."""
        vectors_SH: Tensor = self(self.reduce(pooled_SP))
        return vectors_SH.mean(0)

    def _standardise(self, pooled_SP: Tensor) -> Tensor:
        return ((pooled_SP - self.mean_P) / self.deviation_P).clamp(-LIMIT, LIMIT)


def pool_over_time(segment: EncodedSegment) -> Tensor:
    """Return mean, standard deviation and maximum over time of every tap of every encoder, shape (P,), float32."""
    statistics = [
        (taps_KTE.mean(1), taps_KTE.std(1, correction=0), taps_KTE.amax(1))
        for taps_KTE in (part.float() for part in segment)
    ]
    return torch.cat([torch.stack(each, dim=1).flatten() for each in statistics])
