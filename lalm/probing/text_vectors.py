"""Text embeddings from a causal LM: the mean over the tokens of a short text, layer by layer."""

import numpy as np
import torch
from numpy.typing import NDArray

from lalm.model import parts


class TextReader:
    """Embeds texts with a plain causal LM.

    Args:
        source: embedded weights, a folder in Hugging Face format, or a Hub id.

    Raises:
        ModelError: it cannot be loaded.
    """

    def __init__(self, source: str) -> None:
        self.name, self.revision = source, parts.compute_revision(source)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._backbone = parts.open_backbone(source, torch.float32).to(device)
        self._tokenizer = parts.open_tokenizer(source)
        self._device = device

    @property
    def num_layers(self) -> int:
        """Number of layers, without the input embeddings."""
        return int(self._backbone.config.num_hidden_layers)

    @torch.inference_mode()
    def read(self, text: str) -> NDArray[np.float32]:
        """Return the mean over tokens of the input embeddings and of each layer's output, shape (1 + num_layers, H)."""
        ids = self._tokenizer.encode(text, add_special_tokens=False, return_tensors="pt").to(self._device)
        states = self._backbone(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
        vectors: NDArray[np.float32] = torch.stack([state[0].float().mean(0) for state in states]).cpu().numpy()
        return vectors
