"""The trainable audio-language model: connector and backbone (optionally with LoRA), given encoder features."""

# Shape suffixes: L tokens of a packed sequence, R reply tokens, S segments, Q queries, A = S * Q audio embeddings,
# H backbone width, V vocabulary

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from lalm.model.connector import Connector
from lalm.model.frames import AudioFeatures
from lalm.model.packing import PackedBatch
from lalm.model.parts import FULL, SLIDING


class AudioLanguageModel(nn.Module):
    """Connector and backbone.

    Args:
        connector: trainable.
        backbone: a frozen causal LM, with or without LoRA adapters.
    """

    def __init__(self, connector: Connector, backbone: PreTrainedModel) -> None:
        super().__init__()
        self.connector = connector
        self.backbone = backbone

    def forward(self, packed: PackedBatch, features: AudioFeatures | None) -> Tensor:
        """Return the log-probability of each reply token, shape (R,), float32.

        Without features the LoRA adapters are disabled, so that the backbone answers text prompts as it did before
        training.
        """
        return self.score_replies(packed, self.embed_audio(features))

    def score_replies(self, packed: PackedBatch, audio_AH: Tensor | None) -> Tensor:
        """Return the log-probability of each reply token given audio embeddings, shape (R,), float32.

        Logits are computed only at reply positions (the loss mask).
        """
        embeddings_1LH = self.embed_prompt(packed.ids_L, audio_AH)[None]
        with self.use_adapters(active=audio_AH is not None):
            logits_1RV = self.backbone(
                inputs_embeds=embeddings_1LH,
                position_ids=packed.positions_L[None],
                attention_mask=self._make_attention_masks(packed),
                use_cache=False,
                logits_to_keep=packed.source_R,
            ).logits
        return -F.cross_entropy(logits_1RV[0].float(), packed.target_R, reduction="none")

    def embed_audio(self, features: AudioFeatures | None) -> Tensor | None:
        """Run the connector; return the audio embeddings of all segments, concatenated, shape (A, H)."""
        if features is None:
            return None
        heard_SQH: Tensor = self.connector(features)
        return heard_SQH.flatten(0, 1)

    def embed_prompt(self, ids_L: Tensor, audio_AH: Tensor | None) -> Tensor:
        """Return the backbone's input embeddings, shape (L, H): audio embeddings where ids are negative."""
        text_LH: Tensor = self.backbone.get_input_embeddings()(ids_L.clamp(min=0))
        if audio_AH is None:
            assert not (ids_L < 0).any(), "a prompt with audio needs its features"
            return text_LH
        is_audio_L = ids_L < 0
        return text_LH.index_put((is_audio_L,), audio_AH[-1 - ids_L[is_audio_L]].to(text_LH.dtype))

    @contextmanager
    def use_adapters(self, *, active: bool) -> Iterator[None]:
        """Disable the LoRA adapters within the block unless `active`."""
        if active or not self.has_adapters:
            yield
            return
        self.backbone.disable_adapters()
        try:
            yield
        finally:
            self.backbone.enable_adapters()

    @property
    def has_adapters(self) -> bool:
        """Whether the backbone has LoRA adapters."""
        return hasattr(self.backbone, "peft_config")

    def train(self, mode: bool = True) -> Self:
        """Switch dropout of the trained parts on or off; the frozen backbone always stays in evaluation mode."""
        super().train(mode)
        self.backbone.eval()
        for name, module in self.backbone.named_modules():
            if "lora_dropout" in name:
                module.train(mode)
        return self

    def _make_attention_masks(self, packed: PackedBatch) -> Tensor | dict[str, Tensor]:
        """Return the attention mask, or one for each kind of layer if the backbone has sliding-window layers."""
        config = self.backbone.config
        window, kinds = getattr(config, "sliding_window", None), set(getattr(config, "layer_types", None) or ())
        if window is None or kinds == {FULL}:
            return self.convert_mask(packed.build_attention_mask())
        if not kinds:
            return self.convert_mask(packed.build_attention_mask(window))
        windows = {FULL: None, SLIDING: window}
        return {kind: self.convert_mask(packed.build_attention_mask(size)) for kind, size in windows.items()}

    def convert_mask(self, mask_11LL: Tensor) -> Tensor:
        """Return a mask as the backbone's attention takes it: SDPA a Boolean one, any other one to be added."""
        if self.backbone.get_correct_attn_implementation(None) == "sdpa":
            return mask_11LL
        dtype = self.backbone.get_input_embeddings().weight.dtype
        return torch.zeros_like(mask_11LL, dtype=dtype).masked_fill(~mask_11LL, torch.finfo(dtype).min)

    def list_trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the trainable parameters by name: connector, and LoRA adapters if there are any."""
        return ((name, value) for name, value in self.named_parameters() if value.requires_grad)

    def list_checkpoint_tensors(self) -> dict[str, Tensor]:
        """Return the tensors of a checkpoint by name: trainable parameters and the calibration of the connector."""
        calibration = {f"connector.{name}": value for name, value in self.connector.named_buffers()}
        return {name: value.detach() for name, value in self.list_trained_parameters()} | calibration
