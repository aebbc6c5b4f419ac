"""Encoder features: hidden states of some layers of a frozen encoder, frame by frame, of segments of at most 30 s.

A model may have several encoders. All encode the same segments, each at its own frame rate, and their features of a
segment stay together.
"""

# Shape suffixes: S segments of audio, K taps, T encoder frames, D encoder width

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from services.cancellation import raise_if_cancelled
from services.types import SAMPLE_RATE, AudioClip

SEGMENT_S = 30.0  # Whisper's window
SEGMENT_SAMPLES = round(SEGMENT_S * SAMPLE_RATE)

EncodedSegment: TypeAlias = tuple[Tensor, ...]
"""Features of one segment by each encoder, shape (K, T, D) each."""


class EncoderFeatures(NamedTuple):
    """Padded features of one encoder, of a batch of segments."""

    taps_SKTD: Tensor
    """Padded to the longest segment."""
    frames_S: Tensor
    """Valid frames of each segment, without padding."""


AudioFeatures: TypeAlias = tuple[EncoderFeatures, ...]
"""Features of a batch of segments, one for each encoder."""


class TapShape(NamedTuple):
    """Number, width and frame rate of the taps of an encoder, which its connector depends on."""

    num_taps: int
    width: int
    """Values per frame: D."""
    frames_per_s: float
    first_s: float
    """Middle of the first frame, in seconds."""


class FrameEncoder(nn.Module, ABC):
    """A frozen encoder: hidden states of some of its layers.

    Args:
        shape: of its taps, before pooling.
        num_heads: of its attention, which the connector takes over where it has the same width.
        pool: number of consecutive frames that are replaced by their mean.
    """

    def __init__(self, shape: TapShape, *, num_heads: int, pool: int = 1) -> None:
        super().__init__()
        first_s = shape.first_s + (pool - 1) / 2 / shape.frames_per_s
        self.shape = shape._replace(frames_per_s=shape.frames_per_s / pool, first_s=first_s)
        self.num_heads, self.pool = num_heads, pool

    @property
    @abstractmethod
    def key(self) -> str:
        """Cache key of the features besides weights and code: taps, window, precision."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Device that it runs on."""

    @abstractmethod
    def encode_segment(self, samples: Tensor) -> Tensor:
        """Encode at most 30 s of samples, shape (num_samples,), float32; return (K, T, D) before pooling."""

    @torch.no_grad()
    def forward(self, clip: AudioClip) -> list[Tensor]:
        """Encode a clip: one tensor of shape (K, T, D) per segment, without padding."""
        return self.encode_samples(torch.from_numpy(clip.samples.copy()).to(self.device))

    @torch.no_grad()
    def encode_samples(self, samples: Tensor) -> list[Tensor]:
        """Encode samples at 16 kHz on the encoder's device, shape (num_samples,), float32, as `forward` does a clip."""
        features = []
        for part in torch.split(samples, SEGMENT_SAMPLES):
            raise_if_cancelled()
            features.append(pool_frames(self.encode_segment(part), self.pool))
        return features


def pool_frames(taps_KTD: Tensor, pool: int) -> Tensor:
    """Replace every `pool` frames by their mean; the last ones may be fewer."""
    if pool == 1:
        return taps_KTD
    return torch.stack([part.mean(1) for part in torch.split(taps_KTD, pool, dim=1)], dim=1)


def split_segments(clip: AudioClip) -> Iterator[AudioClip]:
    """Split a clip into its segments, each a clip of at most 30 s."""
    for start in range(0, len(clip.samples), SEGMENT_SAMPLES):
        yield AudioClip(clip.samples[start : start + SEGMENT_SAMPLES], clip.source_rate, clip.num_channels)


def count_segments(clip: AudioClip) -> int:
    """Count the segments of at most 30 s that cover a whole clip."""
    return math.ceil(len(clip.samples) / SEGMENT_SAMPLES)


def pad_segments(segments: Sequence[EncodedSegment]) -> AudioFeatures:
    """Pad segments of several lengths into one tensor for each encoder."""
    return tuple(_pad(parts) for parts in zip(*segments, strict=True))


def _pad(parts_KTD: Sequence[Tensor]) -> EncoderFeatures:
    frames_S = torch.tensor([part.shape[1] for part in parts_KTD], device=parts_KTD[0].device)
    by_time = pad_sequence([part.transpose(0, 1) for part in parts_KTD], batch_first=True)  # (S, T, K, D)
    return EncoderFeatures(by_time.transpose(1, 2), frames_S)
