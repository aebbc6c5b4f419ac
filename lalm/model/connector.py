"""Q-Former connector: hidden states of several encoder layers -> embeddings that the backbone reads like words.

The architecture of DeSTA2.5-Audio (arXiv:2507.02768, section 3): a learned query bank per tap goes through one stack of
BERT-style layers (self-attention, cross-attention to the tap, feed-forward; post-norm); each query is the
softmax-weighted mean over the taps; LayerNorm and a linear layer bring it to the backbone's width.

One addition: the features are standardised, channel by channel, with what `calibrate` saw of the training clips. A few
channels of Whisper are several standard deviations away from zero in every clip and would hide the differences between
clips. Uncalibrated (mean 0, deviation 1) the connector is numerically identical to DeSTA's.
"""

# Shape suffixes: S segments of audio, K taps, T encoder frames, Q queries, D encoder width, H backbone width, N = S * K

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lalm.model.config import ConnectorConfig

INIT_STD = 0.02  # of queries and weights, as in BERT
MIN_DEVIATION = 1e-3  # of a channel, so that a constant one is not amplified


class Connector(nn.Module):
    """Q-Former (arXiv:2301.12597) that turns encoder features into backbone embeddings.

    Args:
        config: its size.
        encoder_width: D.
        num_heads: attention heads; DeSTA takes as many as the encoder has.
        backbone_width: H.
    """

    mean_KD: Tensor
    deviation_KD: Tensor

    def __init__(self, config: ConnectorConfig, *, encoder_width: int, num_heads: int, backbone_width: int) -> None:
        super().__init__()
        self.queries_KQD = nn.Parameter(torch.empty(config.num_taps, config.num_queries, encoder_width))
        self.layers = nn.ModuleList(
            QFormerLayer(encoder_width, num_heads, config.ffn_width, config.dropout) for _ in range(config.num_layers)
        )
        self.tap_logits_QK = nn.Parameter(torch.zeros(config.num_queries, config.num_taps))
        self.norm = nn.LayerNorm(encoder_width)
        self.projection = nn.Linear(encoder_width, backbone_width)
        self.register_buffer("mean_KD", torch.zeros(config.num_taps, encoder_width))
        self.register_buffer("deviation_KD", torch.ones(config.num_taps, encoder_width))
        self.apply(_initialise)
        nn.init.normal_(self.queries_KQD, std=INIT_STD)

    def calibrate(self, segments_KTD: Iterable[Tensor]) -> None:
        """Set mean and standard deviation of every channel from training segments, each (K, T, D), in one pass."""
        count, sum_KD, squares_KD = 0, torch.zeros(()), torch.zeros(())
        for segment_KTD in segments_KTD:
            precise_KTD = segment_KTD.double()
            count += precise_KTD.shape[1]
            sum_KD, squares_KD = sum_KD + precise_KTD.sum(1), squares_KD + precise_KTD.square().sum(1)
        mean_KD = sum_KD / count
        variance_KD = (squares_KD - count * mean_KD.square()).clamp(min=0) / max(1, count - 1)
        self.mean_KD.copy_(mean_KD)
        self.deviation_KD.copy_(variance_KD.sqrt().clamp(min=MIN_DEVIATION))

    def forward(self, taps_SKTD: Tensor, frames_S: Tensor) -> Tensor:
        """Return the embeddings of each segment.

        Args:
            taps_SKTD: encoder features, padded to the longest segment.
            frames_S: valid frames of each segment; the rest is padding, and is masked.

        Returns:
            Shape (S, Q, H).
        """
        num_segments, num_taps, num_frames, _ = taps_SKTD.shape
        heard_ST = torch.arange(num_frames, device=frames_S.device) < frames_S[:, None]
        heard_N11T = heard_ST.repeat_interleave(num_taps, 0)[:, None, None]
        audio_NTD = ((taps_SKTD - self.mean_KD[:, None]) / self.deviation_KD[:, None]).flatten(0, 1)
        hidden_NQD = self.queries_KQD.repeat(num_segments, 1, 1)
        for layer in self.layers:
            hidden_NQD = layer(hidden_NQD, audio_NTD, heard_N11T)
        hidden_SKQD = hidden_NQD.view(num_segments, num_taps, *hidden_NQD.shape[1:])
        mixed_SQD = torch.einsum("skqd,qk->sqd", hidden_SKQD, self.tap_logits_QK.softmax(-1))
        out_SQH: Tensor = self.projection(self.norm(mixed_SQD))
        return out_SQH


class QFormerLayer(nn.Module):
    """Transformer layer of the Q-Former: self-attention, cross-attention to the audio, feed-forward; post-norm."""

    def __init__(self, width: int, num_heads: int, ffn_width: int, dropout: float) -> None:
        super().__init__()
        self.self_attention = Attention(width, num_heads, dropout)
        self.self_norm = nn.LayerNorm(width)
        self.cross_attention = Attention(width, num_heads, dropout)
        self.cross_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(nn.Linear(width, ffn_width), nn.GELU(), nn.Linear(ffn_width, width))
        self.ffn_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden_NQD: Tensor, audio_NTD: Tensor, heard_N11T: Tensor) -> Tensor:
        """Return the queries after this layer, same shape."""
        looked = self.self_attention(hidden_NQD, hidden_NQD, None)
        hidden_NQD = self.self_norm(hidden_NQD + self.dropout(looked))
        listened = self.cross_attention(hidden_NQD, audio_NTD, heard_N11T)
        hidden_NQD = self.cross_norm(hidden_NQD + self.dropout(listened))
        out_NQD: Tensor = self.ffn_norm(hidden_NQD + self.dropout(self.ffn(hidden_NQD)))
        return out_NQD


class Attention(nn.Module):
    """Multi-head scaled dot-product attention."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        assert width % num_heads == 0, (width, num_heads)
        self.num_heads, self.dropout = num_heads, dropout
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, hidden_NQD: Tensor, other_NTD: Tensor, mask_N11T: Tensor | None) -> Tensor:
        """Attend from `hidden` to `other`; return the shape of `hidden`."""
        query, key, value = (
            project(states).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for project, states in ((self.query, hidden_NQD), (self.key, other_NTD), (self.value, other_NTD))
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask_N11T, dropout_p=dropout)
        out_NQD: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out_NQD


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=INIT_STD)
        nn.init.zeros_(module.bias)
