"""One YAML is one distillation: whose metadata, which backbone, how many replies."""

import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lalm.distill.prompt_pool import Style
from services.types import Sampling, Value

EVENLY: dict[Style, float] = {
    "describe": 1.0,
    "classify": 1.0,
    "open_qa": 1.0,
    "multiple_choice": 1.0,
    "instruction": 1.0,
}


class DistillConfig(Value):
    """A whole run; paths are relative to the configuration file."""

    metadata: Path
    """JSON lines, one clip each (`lalm/distill/metadata.py`); audio paths are relative to this file."""
    output: Path
    """JSON lines in DeSTA's message format; what belongs to the run lies beside it."""
    targets: tuple[Literal["metadata", "distilled"], ...] = ("distilled",)
    """distilled: the backbone replies; metadata: short replies that follow from the metadata, without any LLM."""
    drop_licences: tuple[str, ...] = ("NC",)
    """Words of licences, such as NC or SA, whose clips are left out."""
    backbone: str = ""
    """A name of the LLM catalogue, a folder in Hugging Face format, or what the server at `llm_url` calls it."""
    llm_url: str | None = None
    """Base URL of an OpenAI-compatible server."""
    prompts_per_clip: int = Field(default=2, gt=0)
    metadata_rounds: int = Field(default=1, gt=0)
    """How often all questions about a clip are drawn, in other wordings and with other options."""
    styles: dict[Style, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = EVENLY
    """Share of each style among the prompts."""
    prompt_first: float = Field(default=0.5, ge=0, le=1)
    """Share of prompts that stand before the audio; 0 lets a trainer read what rows about a clip share only once."""
    rephrase: bool = False
    """Whether the backbone writes each reply a second time, as if it had heard the clip: for models that think."""
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=128)
    concurrency: int = Field(default=16, gt=0)
    """Prompts in flight; their replies go to disk together."""

    @model_validator(mode="after")
    def _backbone_for_replies(self) -> Self:
        if "distilled" in self.targets and not self.backbone:
            raise ValueError("targets: distilled needs a backbone, such as smollm2-135m")
        return self

    @model_validator(mode="after")
    def _some_style(self) -> Self:
        if not any(self.styles.values()):
            raise ValueError(f"styles needs a share above 0 of at least one of {', '.join(EVENLY)}")
        return self

    def fingerprint(self, revision: str) -> str:
        """Return, as JSON, what each reply depends on beside its prompt; `revision` is the backbone's."""
        fields = self.model_dump(mode="json", include={"backbone", "sampling", "rephrase", "concurrency"})
        return json.dumps({"revision": revision, **fields})
