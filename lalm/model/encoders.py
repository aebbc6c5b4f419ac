"""The audio encoders of a LALM: opens each by its model type, and encodes the same segments with all."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lalm.model import parts, yamnet_encoder
from lalm.model.config import EncoderConfig, ModelConfig
from lalm.model.encoder import Encoder
from lalm.model.frames import EncodedSegment, FrameEncoder, TapShape
from lalm.model.hub_encoder import MODEL_TYPES, SPECTROGRAM_TYPE, HubEncoder, SpectrogramEncoder
from lalm.model.yamnet_encoder import YamnetEncoder
from services.errors import ModelError
from services.types import AudioClip


class AudioEncoders(nn.Module):
    """All encoders of a LALM, in the order of the configuration.

    Args:
        encoders: frozen.
    """

    def __init__(self, encoders: Sequence[FrameEncoder]) -> None:
        super().__init__()
        self._encoders = nn.ModuleList(encoders)

    @property
    def each(self) -> tuple[FrameEncoder, ...]:
        """The encoders."""
        return tuple(one for one in self._encoders if isinstance(one, FrameEncoder))

    @property
    def shapes(self) -> tuple[TapShape, ...]:
        """Shape of the taps of each encoder."""
        return tuple(one.shape for one in self.each)

    def forward(self, clip: AudioClip) -> list[EncodedSegment]:
        """Return the features of each segment by all encoders, on one device."""
        return join_segments([encoder(clip) for encoder in self.each])


def join_segments(by_encoder: Sequence[Sequence[Tensor]]) -> list[EncodedSegment]:
    """Join the features of the same segments by several encoders, on the device of the first."""
    device = by_encoder[0][0].device
    return [tuple(part.to(device) for part in segment) for segment in zip(*by_encoder, strict=True)]


def open_encoders(config: ModelConfig, device: torch.device) -> AudioEncoders:
    """Open the frozen encoders of a model; errors as of `open_each`."""
    return open_each(config.list_encoders(), config, device)


def open_each(chosen: Sequence[EncoderConfig], config: ModelConfig, device: torch.device) -> AudioEncoders:
    """Open frozen encoders with the window, precision and number of taps of a model.

    Raises:
        ModelError: one cannot be loaded, is of a type without frames, or is not of the revision in the configuration.
        BadConfig: one has too few layers.
    """
    dtype = torch.float32 if device.type == "cpu" else parts.pick_dtype(config.dtype, device)
    return AudioEncoders([_open_encoder(one, config, dtype).to(device) for one in chosen])


def _open_encoder(chosen: EncoderConfig, config: ModelConfig, dtype: torch.dtype) -> FrameEncoder:
    _require_revision(chosen)
    if chosen.source == yamnet_encoder.NAME:
        return YamnetEncoder(pool=chosen.pool)
    num_taps, layers, pool = config.connector.num_taps, chosen.layers, chosen.pool
    kind = "whisper" if chosen.source == config.encoder else parts.read_model_type(chosen.source)
    if kind == "whisper":
        whisper = parts.open_encoder(chosen.source, dtype)
        return Encoder(whisper, num_taps=num_taps, layers=layers, window=config.window, pool=pool)
    if kind not in MODEL_TYPES:
        raise ModelError(
            f"The encoder {chosen.source!r} is of type {kind!r}, which gives no frames here. These do: "
            f"{yamnet_encoder.NAME}, whisper, {', '.join(MODEL_TYPES)}."
        )
    opened = parts.open_hub_encoder(chosen.source, dtype)
    encoder = SpectrogramEncoder if kind == SPECTROGRAM_TYPE else HubEncoder
    return encoder(opened.model, opened.extractor, num_taps=num_taps, layers=layers, pool=pool)


def _require_revision(chosen: EncoderConfig) -> None:
    """Refuse weights that have changed since the training."""
    if chosen.revision is None:
        return
    here = parts.compute_revision(chosen.source)
    if here != chosen.revision:
        raise ModelError(
            f"The encoder {chosen.source!r} is of revision {here}, and the model was trained with {chosen.revision}: "
            "its features would differ. Bring that revision back."
        )
