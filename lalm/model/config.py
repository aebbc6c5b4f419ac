"""Configuration of the model: encoder, connector, backbone, adapters."""

from typing import Literal

from pydantic import Field

from services.types import Value


class ConnectorConfig(Value):
    """The Q-Former between encoder and backbone."""

    num_queries: int = Field(default=64, gt=0)
    """Embeddings that a segment of audio (at most 30 s) becomes."""
    num_layers: int = Field(default=6, gt=0)
    num_taps: int = Field(default=4, gt=0)
    """Encoder layers that are listened to, evenly spaced, the last among them."""
    ffn_width: int = Field(default=3072, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)


class LoraConfig(Value):
    """Low-rank updates of every linear layer of the backbone, active only while it hears audio."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)


class ModelConfig(Value):
    """What the LALM is made of."""

    encoder: str
    """A Whisper encoder: a name of `services/weights/weights.json`, a folder in Hugging Face format, or a Hub id."""
    backbone: str
    """A causal LM, named in the same three ways."""
    connector: ConnectorConfig = ConnectorConfig()
    lora: LoraConfig | None = None
    window: Literal["full", "trimmed"] = "full"
    """full: every segment is padded to 30 s, as Whisper was trained; trimmed: only what was recorded is read."""
    asr: str | None = "whisper-base"
    """Recogniser whose words follow the audio in the prompt; None: only the audio stands there."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the frozen parts; auto: bfloat16 where the processor multiplies it faster."""
