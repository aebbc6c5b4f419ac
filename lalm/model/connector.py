"""Q-Former connector: hidden states of several encoder layers -> embeddings that the backbone reads like words.

The architecture of DeSTA2.5-Audio (arXiv:2507.02768, section 3): a learned query bank per tap goes through one stack of
BERT-style layers (self-attention, cross-attention to the tap, feed-forward; post-norm); each query is the
softmax-weighted mean over the taps; LayerNorm and a linear layer bring it to the backbone's width.

One addition: the features are standardised, channel by channel, with what `calibrate` saw of the training clips. A few
channels of Whisper are several standard deviations away from zero in every clip and would hide the differences between
clips. Uncalibrated (mean 0, deviation 1) and with `norm_eps` 1e-12 the connector is numerically identical to DeSTA's.

Several encoders are taps of one connector, each tap with a linear layer of its own. Their frame rates differ. Frames
are neither repeated nor interpolated to make them equal, which would only add frames to attend to; instead a sinusoidal
embedding of its time in seconds is added to every frame, so that the queries of all taps can attend to the same time.
"""

# Shape suffixes: S segments of audio, K taps, T encoder frames, Q queries, D connector width, E encoder width,
# H backbone width, N = S * K

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lalm.model.config import HEAD_WIDTH, ConnectorConfig
from lalm.model.frames import SEGMENT_S, AudioFeatures, EncodedSegment, EncoderFeatures, TapShape

INIT_STD = 0.02  # of queries and weights, as in BERT
MIN_DEVIATION = 1e-3  # of a channel, so that a constant one is not amplified
TIME_SCALE = 0.2  # amplitude of the sinusoids of time; the values they are added to have a deviation of about 0.5
SHORTEST_S = 0.1  # period of the fastest sinusoid; the slowest takes twice as long as a segment


