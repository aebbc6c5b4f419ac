"""Training configuration: one YAML file is one run; a copy is written into the run folder."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lalm.model.config import ConfigPart, ModelConfig

DeviceName: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Share: TypeAlias = Annotated[float, Field(ge=0)]


class BesideConfig(ConfigPart):
    """Relative frequencies of the text beside a clip (`lalm/train/beside.py`); they need not add up to 1."""

    nothing: Share = 0.0
    transcript: Share = 0.0
    evidence: Share = 0.0
    both: Share = 0.0
    other: Share = 0.0
    """Transcript and evidence of another clip, so that the model learns to doubt text and rely on the audio."""
    silenced: Share = 0.0
    """Both, and silence of the same length in place of the clip, so that the model learns to rely on the text."""

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("give at least one share above 0, such as both: 1")
        return self


class RowSource(ConfigPart):
    """A data file, and the frequency of its rows."""

    file: Path
    weight: float = Field(default=1.0, gt=0, le=1000)
    """Average number of times that each row is drawn per epoch: 0.5 is every second epoch, 3 three times in each."""

    @model_validator(mode="before")
    @classmethod
    def _accept_path(cls, value: object) -> object:
        return {"file": value} if isinstance(value, str | Path) else value


class DataConfig(ConfigPart):
    """Training data."""

    files: tuple[RowSource, ...]
    """JSON lines in DeSTA's message format (`lalm/messages.py`), relative to the configuration file; a path, or a path
    with a weight."""
    styles: tuple[str, ...] = ()
    """Styles of the rows to train on (`lalm/messages.py`); empty: all."""
    audio_root: Path
    """Folder that the audio paths of the rows are relative to."""
    buffer: int | None = Field(default=None, gt=0)
    """Rows of `files` that are in memory at a time (`lalm/train/streaming.py`); None: all."""
    validation: float = Field(default=0.05, ge=0, lt=1)
    """Share of the clips held back for the validation loss, with all clips cut from the same recordings."""
    validation_files: tuple[Path, ...] = ()
    """JSON lines to validate on instead: rows that share no clip and no recording with those of `files`."""
    transcripts: Literal["asr", "rows"] = "asr"
    """Source of the transcripts in the training prompts: the ASR, or the rows themselves."""
    evidence: Literal["captioner", "rows"] = "captioner"
    """Source of the evidence in the training prompts, where `model.captioner` is set: that captioner, or the rows."""
    beside: BesideConfig | None = None
    """How often transcript and evidence are left out or exchanged in training; None: both are always shown."""
    features: Literal["float32", "float16"] = "float32"
    """Precision of the encoder features cached on disk; float16 takes half the space."""
    max_length: int = Field(default=512, gt=0)
    """Maximum tokens of prompt and reply together; longer rows are dropped and counted."""

    @model_validator(mode="after")
    def _require_held_rows_of_their_own(self) -> Self:
        if self.buffer and self.validation and not self.validation_files:
            raise ValueError(
                "with buffer the rows are never all in memory, so that no clips can be chosen to hold back: name "
                "validation_files, or set validation to 0"
            )
        return self


FLOAT32_MAX = 3.4e38
WARMUP_STEPS = 100  # where a configuration does not say otherwise, but at most half of the steps
Beta: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


def choose_warmup(given: dict[str, Any]) -> int:
    """Return the default warm-up of a schedule, whose steps are among the fields that were read before."""
    return min(WARMUP_STEPS, int(given["num_steps"]) // 2)


class WarmupConfig(ConfigPart):
    """Steps with linear warm-up and a cosine learning rate schedule."""

    num_steps: int = Field(gt=0)
    warmup_steps: int = Field(default_factory=choose_warmup, ge=0)
    """Steps in which the learning rate rises to its peak; left out: 100, but at most half of the steps."""

    @model_validator(mode="after")
    def _require_the_peak(self) -> Self:
        require_warmup_to_end(self.warmup_steps, self.num_steps)
        return self


def require_warmup_to_end(warmup_steps: int, num_steps: int) -> None:
    """Raise `ValueError` where the learning rate would never reach its peak."""
    if warmup_steps > num_steps:
        raise ValueError(
            f"warmup_steps={warmup_steps} is more than num_steps={num_steps}, so the learning rate would never reach "
            f"its peak; at most {num_steps} works, and a tenth is usual"
        )


class OptimizerConfig(WarmupConfig):
    """AdamW with linear warm-up and a cosine learning rate schedule."""

    learning_rate: float = Field(default=1e-4, gt=0)
    """Peak learning rate of the connector."""
    lora_learning_rate: float = Field(default=1e-4, gt=0)
    """Peak learning rate of the LoRA adapters."""
    betas: tuple[Beta, Beta] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    clip_norm: float = Field(default=1.0, gt=0, allow_inf_nan=True)
    """Largest norm of the gradient; .inf: any."""

    @model_validator(mode="after")
    def _require_finite_steps(self) -> Self:
        rate = max(self.learning_rate, self.lora_learning_rate)
        if not rate * max(1 / (1 - self.betas[0]), self.weight_decay) < FLOAT32_MAX:
            raise ValueError(
                f"a step with the learning rate {rate:g}, betas {self.betas} and weight_decay={self.weight_decay:g} is "
                "larger than a float32 can be; 0.0001 is usual"
            )
        return self


class ScheduleConfig(WarmupConfig):
    """Steps over clips by AdamW, with linear warm-up and a cosine learning rate schedule."""

    clips: int = Field(default=16, gt=0)
    """Clips per step."""
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)


class AlignmentConfig(ScheduleConfig):
    """Pre-alignment of the connector, with the words of the replies or contrastively with the names of what is heard.

    `lalm/train/alignment/bag_of_words.py` does the one, `lalm/train/alignment/contrast.py` the other.
    """

    frames: int = Field(default=200, gt=0)
    """Length of the random crop of a clip in frames of the first encoder: 50 a second of Whisper, divided by `pool`."""


class BatchConfig(ConfigPart):
    """Sequence packing and gradient accumulation."""

    tokens: int = Field(default=1024, gt=0)
    """Maximum tokens of one packed sequence (micro-batch)."""
    sequences_per_step: int = Field(default=1, gt=0)
    """Gradient accumulation: packed sequences per update, over all processes together."""
    rows_per_clip: int = Field(default=8, gt=0)
    """Maximum rows about one clip that are packed after their common prefix."""


class TrainConfig(ConfigPart):
    """Configuration of a training run."""

    name: str
    model: ModelConfig
    data: DataConfig
    alignment: AlignmentConfig | None = None
    """Pre-alignment with the words of the replies; without it and `contrast` the connector starts at random."""
    contrast: AlignmentConfig | None = None
    """Pre-alignment with the names of what is heard, which runs before `alignment`."""
    start_from: Path | None = None
    """Folder whose weights this run starts from, relative to the configuration file: of a run of the same model, or of
    DeSTA2.5-Audio."""
    optimizer: OptimizerConfig
    batch: BatchConfig = BatchConfig()
    autocast: bool = False
    """Multiply in bfloat16 where the weights are float32 (autocast); weights, gradients and loss stay float32."""
    gradient_checkpointing: bool = False
    """Keep only the inputs of each backbone layer and recompute it for its gradient: less memory, more time."""
    shard_backbone: bool = False
    """Shard the frozen layers over the processes (FSDP2); the trained parameters stay replicated."""
    seed: int = Field(default=42, ge=-(2**63), lt=2**64)
    save_every: int = Field(default=200, gt=0)
    """Steps between two checkpoints; a run resumes from the last one exactly."""

    @model_validator(mode="after")
    def _require_rows_to_fit(self) -> Self:
        if self.data.max_length > self.batch.tokens:
            raise ValueError(
                f"data.max_length={self.data.max_length} exceeds batch.tokens={self.batch.tokens}: "
                "a row has to fit into a packed sequence"
            )
        if self.data.beside and self.model.prompt == 1:
            raise ValueError("data.beside varies the text beside the audio: set model.prompt to 2")
        if self.model.captioner is None and (self.data.evidence == "rows" or self._shows("evidence")):
            raise ValueError("data.evidence and data.beside.evidence are without effect: set model.captioner")
        if self.data.beside and self.model.asr is None and self.model.captioner is None:
            raise ValueError("data.beside varies text that is never there: set model.asr or model.captioner")
        if self.model.asr is None and self._shows("transcript"):
            raise ValueError("data.beside.transcript is without effect: set model.asr")
        if self.shard_backbone and self.model.quantise:
            raise ValueError("shard_backbone takes no quantised backbone: leave out one of it and model.quantise")
        if self.start_from and (self.alignment or self.contrast):
            raise ValueError("start_from brings an aligned connector: leave out alignment and contrast")
        return self

    def _shows(self, variant: Literal["transcript", "evidence"]) -> bool:
        """Return whether clips are shown with this text alone."""
        return self.data.beside is not None and getattr(self.data.beside, variant) > 0
