"""Preparation of prompt and audio as the model cards of Qwen2-Audio and Qwen2.5-Omni do it: their own processors.

The cards render the processor's chat template, collect the audio with `qwen_omni_utils` and hand both to the processor.
Only arrays are handed over, so nothing is fetched or decoded there. Both packages come with `earwitness[qwen]`.
"""

from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from transformers import AutoProcessor

from lalm.model.parts import LOADING_ERRORS
from services.errors import ModelError
from services.types import SAMPLE_RATE, Message

PACKAGE = "qwen-omni-utils"


def has_card_tools() -> bool:
    """Whether the package that the cards use is installed."""
    return find_spec("qwen_omni_utils") is not None


class CardPreparation:
    """Prepares the inputs of one model as its card does.

    Args:
        folder: of the model, with its processor.

    Raises:
        ModelError: the processor cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from qwen_omni_utils import process_mm_info

            self._processor: Any = AutoProcessor.from_pretrained(folder)
        except (*LOADING_ERRORS, ImportError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"'{folder}' holds no processor that opens here: {reason} "
                f"`pip install 'earwitness[qwen]'` brings that; without {PACKAGE} our own code makes the prompt."
            ) from error
        self._collect: Any = process_mm_info
        self.revision = f"{PACKAGE}-{version(PACKAGE)}"
        """Names the preparation, as it decides what the model hears."""

    def __call__(self, messages: Sequence[Message], parts: Sequence[np.ndarray], note: str) -> dict[str, Tensor]:
        """Prepare the model inputs.

        Args:
            messages: the prompt, the question last.
            parts: of the recording, 16 kHz mono.
            note: said before the question where there are several parts; may be empty.
        """
        *earlier, last = messages
        heard = [{"type": "audio", "audio": part} for part in parts]
        asked = [*heard, {"type": "text", "text": note + last.content}]
        conversation: list[dict[str, Any]] = [
            *({"role": one.role, "content": [{"type": "text", "text": one.content}]} for one in earlier),
            {"role": last.role, "content": asked},
        ]
        text = self._processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        audio, _, _ = self._collect(conversation, use_audio_in_video=False)
        return dict(
            self._processor(text=text, audio=audio, sampling_rate=SAMPLE_RATE, return_tensors="pt", padding=True)
        )
