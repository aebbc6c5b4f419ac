"""Configuration of a training: one YAML is one run; written into the run folder as it was read."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lalm.model.config import ModelConfig
from services.types import Value


class DataConfig(Value):
    """What is learnt from."""

    files: tuple[Path, ...]
    """JSON lines in DeSTA's message format (`lalm/messages.py`), relative to the configuration file."""
    styles: tuple[str, ...] = ()
    """Styles of the rows to learn from (`lalm/messages.py`); empty: all."""
    audio_root: Path
    """Folder that the audio paths of the rows start from."""
    validation: float = Field(default=0.05, ge=0, lt=1)
    """Share of the clips held back for the validation loss, with all that was cut from the same recordings."""
    transcripts: Literal["asr", "rows"] = "asr"
    """Whose words stand in the prompts of training: the recogniser's, or those that the rows bring."""
    max_length: int = Field(default=512, gt=0)
    """Tokens of prompt and reply together; a longer row is dropped and counted."""


FLOAT32_MAX = 3.4e38
Beta: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


class OptimizerConfig(Value):
    """AdamW with warm-up and cosine."""

    learning_rate: float = Field(default=1e-4, gt=0)
    """Of the connector."""
    lora_learning_rate: float = Field(default=1e-4, gt=0)
    """Of the adapters."""
    betas: tuple[Beta, Beta] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup_steps: int = Field(default=100, ge=0)
    num_steps: int = Field(gt=0)
    clip_norm: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _steps_are_numbers(self) -> Self:
        rate = max(self.learning_rate, self.lora_learning_rate)
        if not rate * max(1 / (1 - self.betas[0]), self.weight_decay) < FLOAT32_MAX:
            raise ValueError(
                f"a step with the learning rate {rate:g}, betas {self.betas} and weight_decay={self.weight_decay:g} is "
                "larger than a float32 can be; 0.0001 is usual"
            )
        return self


class AlignmentConfig(Value):
    """The connector alone learns the words of the replies (`lalm/train/alignment.py`)."""

    num_steps: int = Field(gt=0)
    clips: int = Field(default=16, gt=0)
    """Clips of a step."""
    frames: int = Field(default=200, gt=0)
    """Frames of a clip that are heard at once, 50 a second; which ones, is drawn anew each time."""
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup_steps: int = Field(default=100, ge=0)
    weight_decay: float = Field(default=0.05, ge=0)


class BatchConfig(Value):
    """How rows are put together."""

    tokens: int = Field(default=1024, gt=0)
    """Tokens of one packed sequence."""
    sequences_per_step: int = Field(default=1, gt=0)
    """Packed sequences between two updates, over all processes together."""
    rows_per_clip: int = Field(default=8, gt=0)
    """Rows about one clip that are read together, behind their common prompt."""


class TrainConfig(Value):
    """A whole run."""

    name: str
    model: ModelConfig
    data: DataConfig
    alignment: AlignmentConfig | None = None
    """None: the connector starts as it is initialised, as in DeSTA."""
    start_from: Path | None = None
    """Run folder of the same model, relative to the configuration file, whose weights this run begins with."""
    optimizer: OptimizerConfig
    batch: BatchConfig = BatchConfig()
    shard_backbone: bool = False
    """Each process of several keeps its share of the frozen layers (FSDP2); what is trained stays whole in each."""
    seed: int = 42
    save_every: int = Field(default=200, gt=0)
    """Steps between two checkpoints, each of which a run goes on from exactly."""

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        if self.data.max_length > self.batch.tokens:
            raise ValueError(
                f"data.max_length={self.data.max_length} exceeds batch.tokens={self.batch.tokens}: "
                "a row has to fit into a packed sequence."
            )
        if self.start_from and self.alignment:
            raise ValueError("start_from brings an aligned connector: leave out alignment.")
        return self