class Connector(nn.Module):
    """Q-Former (arXiv:2301.12597) that turns encoder features into backbone embeddings.

    Args:
        config: its size.
        shapes: of the encoders, in order.
        num_heads: attention heads of the first encoder, as in DeSTA; a connector with a width of its own has one head
            per 64 values.
        backbone_width: H.
    """

    mean_KD: Tensor
    deviation_KD: Tensor

    def __init__(
        self, config: ConnectorConfig, shapes: Sequence[TapShape], *, num_heads: int, backbone_width: int
    ) -> None:
        super().__init__()
        width = config.width or shapes[0].width
        heads = num_heads if width == shapes[0].width else width // HEAD_WIDTH
        self.shapes = tuple(shapes)
        num_taps, widest = sum(one.num_taps for one in shapes), max(one.width for one in shapes)
        self.queries_KQD = nn.Parameter(torch.empty(num_taps, config.num_queries, width))
        self.layers = nn.ModuleList(QFormerLayer(width, heads, config) for _ in range(config.num_layers))
        self.tap_logits_QK = nn.Parameter(torch.zeros(config.num_queries, num_taps))
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, backbone_width)
        self.register_buffer("mean_KD", torch.zeros(num_taps, widest))
        self.register_buffer("deviation_KD", torch.ones(num_taps, widest))
        is_projected = len(shapes) > 1 or config.width is not None
        self.taps = nn.ModuleList(TapProjection(one, width) for one in shapes if is_projected)
        self.apply(_initialise)
        nn.init.normal_(self.queries_KQD, std=INIT_STD)

    def calibrate(self, segments: Iterable[EncodedSegment]) -> None:
        """Set mean and standard deviation of every channel from training segments, in one pass."""
        moments = [_Moments() for _ in self.shapes]
        for segment in segments:
            for moment, frames_KTE in zip(moments, segment, strict=True):
                moment.add(frames_KTE)
        for moment, mean_KE, deviation_KE in zip(moments, *self._split_calibration(), strict=True):
            for value_KE, measured_KE in zip((mean_KE, deviation_KE), moment.finish(), strict=True):
                value_KE.copy_(measured_KE)

    def forward(self, features: AudioFeatures) -> Tensor:
        """Return the embeddings of each segment.

        Args:
            features: of each encoder, padded to the longest segment.

        Returns:
            Shape (S, Q, H).
        """
        calibrations = zip(*self._split_calibration(), strict=True)
        first, hidden = 0, []
        for number, (heard, (mean_KE, deviation_KE)) in enumerate(zip(features, calibrations, strict=True)):
            frames_SKTD = (heard.taps_SKTD - mean_KE[:, None]) / deviation_KE[:, None]
            if self.taps:
                frames_SKTD = self.taps[number](frames_SKTD)
            hidden.append(self._attend(EncoderFeatures(frames_SKTD, heard.frames_S), first))
            first += self.shapes[number].num_taps
        mixed_SQD = torch.einsum("skqd,qk->sqd", torch.cat(hidden, dim=1), self.tap_logits_QK.softmax(-1))
        out_SQH: Tensor = self.projection(self.norm(mixed_SQD))
        return out_SQH

    def _attend(self, heard: EncoderFeatures, first: int) -> Tensor:
        """Run the layers over the taps of one encoder; return the queries, shape (S, K, Q, D)."""
        num_segments, num_taps, num_frames, _ = heard.taps_SKTD.shape
        heard_ST = torch.arange(num_frames, device=heard.frames_S.device) < heard.frames_S[:, None]
        heard_N11T = heard_ST.repeat_interleave(num_taps, 0)[:, None, None]
        hidden_NQD = self.queries_KQD[first : first + num_taps].repeat(num_segments, 1, 1)
        for layer in self.layers:
            hidden_NQD = layer(hidden_NQD, heard.taps_SKTD.flatten(0, 1), heard_N11T)
        return hidden_NQD.view(num_segments, num_taps, *hidden_NQD.shape[1:])

    def _split_calibration(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return mean and deviation of the taps of each encoder, shape (K, E); a narrower one leaves values unused."""
        sizes = [one.num_taps for one in self.shapes]
        means, deviations = (
            [part[:, : one.width] for part, one in zip(torch.split(whole, sizes), self.shapes, strict=True)]
            for whole in (self.mean_KD, self.deviation_KD)
        )
        return means, deviations


class TapProjection(nn.Module):
    """A linear layer for each tap of an encoder, to the connector's width, plus an embedding of each frame's time.

    Args:
        shape: of the encoder.
        width: D.
    """

    def __init__(self, shape: TapShape, width: int) -> None:
        super().__init__()
        self.shape = shape
        self.linears = nn.ModuleList(nn.Linear(shape.width, width) for _ in range(shape.num_taps))

    def forward(self, frames_SKTE: Tensor) -> Tensor:
        """Return the projected frames with their times added, shape (S, K, T, D)."""
        frames_SKTD = torch.stack([linear(frames_SKTE[:, number]) for number, linear in enumerate(self.linears)], dim=1)
        times_T = self.shape.first_s + torch.arange(frames_SKTE.shape[2], device=frames_SKTE.device) / (
            self.shape.frames_per_s
        )
        return frames_SKTD + TIME_SCALE * embed_times(times_T, frames_SKTD.shape[-1])


def embed_times(times_T: Tensor, width: int) -> Tensor:
    """Embed times in seconds by sinusoids of many periods, shape (T, width)."""
    steps = torch.linspace(0, 1, width // 2, device=times_T.device)
    periods = SHORTEST_S * (2 * SEGMENT_S / SHORTEST_S) ** steps
    angles = 2 * math.pi * times_T[:, None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class _Moments:
    """Running mean and standard deviation of every channel of the taps of one encoder."""

    def __init__(self) -> None:
        self._count, self._sum_KE, self._squares_KE = 0, torch.zeros(()), torch.zeros(())

    def add(self, frames_KTE: Tensor) -> None:
        """Add the frames of a segment."""
        precise_KTE = frames_KTE.double()
        self._count += precise_KTE.shape[1]
        self._sum_KE = self._sum_KE + precise_KTE.sum(1)
        self._squares_KE = self._squares_KE + precise_KTE.square().sum(1)

    def finish(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of every channel, the deviation at least `MIN_DEVIATION`."""
        mean_KE = self._sum_KE / self._count
        variance_KE = (self._squares_KE - self._count * mean_KE.square()).clamp(min=0) / max(1, self._count - 1)
        return mean_KE, variance_KE.sqrt().clamp(min=MIN_DEVIATION)


class QFormerLayer(nn.Module):
    """Transformer layer of the Q-Former: self-attention, cross-attention to the audio, feed-forward; post-norm."""

    def __init__(self, width: int, num_heads: int, config: ConnectorConfig) -> None:
        super().__init__()
        self.self_attention = Attention(width, num_heads, config.dropout)
        self.self_norm = nn.LayerNorm(width, config.norm_eps)
        self.cross_attention = Attention(width, num_heads, config.dropout)
        self.cross_norm = nn.LayerNorm(width, config.norm_eps)
        self.ffn = nn.Sequential(nn.Linear(width, config.ffn_width), nn.GELU(), nn.Linear(config.ffn_width, width))
        self.ffn_norm = nn.LayerNorm(width, config.norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_NQD: Tensor, audio_NTD: Tensor, heard_N11T: Tensor) -> Tensor:
        """Return the queries after this layer, same shape."""
        attended = self.self_attention(hidden_NQD, hidden_NQD, None)
        hidden_NQD = self.self_norm(hidden_NQD + self.dropout(attended))
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
