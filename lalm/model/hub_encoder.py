"""Frozen encoders from the Hugging Face Hub in the classes of transformers: wav2vec 2.0, HuBERT, WavLM, AST and others.

The samples go through the model's own feature extractor; no remote code is run.
"""

# Shape suffixes: T frames, K taps, D width, F patches of one frame, one for each band of frequencies

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lalm.model.encoder import pick_layers
from lalm.model.frames import FrameEncoder, TapShape
from services.types import SAMPLE_RATE

WAVEFORM_TYPES = (
    *("data2vec-audio", "hubert", "sew", "sew-d", "unispeech", "unispeech-sat"),
    *("wav2vec2", "wav2vec2-bert", "wav2vec2-conformer", "wavlm"),
)
"""Values of `model_type` whose hidden states are frames in order."""
SPECTROGRAM_TYPE = "audio-spectrogram-transformer"
MODEL_TYPES = (*WAVEFORM_TYPES, SPECTROGRAM_TYPE)
PROBE_S = 10  # seconds of silence by which the frame rate is measured
MIN_SAMPLES = 800  # a shorter remainder is padded: the convolutions would leave no frame
MEL_S = 0.01  # between two frames of AST's spectrogram
NUM_SPECIAL = 2  # tokens before AST's patches


class HubEncoder(FrameEncoder):
    """An encoder whose hidden states are frames in order, such as wav2vec 2.0, HuBERT or WavLM.

    Args:
        model: of transformers, frozen.
        extractor: its feature extractor.
        num_taps: how many evenly spaced layers are read, the last included.
        layers: which layers are read, from 0, in place of evenly spaced ones.
        pool: number of consecutive frames that are replaced by their mean.

    Raises:
        BadConfig: the encoder has too few layers.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - any class of transformers
        extractor: Any,  # noqa: ANN401
        *,
        num_taps: int,
        layers: Sequence[int] = (),
        pool: int = 1,
    ) -> None:
        config = model.config
        chosen = pick_layers(config.num_hidden_layers, layers, num_taps)
        rate = self.measure_rate(model, extractor)
        shape = TapShape(len(chosen), config.hidden_size, rate, 0.5 / rate)
        super().__init__(shape, num_heads=config.num_attention_heads, pool=pool)
        self.model, self.layers = model.eval().requires_grad_(requires_grad=False), chosen
        self._extractor = extractor

    @staticmethod
    def measure_rate(model: Any, extractor: Any) -> float:  # noqa: ANN401
        """Measure the frame rate, in frames per second."""
        silence = torch.zeros(PROBE_S * SAMPLE_RATE)
        with torch.no_grad():
            return float(run_model(model, extractor, silence)[0].shape[1]) / PROBE_S

    @property
    def key(self) -> str:
        """Cache key of the features: layers and precision."""
        return f"{self.layers} {self.model.dtype}"

    @property
    def device(self) -> torch.device:
        """Device of its weights."""
        device: torch.device = self.model.device
        return device

    def encode_segment(self, samples: Tensor) -> Tensor:
        """Encode at most 30 s; shape (K, T, D)."""
        padded = F.pad(samples, (0, max(0, MIN_SAMPLES - len(samples))))
        hidden = run_model(self.model, self._extractor, padded)
        return torch.cat([hidden[layer + 1] for layer in self.layers])


class SpectrogramEncoder(HubEncoder):
    """Audio Spectrogram Transformer (AST, arXiv:2104.01778): frames are the means of the patches of one time.

    It encodes as many seconds at once as it was trained on, usually ten; a segment is split into such parts.
    """

    @staticmethod
    def measure_rate(model: Any, extractor: Any) -> float:  # noqa: ANN401, ARG004
        """Return the frame rate, in frames per second: one frame for each step of the patches."""
        return 1 / (MEL_S * float(model.config.time_stride))

    def encode_segment(self, samples: Tensor) -> Tensor:
        """Encode at most 30 s; shape (K, T, D)."""
        return torch.cat(list(self._encode_parts(samples)), dim=1)

    def _encode_parts(self, samples: Tensor) -> Iterator[Tensor]:
        config = self.model.config
        num_times = (config.max_length - config.patch_size) // config.time_stride + 1
        span = round(num_times * config.time_stride * MEL_S * SAMPLE_RATE)
        for part in torch.split(samples, span):
            padded = F.pad(part, (0, max(0, MIN_SAMPLES - len(part))))
            hidden = run_model(self.model, self._extractor, padded)
            heard = min(num_times, max(1, math.ceil(len(part) / SAMPLE_RATE * self.shape.frames_per_s * self.pool)))
            patches_KND = torch.cat([hidden[layer + 1][:, NUM_SPECIAL:] for layer in self.layers])
            taps_KFTD = patches_KND.view(len(self.layers), -1, num_times, patches_KND.shape[-1])
            yield taps_KFTD.mean(1)[:, :heard]


def run_model(model: Any, extractor: Any, samples: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
    """Return the hidden states of all layers, the input of the first one included, shape (1, T, D) each."""
    inputs = extractor(samples.cpu().numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt")
    given = {
        name: value.to(model.device, model.dtype if value.is_floating_point() else value.dtype)
        for name, value in inputs.items()
    }
    hidden: tuple[Tensor, ...] = model(**given, output_hidden_states=True).hidden_states
    return hidden
