"""Model names of a path, and the models themselves, opened in this process and shared between paths."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, TypeAlias, TypeVar

from pydantic import model_validator

from lalm.names import Engine
from services.catalog import (
    ASRS,
    CAPTIONERS,
    DEFAULT_ASR,
    DEFAULT_CAPTIONER,
    DEFAULT_LLM,
    open_asr,
    open_captioner,
    open_llm,
    pick,
)
from services.extensions.registry import include_files
from services.protocols import ASR, LALM, LLM, AnyModel, Captioner, Loadable
from services.types import Value

Model = TypeVar("Model", bound=AnyModel)
Loads: TypeAlias = Literal["at once", "when needed"]
"""When models read their weights: as they are opened, or with the first clip or prompt that no cache knows."""


class ModelNames(Value):
    """The models to use: catalogue names, and base URLs where a server runs the LLM or the LALM."""

    llm: str = DEFAULT_LLM
    captioner: str = DEFAULT_CAPTIONER
    asr: str = DEFAULT_ASR
    llm_url: str | None = None
    """Base URL of an OpenAI-compatible server; `llm` may then be any model that it serves."""
    lalm: str | None = None
    lalm_url: str | None = None
    """The same for the LALM."""
    lalm_engine: Engine = "in_process"
    """Engine that runs the LALM on this machine: our own code, or a vLLM subprocess; only without `lalm_url`."""
    include: tuple[str, ...] = ()
    """Python files whose models can be named beside those of the catalogues."""

    @model_validator(mode="after")
    def _require_one_place(self) -> Self:
        if self.lalm_url and self.lalm_engine != "in_process":
            raise ValueError("lalm_url names who runs the LALM: leave out lalm_engine")
        return self


class Models(Protocol):
    """The models that a path is built from: opened in this process, or handles to deployments."""

    def open_llm(self) -> LLM:
        """Open the LLM that reads."""

    def open_captioner(self) -> Captioner:
        """Open the captioner that describes."""

    def open_asr(self) -> ASR:
        """Open the ASR that transcribes."""

    def open_lalm(self) -> LALM:
        """Open the audio-language model that listens."""


@dataclass(frozen=True, slots=True)
class ModelPool:
    """Pool of open models, by name and server, shared by the paths of a process."""

    llms: dict[tuple[str, str | None], LLM] = field(default_factory=dict)
    captioners: dict[str, Captioner] = field(default_factory=dict)
    asrs: dict[str, ASR] = field(default_factory=dict)
    lalms: dict[tuple[str | None, str | None], LALM] = field(default_factory=dict)


class LocalModels:
    """Opens models from the catalogues; captions, transcripts and readings are cached on disk.

    Args:
        names: the models.
        pool: the models that this process has open already.
        loads: when the models read their weights.
    """

    def __init__(self, names: ModelNames, pool: ModelPool | None = None, *, loads: Loads = "when needed") -> None:
        self._names, self._loads = names, loads
        self._pool = pool or ModelPool()
        include_files(names.include)
        pick(CAPTIONERS, "captioner", names.captioner)
        pick(ASRS, "ASR", names.asr)
        self.opened: dict[str, AnyModel] = {}
        """The models that the path uses, by role."""

    def open_llm(self) -> LLM:
        """Open the LLM, or return the one that is open."""
        key = (self._names.llm, self._names.llm_url)
        if key not in self._pool.llms:
            self._pool.llms[key] = open_llm(*key)
        return self._note("llm", self._pool.llms[key])

    def open_captioner(self) -> Captioner:
        """Open the captioner, or return the one that is open."""
        name = self._names.captioner
        if name not in self._pool.captioners:
            self._pool.captioners[name] = open_captioner(name)
        return self._note("captioner", self._pool.captioners[name])

    def open_asr(self) -> ASR:
        """Open the ASR, or return the one that is open."""
        name = self._names.asr
        if name not in self._pool.asrs:
            self._pool.asrs[name] = open_asr(name)
        return self._note("asr", self._pool.asrs[name])

    def open_lalm(self) -> LALM:
        """Open the LALM, or return the one that is open."""
        key = (self._names.lalm, self._names.lalm_url)
        if key not in self._pool.lalms:
            from lalm.catalog import open_lalm  # reads the file of all served models, which others never need

            self._pool.lalms[key] = open_lalm(*key, engine=self._names.lalm_engine)
        return self._note("lalm", self._pool.lalms[key])

    def _note(self, role: str, model: Model) -> Model:
        if self._loads == "at once" and isinstance(model, Loadable):
            model.load()
        self.opened[role] = model
        return model
