"""Model configuration: encoder, Q-Former connector, backbone, LoRA."""

from typing import Literal

from pydantic import Field

from services.types import Value


class ConnectorConfig(Value):
    """Size of the Q-Former between encoder and backbone."""

    num_queries: int = Field(default=64, gt=0)
    """Learned queries: the number of embeddings per segment of audio (at most 30 s)."""
    num_layers: int = Field(default=6, gt=0)
    num_taps: int = Field(default=4, gt=0)
    """Encoder layers whose hidden states are read, evenly spaced, including the last."""
    ffn_width: int = Field(default=3072, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)


class LoraConfig(Value):
    """LoRA on every linear layer of the backbone, active only while the prompt contains audio."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)


class ModelConfig(Value):
    """The parts of a LALM."""

    encoder: str
    """A Whisper encoder: a name of `services/weights/weights.json`, a folder in Hugging Face format, or a Hub id."""
    backbone: str
    """A causal LM, named in the same three ways."""
    connector: ConnectorConfig = ConnectorConfig()
    lora: LoraConfig | None = None
    window: Literal["full", "trimmed"] = "full"
    """full: every segment is padded to 30 s, as in Whisper's training; trimmed: only the recorded part is encoded."""
    asr: str | None = "whisper-base"
    """ASR whose transcript follows the audio in the prompt; None: no transcript."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen parts; auto: bfloat16 where the processor multiplies it faster than float32."""
