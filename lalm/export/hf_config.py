"""Hugging Face configuration of an exported LALM, registered with `AutoConfig`; importing it loads no model code."""

from typing import Literal

from transformers import AutoConfig, PretrainedConfig


class LalmConfig(PretrainedConfig):  # type: ignore[misc]
    """Configuration with one nested dict for each part, as the part's own library writes it."""

    model_type = "earwitness_lalm"

    def __init__(
        self,
        *,
        encoder: dict[str, object] | None = None,
        backbone: dict[str, object] | None = None,
        connector: dict[str, object] | None = None,
        lora: dict[str, object] | None = None,
        window: Literal["full", "trimmed"] = "full",
        **settings: object,
    ) -> None:
        self.encoder, self.backbone, self.connector = encoder or {}, backbone or {}, connector or {}
        self.lora, self.window = lora, window
        super().__init__(**settings)


AutoConfig.register(LalmConfig.model_type, LalmConfig)
