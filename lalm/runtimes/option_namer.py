"""Option naming: similarity of the words of each option to a clip, by the naming head of a run folder."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from lalm.model.build import LalmComponents
from lalm.model.config import ModelConfig, NamingConfig
from lalm.model.encoders import AudioEncoders, open_each
from lalm.model.frames import split_segments
from lalm.model.name_space import NameSpace
from lalm.model.naming_head import NamingHead, pool_over_time
from lalm.runtimes.recent_clips import RecentClips
from lalm.train.run_files import NAMING_CONFIG, NAMING_WEIGHTS
from services import yaml_file
from services.errors import BadConfig
from services.types import AudioClip

NUM_KEPT = 64  # clips whose vectors stay in memory


class OptionNamer:
    """Compares clips with the words of options by a naming head.

    Args:
        head: trained.
        encoders: of the head.
        space: that names are embedded in.
    """

    def __init__(self, head: NamingHead, encoders: AudioEncoders, space: NameSpace) -> None:
        self._head, self._encoders, self._space = head, encoders, space
        self._embed_clip = RecentClips(self._hear_clip, size=NUM_KEPT)

    def score(self, clip: AudioClip, options: Sequence[str]) -> Tensor:
        """Return the weighted cosine similarity of a clip to each option, shape (B,), to add to its likelihood."""
        return self._head.weight * self.compare(clip, options)

    @torch.inference_mode()
    def compare(self, clip: AudioClip, options: Sequence[str]) -> Tensor:
        """Return the cosine similarity between a clip and each option, shape (B,); 0 for an option without words."""
        names_BH = F.normalize(self._space.embed_names(options), dim=-1)
        cosines_B: Tensor = names_BH @ self._embed_clip(clip)
        return cosines_B

    def _hear_clip(self, clip: AudioClip) -> Tensor:
        """Compute the vector of a clip, shape (H,), from one segment after the other, as its features may be large."""
        pooled = [pool_over_time(segment) for part in split_segments(clip) for segment in self._encoders(part)]
        return self._head.embed(torch.stack(pooled))


def open_namer(folder: Path, model: ModelConfig, built: LalmComponents) -> OptionNamer | None:
    """Open the naming head of the LALM in a run folder; None where it has none.

    Raises:
        BadConfig: a file cannot be read, or does not fit the other.
        ModelError: an encoder cannot be loaded.
    """
    if not (folder / NAMING_WEIGHTS).is_file():
        return None
    space = NameSpace(built.model.backbone.get_input_embeddings(), built.template)
    device, width = space.origin_H.device, len(space.origin_H)
    config = yaml_file.read_config(folder / NAMING_CONFIG, NamingConfig)
    encoders = open_each(config.encoders, model, device)
    head = NamingHead(config, encoders.shapes, backbone_width=width).to(device)
    load_head(head, folder / NAMING_WEIGHTS)
    return OptionNamer(head.eval(), encoders, space)


def load_head(head: NamingHead, path: Path) -> None:
    """Load the weights of a naming head, in any precision; raise `BadConfig` if they do not fit or cannot be read."""
    try:
        head.load_state_dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise BadConfig(f"'{path}' cannot be read: {str(error).splitlines()[0]}") from error
    except RuntimeError as error:
        raise BadConfig(
            f"'{path}' does not fit '{path.with_name(NAMING_CONFIG)}': train the naming head again."
        ) from error
