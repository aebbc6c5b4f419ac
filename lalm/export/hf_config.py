"""Hugging Face configuration of an exported LALM, registered with `AutoConfig`; importing it loads no model code."""

from typing import Literal

from transformers import AutoConfig, PretrainedConfig


class LalmConfig(PretrainedConfig):  # type: ignore[misc]
    """Configuration with one nested dict for each part, as the part's own library writes it.

    Args:
        encoder: of Whisper.
        backbone: of the causal LM.
        connector: `ConnectorConfig`.
        lora: `LoraConfig`; None: no adapters.
        window: as in `Encoder`.
        audio_token_id: stands in `input_ids` where an audio embedding goes; the backbone need not know it.
        settings: of any model.
    """

    model_type = "earwitness_lalm"

    def __init__(
        self,
        *,
        encoder: dict[str, object] | None = None,
        backbone: dict[str, object] | None = None,
        connector: dict[str, object] | None = None,
        lora: dict[str, object] | None = None,
        window: Literal["full", "trimmed"] = "full",
        audio_token_id: int = -1,
        **settings: object,
    ) -> None:
        self.encoder, self.backbone, self.connector = encoder or {}, backbone or {}, connector or {}
        self.lora, self.window = lora, window
        self.audio_token_id = audio_token_id
        super().__init__(**settings)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PretrainedConfig:
        """Return the configuration of the backbone, which tells `generate` how large its cache is."""
        found = super().get_text_config(decoder=decoder, encoder=encoder)
        return AutoConfig.for_model(**self.backbone) if found is self and self.backbone else found


AutoConfig.register(LalmConfig.model_type, LalmConfig)
