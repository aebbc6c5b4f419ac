"""Configuration of a study: which LLMs, captioners and benchmarks, over which paths."""

from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, field_validator

from eval.run.request import Price
from services.catalog import DEFAULT_CAPTIONER
from services.errors import BadConfig
from services.types import Value
from services.yaml_file import read_config

StudyPath: TypeAlias = Literal["text", "cascade", "lalm"]
PACKAGED = Path(__file__).parent


class StudyModel(Value):
    """An LLM of the study."""

    name: str
    url: str | None = None
    """OpenAI-compatible server that runs it; None: here."""
    row: str = ""
    """What it is called on the page; empty: by its name."""
    lalm: str | None = None
    """LALM that was made of it, for path lalm; None: it has no score there."""

    @property
    def title(self) -> str:
        """What it is called on the page."""
        return self.row or self.name


class StudyPrediction(Value):
    """Which score is to predict which; columns are named BENCHMARK:PATH."""

    x: str | None = None
    """None: the first text-only column."""
    y: str | None = None
    """None: path lalm of the first benchmark that has it."""
    control: str | None = None
    """Column that is held constant beside the plain correlation, such as mmlu:text."""


class StudyConfig(Value):
    """All of a study."""

    llms: tuple[StudyModel, ...] = Field(min_length=1)
    benchmarks: tuple[str, ...] = Field(min_length=1)
    """Names or files; one without clips is asked on path text only."""
    captioners: tuple[str, ...] = (DEFAULT_CAPTIONER,)
    asr: str | None = None
    paths: tuple[StudyPath, ...] = ("text", "cascade")
    sample: int | None = Field(default=None, ge=1)
    """Items of each benchmark, drawn at random, each task its share; None: all."""
    seed: int = 0
    budget: int | None = Field(default=None, ge=0)
    audio_root: Path | None = None
    concurrency: int = Field(default=8, ge=1)
    price: str | None = None
    """Dollars per million tokens read/written, such as 0.15/0.60."""
    predict: StudyPrediction = StudyPrediction()

    @field_validator("llms", mode="before")
    @classmethod
    def _name_models(cls, listed: object) -> object:
        """Take a bare name for a model that runs here."""
        return (
            [{"name": one} if isinstance(one, str) else one for one in listed] if isinstance(listed, list) else listed
        )

    @field_validator("llms")
    @classmethod
    def _refuse_repeated_rows(cls, llms: tuple[StudyModel, ...]) -> tuple[StudyModel, ...]:
        titles = [model.title for model in llms]
        if repeated := next((title for title in titles if titles.count(title) > 1), None):
            raise ValueError(f"{repeated!r} is there twice; give each a row of its own")
        return llms

    @field_validator("benchmarks", "captioners", "paths")
    @classmethod
    def _refuse_repeated_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{repeated!r} is there twice; name it once")
        return names

    @field_validator("price")
    @classmethod
    def _read_price(cls, price: str | None) -> str | None:
        if price is not None:
            try:
                Price.read(price)
            except BadConfig as error:
                raise ValueError(str(error).removeprefix("--price ").removesuffix(".")) from error
        return price


def read_study(file: Path) -> StudyConfig:
    """Read a study; one that is not there is looked for among those of the package, such as study.example.yaml."""
    packaged = PACKAGED / file.name
    return read_config(packaged if not file.exists() and packaged.is_file() else file, StudyConfig)
