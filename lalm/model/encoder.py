"""Frozen Whisper encoder: splits a clip into segments of at most 30 s and returns hidden states of several layers.

The log-mel spectrogram is OpenAI Whisper's (arXiv:2212.04356, section 2.2), computed in torch on the encoder's device.
"""

# Shape suffixes: M mel bins, F mel frames (100 a second), T encoder frames (50 a second), K taps, D encoder width

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from services.cancellation import raise_if_cancelled
from services.errors import BadConfig
from services.types import SAMPLE_RATE, AudioClip

N_FFT = 400  # samples of a spectrum: 25 ms
HOP = 160  # samples between two mel frames: 10 ms
SEGMENT_S = 30.0  # Whisper's window
SEGMENT_SAMPLES = round(SEGMENT_S * SAMPLE_RATE)
FRAME_SAMPLES = 2 * HOP  # samples between two encoder frames: 20 ms
FLOOR, RANGE = 1e-10, 8.0  # as in Whisper: minimum power, and orders of magnitude kept below the peak


class EncoderFeatures(NamedTuple):
    """Padded encoder features of a batch of segments."""

    taps_SKTD: Tensor
    """Padded to the longest segment."""
    frames_S: Tensor
    """Valid frames of each segment, without padding."""


def select_tap_layers(num_layers: int, num_taps: int) -> tuple[int, ...]:
    """Select the encoder layers to read, as DeSTA2.5 does: the last layer of each of `num_taps` equal parts.

    32 layers: 7, 15, 23, 31; 24: 5, 11, 17, 23; 12: 2, 5, 8, 11; 6: 1, 2, 4, 5; 4: 0, 1, 2, 3.
    """
    assert 0 < num_taps <= num_layers, f"{num_taps} taps of {num_layers} layers"
    return tuple(math.ceil((tap + 1) * num_layers / num_taps) - 1 for tap in range(num_taps))


def count_segments(clip: AudioClip) -> int:
    """Count the segments of at most 30 s that cover a whole clip."""
    return math.ceil(len(clip.samples) / SEGMENT_SAMPLES)


class Encoder(nn.Module):
    """Whisper encoder that returns the hidden states of evenly spaced layers.

    Args:
        whisper: the encoder, frozen.
        num_taps: K.
        window: whether a segment is padded to 30 s ("full") or read as long as it is ("trimmed").

    Raises:
        BadConfig: the encoder has fewer layers than `num_taps`.
    """

    def __init__(self, whisper: WhisperEncoder, *, num_taps: int, window: Literal["full", "trimmed"]) -> None:
        super().__init__()
        num_layers = whisper.config.encoder_layers
        if num_taps > num_layers:
            raise BadConfig(f"model.connector.num_taps={num_taps} exceeds the {num_layers} layers of the encoder.")
        self.whisper = whisper.eval().requires_grad_(requires_grad=False)
        self.window = window
        self.layers = select_tap_layers(num_layers, num_taps)
        self.width: int = whisper.config.d_model
        self.num_heads: int = whisper.config.encoder_attention_heads

    @torch.no_grad()
    def forward(self, clip: AudioClip) -> list[Tensor]:
        """Encode a clip: one tensor of shape (K, T, D) per segment, without padding."""
        return self.encode_samples(torch.from_numpy(clip.samples.copy()).to(self.whisper.conv1.weight.device))

    @torch.no_grad()
    def encode_samples(self, samples: Tensor) -> list[Tensor]:
        """Encode samples at 16 kHz on the encoder's device, shape (num_samples,), float32; the same result."""
        heard = []
        for part in torch.split(samples, SEGMENT_SAMPLES):
            raise_if_cancelled()
            heard.append(self._encode_segment(part))
        return heard

    def _encode_segment(self, samples: Tensor) -> Tensor:
        num_frames = math.ceil(len(samples) / FRAME_SAMPLES)
        length = SEGMENT_SAMPLES if self.window == "full" else num_frames * FRAME_SAMPLES
        mel_1MF = compute_log_mel(F.pad(samples, (0, length - len(samples))), self.whisper.config.num_mel_bins)[None]
        taps_KTD = self._run_layers(mel_1MF.to(self.whisper.conv1.weight.dtype))
        return taps_KTD[:, :num_frames]

    def _run_layers(self, mel_1MF: Tensor) -> Tensor:
        """Run the encoder and collect the taps; as in DeSTA, the final layer norm is not applied to the last one."""
        hidden = F.gelu(self.whisper.conv2(F.gelu(self.whisper.conv1(mel_1MF)))).transpose(1, 2)
        hidden = hidden + self.whisper.embed_positions.weight[: hidden.shape[1]]
        taps: list[Tensor] = []
        for number, layer in enumerate(self.whisper.layers[: self.layers[-1] + 1]):
            hidden = layer(hidden, None)
            if number in self.layers:
                taps.append(hidden[0])
        return torch.stack(taps)


def pad_segments(segments_KTD: Sequence[Tensor]) -> EncoderFeatures:
    """Pad segments of several lengths, each (K, T, D), into one tensor."""
    frames_S = torch.tensor([segment.shape[1] for segment in segments_KTD], device=segments_KTD[0].device)
    by_time = pad_sequence([segment.transpose(0, 1) for segment in segments_KTD], batch_first=True)  # (S, T, K, D)
    return EncoderFeatures(by_time.transpose(1, 2), frames_S)


def compute_log_mel(samples: Tensor, num_mels: int) -> Tensor:
    """Compute Whisper's log-mel spectrogram of samples at 16 kHz, shape (num_mels, num_samples / 160)."""
    window, filters_FM = _make_window_and_filters(num_mels)
    spectrum = torch.stft(samples, N_FFT, HOP, window=window.to(samples.device), return_complex=True)
    power_FF = spectrum[:, :-1].abs() ** 2
    mel_MF = filters_FM.to(samples.device).T @ power_FF
    log_MF = mel_MF.clamp(min=FLOOR).log10()
    return (torch.maximum(log_MF, log_MF.max() - RANGE) + 4.0) / 4.0


@cache
def _make_window_and_filters(num_mels: int) -> tuple[Tensor, Tensor]:
    """Make the Hann window, shape (400,), and the mel filter bank, shape (num_frequencies, num_mels)."""
    filters = mel_filter_bank(
        1 + N_FFT // 2, num_mels, 0.0, SAMPLE_RATE / 2, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    )
    return torch.hann_window(N_FFT), torch.from_numpy(filters.astype(np.float32))
