"""Model configuration: encoder, Q-Former connector, backbone, LoRA."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from lalm.prompting import PromptForm
from services.types import Value

YAMNET = "yamnet"
HEAD_WIDTH = 64  # of an attention head, where the width is not that of the encoder
Layer: TypeAlias = Annotated[int, Field(ge=0)]


class ConfigPart(Value):
    """A part of a configuration, whose numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class EncoderConfig(ConfigPart):
    """A frozen encoder, and which of its hidden states are read."""

    source: str
    """Embedded weights (`yamnet`, `whisper-base-encoder`), a folder in Hugging Face format, or a Hub id."""
    layers: tuple[Layer, ...] = ()
    """Layers whose hidden states are read, from 0; empty: `connector.num_taps`, evenly spaced, the last included."""
    pool: int = Field(default=1, gt=0)
    """Number of consecutive frames that are replaced by their mean, before they are cached."""
    revision: str | None = None
    """Revision of its weights, which the trainer writes into the run folder; another one is refused."""

    @model_validator(mode="after")
    def _require_layers_to_read(self) -> Self:
        if self.source == YAMNET and self.layers:
            raise ValueError(f"{YAMNET} is read before its classifier only: leave out layers")
        if twice := [layer for layer in self.layers if self.layers.count(layer) > 1]:
            raise ValueError(f"layers names {twice[0]} twice")
        return self


class ConnectorConfig(ConfigPart):
    """Size of the Q-Former between encoder and backbone."""

    num_queries: int = Field(default=64, gt=0)
    """Learned queries: the number of embeddings per segment of audio (at most 30 s)."""
    num_layers: int = Field(default=6, gt=0)
    num_taps: int = Field(default=4, gt=0)
    """Encoder layers whose hidden states are read, evenly spaced, including the last; of each encoder."""
    width: int | None = Field(default=None, gt=0, multiple_of=HEAD_WIDTH)
    """Width of the Q-Former, a multiple of 64; None: that of the (first) encoder. Where it is given, or there are
    several encoders, each tap is brought to it by a Linear of its own."""
    ffn_width: int = Field(default=3072, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    norm_eps: float = Field(default=1e-5, gt=0)
    """Added to the variance in the layer norms of the Q-Former; 1e-12 is BERT's, and so DeSTA's."""


class LoraConfig(ConfigPart):
    """LoRA on every linear layer of the backbone, active only while the prompt contains audio."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)


class NamingConfig(ConfigPart):
    """A naming head (`lalm/model/naming_head.py`) and its frozen encoders."""

    encoders: tuple[EncoderConfig, ...] = Field(min_length=1)
    num_factors: int = Field(default=256, gt=0)
    """Principal components of the pooled features."""
    width: int = Field(default=512, gt=0)
    dropout: float = Field(default=0.5, ge=0, lt=1)


class ModelConfig(ConfigPart):
    """The parts of a LALM."""

    encoder: str | None = None
    """One Whisper encoder: a name of `services/weights/weights.json`, a folder in Hugging Face format, or a Hub id."""
    encoders: tuple[EncoderConfig, ...] = ()
    """In its place: encoders of any kind, each as taps of the one connector."""
    backbone: str
    """A causal LM, named in the same three ways."""
    connector: ConnectorConfig = ConnectorConfig()
    lora: LoraConfig | None = None
    window: Literal["full", "trimmed"] = "full"
    """full: every segment is padded to 30 s, as in Whisper's training; trimmed: only the recorded part is encoded."""
    asr: str | None = "whisper-base"
    """ASR whose transcript follows the audio in the prompt; None: no transcript."""
    captioner: str | None = None
    """Captioner whose evidence stands beside the audio in training; None: none, and path `informed` is refused."""
    prompt: PromptForm = 1
    """Version of the text beside the audio (`lalm/prompting.py`); evidence needs 2."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen parts; auto: bfloat16 where the processor multiplies it faster than float32."""

    quantise: Literal["int8", "nf4"] | None = None
    """Linear layers of the frozen backbone in 8 bits (int8, by torchao) or 4 (nf4, by bitsandbytes); None: in dtype."""

    @model_validator(mode="after")
    def _require_encoder(self) -> Self:
        if (self.encoder is None) == (not self.encoders):
            raise ValueError("name either model.encoder, a Whisper encoder, or model.encoders, a list of encoders")
        sources = [one.source for one in self.encoders]
        if twice := [source for source in sources if sources.count(source) > 1]:
            raise ValueError(f"model.encoders names {twice[0]!r} twice: name all its layers at once")
        return self

    @model_validator(mode="after")
    def _require_place_for_evidence(self) -> Self:
        if self.captioner and self.prompt == 1:
            raise ValueError("model.captioner needs a prompt with a place for its evidence: set model.prompt to 2")
        return self

    def list_encoders(self) -> tuple[EncoderConfig, ...]:
        """List the encoders, from `encoder` or from `encoders`."""
        return self.encoders if self.encoder is None else (EncoderConfig(source=self.encoder),)
