"""YAMNet as a frozen encoder: the embedding before its classifier, 1024 values for each patch of 0.96 s."""

import torch
from torch import Tensor

from lalm.model.frames import FrameEncoder, TapShape
from services.captioners.sounds.yamnet import HOP_S, PATCH_S, YamNet
from services.weights import store as weights

NAME = "yamnet"  # in the catalogue of weights
WIDTH = 1024
NUM_HEADS = 16


class YamnetEncoder(FrameEncoder):
    """Embeddings of the audio event classifier; it runs in ONNX Runtime on the CPU.

    Args:
        pool: number of consecutive frames that are replaced by their mean; 2 gives the original hop of 0.48 s.
    """

    key = "embedding"
    device = torch.device("cpu")

    def __init__(self, *, pool: int = 1) -> None:
        super().__init__(TapShape(1, WIDTH, 1 / HOP_S, PATCH_S / 2), num_heads=NUM_HEADS, pool=pool)
        self._yamnet = YamNet(weights.ensure_folder(NAME))

    def encode_segment(self, samples: Tensor) -> Tensor:
        """Encode at most 30 s; a segment shorter than a patch is looped to fill one."""
        return torch.from_numpy(self._yamnet(samples.cpu().numpy()).embeddings)[None]
