"""Feature cache on disk: the encoder is frozen, so each clip is encoded once for all steps and runs."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lalm.model.encoder import Encoder, EncoderFeatures, pad_segments
from services.digest import hash_modules
from services.errors import BadConfig
from services.files import atomic_file
from services.types import AudioClip

CODE = ("lalm.model.encoder",)  # what decides the features beside the weights


class FeatureStore:
    """Cache of encoder features, keyed by the SHA-256 of a clip.

    Args:
        encoder: encodes clips that are not cached yet.
        folder: shared by all runs; each encoder, set of taps and window has its own subfolder.
        revision: of the encoder's weights.
    """

    def __init__(self, encoder: Encoder, folder: Path, *, revision: str) -> None:
        self._encoder = encoder
        dtype = encoder.whisper.conv1.weight.dtype
        key = f"{revision} {encoder.layers} {encoder.window} {dtype} {hash_modules(*CODE)}"
        self._shelf = folder / sha256(key.encode()).hexdigest()[:12]
        try:
            self._shelf.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadConfig(f"The folder of features '{self._shelf}' cannot be made: {error.strerror}.") from error

    def encode_once(self, clip: AudioClip) -> list[Tensor]:
        """Return the features of each segment, shape (K, T, D); encode the clip if it is not cached."""
        path = self.find_path(clip.sha256)
        if not self.has_features(clip.sha256):
            segments = {f"{number:04d}": part.contiguous().cpu() for number, part in enumerate(self._encoder(clip))}
            with atomic_file(path) as draft:  # another run may hear the same clip
                save_file(segments, draft)
        return self.load(clip.sha256)

    def has_features(self, clip_sha256: str) -> bool:
        """Whether the features of a clip are cached and complete; a file truncated by a full disk is not."""
        try:
            with safe_open(self.find_path(clip_sha256), "pt"):
                return True
        except (OSError, SafetensorError):
            return False

    def load(self, clip_sha256: str) -> list[Tensor]:
        """Load the cached features of a clip, one tensor (K, T, D) per segment."""
        stored = load_file(self.find_path(clip_sha256))
        return [stored[name] for name in sorted(stored)]

    def find_path(self, clip_sha256: str) -> Path:
        """Return the path of the features of a clip."""
        return self._shelf / f"{clip_sha256}.safetensors"

    def load_batch(self, clips_sha256: Sequence[str], device: torch.device) -> EncoderFeatures:
        """Load the features of several clips, padded into one batch of segments, on a device."""
        segments = [segment.to(device) for one in clips_sha256 for segment in self.load(one)]
        return pad_segments(segments)
