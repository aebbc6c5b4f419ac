"""Feature cache on disk: the encoders are frozen, so each clip is encoded once for all steps and runs.

Each encoder has a folder of its own, so that its features stay valid when another encoder is added.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from lalm.model.encoders import AudioEncoders, join_segments
from lalm.model.frames import AudioFeatures, EncodedSegment, FrameEncoder, pad_segments
from services.digest import hash_modules
from services.errors import BadConfig
from services.files import write_atomic
from services.types import AudioClip

CODE = (
    "lalm.model.encoder",
    "lalm.model.frames",
    "lalm.model.hub_encoder",
    "lalm.model.yamnet_encoder",
    "services.captioners.frames",
    "services.captioners.mel",
    "services.captioners.onnx_session",
    "services.captioners.sounds.yamnet",
)
"""Code that the features depend on besides the weights."""


class FeatureStore:
    """Cache of the features of all encoders, keyed by the SHA-256 of a clip.

    Args:
        encoders: encode clips that are not cached yet.
        folder: shared by all runs.
        revisions: of the weights of each encoder.
        dtype: precision in which features are kept.
    """

    def __init__(
        self,
        encoders: AudioEncoders,
        folder: Path,
        *,
        revisions: Sequence[str],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._shelves = tuple(
            FeatureShelf(encoder, folder, revision=revision, dtype=dtype)
            for encoder, revision in zip(encoders.each, revisions, strict=True)
        )

    def encode_once(self, clip: AudioClip) -> list[EncodedSegment]:
        """Return the features of each segment; encode the clip where it is not cached."""
        return join_segments([shelf.encode_once(clip) for shelf in self._shelves])

    def has_features(self, clip_sha256: str) -> bool:
        """Whether the features of a clip by all encoders are cached and complete."""
        return all(shelf.has_features(clip_sha256) for shelf in self._shelves)

    def load(self, clip_sha256: str) -> list[EncodedSegment]:
        """Load the cached features of a clip, float32."""
        return join_segments([shelf.load(clip_sha256) for shelf in self._shelves])

    def load_batch(self, clips_sha256: Sequence[str], device: torch.device) -> AudioFeatures:
        """Load the features of several clips, padded into one batch of segments, on a device."""
        segments = [tuple(part.to(device) for part in segment) for one in clips_sha256 for segment in self.load(one)]
        return pad_segments(segments)


class FeatureShelf:
    """Cache of the features of one encoder.

    Args:
        encoder: encodes clips that are not cached yet.
        folder: each encoder, set of taps, window and precision has its own subfolder.
        revision: of the encoder's weights.
        dtype: precision in which features are kept.
    """

    def __init__(
        self, encoder: FrameEncoder, folder: Path, *, revision: str, dtype: torch.dtype = torch.float32
    ) -> None:
        self._encoder, self._dtype = encoder, dtype
        key = f"{revision} {encoder.key} {encoder.pool} {dtype} {hash_modules(*CODE)}"
        self._shelf = folder / sha256(key.encode()).hexdigest()[:12]
        try:
            self._shelf.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadConfig(f"The folder of features '{self._shelf}' cannot be made: {error.strerror}.") from error

    def encode_once(self, clip: AudioClip) -> list[Tensor]:
        """Return the features of each segment, shape (K, T, D); encode the clip if it is not cached."""
        path = self.find_path(clip.sha256)
        if not self.has_features(clip.sha256):
            segments = {
                f"{number:04d}": part.to("cpu", self._dtype).contiguous()
                for number, part in enumerate(self._encoder(clip))
            }
            write_atomic(path, serialise(segments))  # another run may hear the same clip
        return self.load(clip.sha256)

    def has_features(self, clip_sha256: str) -> bool:
        """Whether the features of a clip are cached and complete; a file truncated by a full disk is not."""
        try:
            with safe_open(self.find_path(clip_sha256), "pt"):
                return True
        except (OSError, SafetensorError):
            return False

    def load(self, clip_sha256: str) -> list[Tensor]:
        """Load the cached features of a clip, one tensor (K, T, D) per segment, float32."""
        stored = load_file(self.find_path(clip_sha256))
        return [stored[name].float() for name in sorted(stored)]

    def find_path(self, clip_sha256: str) -> Path:
        """Return the path of the features of a clip."""
        return self._shelf / f"{clip_sha256}.safetensors"
