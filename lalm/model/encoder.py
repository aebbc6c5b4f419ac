"""Frozen Whisper encoder: hidden states of several layers.

The log-mel spectrogram is OpenAI Whisper's (arXiv:2212.04356, section 2.2), computed in torch on the encoder's device.
"""

# Shape suffixes: M mel bins, F mel frames (100 a second), T encoder frames (50 a second), K taps, D encoder width

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.model.frames import SEGMENT_SAMPLES, FrameEncoder, TapShape
from services.errors import BadConfig
from services.types import SAMPLE_RATE

N_FFT = 400  # samples of a spectrum: 25 ms
HOP = 160  # samples between two mel frames: 10 ms
FRAME_SAMPLES = 2 * HOP  # samples between two encoder frames: 20 ms
FLOOR, RANGE = 1e-10, 8.0  # as in Whisper: minimum power, and orders of magnitude kept below the peak


def select_tap_layers(num_layers: int, num_taps: int) -> tuple[int, ...]:
    """Select the encoder layers to read, as DeSTA2.5 does: the last layer of each of `num_taps` equal parts.

    32 layers: 7, 15, 23, 31; 24: 5, 11, 17, 23; 12: 2, 5, 8, 11; 6: 1, 2, 4, 5; 4: 0, 1, 2, 3.
    """
    assert 0 < num_taps <= num_layers, f"{num_taps} taps of {num_layers} layers"
    return tuple(math.ceil((tap + 1) * num_layers / num_taps) - 1 for tap in range(num_taps))


def pick_layers(num_layers: int, layers: Sequence[int], num_taps: int) -> tuple[int, ...]:
    """Return the layers to read: those that are named, else `num_taps` evenly spaced ones.

    Raises:
        BadConfig: the encoder has too few layers.
    """
    if num_taps > num_layers and not layers:
        raise BadConfig(f"model.connector.num_taps={num_taps} exceeds the {num_layers} layers of the encoder.")
    if odd := [layer for layer in layers if layer >= num_layers]:
        raise BadConfig(f"The encoder has layers 0 to {num_layers - 1}, and no layer {odd[0]}.")
    return tuple(sorted(set(layers))) or select_tap_layers(num_layers, num_taps)


class Encoder(FrameEncoder):
    """Whisper encoder that returns the hidden states of some layers.

    Args:
        whisper: the encoder, frozen.
        num_taps: how many evenly spaced layers are read, the last included.
        layers: which layers are read, from 0, in place of evenly spaced ones.
        window: whether a segment is padded to 30 s ("full") or read as long as it is ("trimmed").
        pool: so many frames in a row become their mean.

    Raises:
        BadConfig: the encoder has too few layers.
    """

    def __init__(
        self,
        whisper: WhisperEncoder,
        *,
        num_taps: int,
        window: Literal["full", "trimmed"],
        layers: Sequence[int] = (),
        pool: int = 1,
    ) -> None:
        self.layers = pick_layers(whisper.config.encoder_layers, layers, num_taps)
        rate = SAMPLE_RATE / FRAME_SAMPLES
        shape = TapShape(len(self.layers), whisper.config.d_model, rate, 0.5 / rate)
        super().__init__(shape, num_heads=whisper.config.encoder_attention_heads, pool=pool)
        self.whisper = whisper.eval().requires_grad_(requires_grad=False)
        self.window = window

    @property
    def key(self) -> str:
        """Cache key of the features: layers, window and precision."""
        return f"{self.layers} {self.window} {self.whisper.conv1.weight.dtype}"

    @property
    def device(self) -> torch.device:
        """Device of its weights."""
        device: torch.device = self.whisper.conv1.weight.device
        return device

    def encode_segment(self, samples: Tensor) -> Tensor:
        """Encode at most 30 s, padded to 30 s or trimmed; 50 frames a second, shape (K, T, D)."""
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
