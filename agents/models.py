"""Which models a path uses, by name, and how they are opened in this process."""

from typing import Protocol, TypeAlias, TypeVar

from services.cache import CachedASR, CachedCaptioner
from services.catalog import ASRS, CAPTIONERS, DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, open_llm, pick
from services.protocols import ASR, LLM, Captioner
from services.settings import settings
from services.types import Value

AnyModel: TypeAlias = LLM | Captioner | ASR
Model = TypeVar("Model", bound=AnyModel)


class ModelNames(Value):
    """The models to use: catalogue names, and for the LLM the server to ask instead, if any."""

    llm: str = DEFAULT_LLM
    captioner: str = DEFAULT_CAPTIONER
    asr: str = DEFAULT_ASR
    llm_url: str | None = None
    """Base URL of an OpenAI-compatible server; any model that it offers may be named then."""


class Models(Protocol):
    """The models that a path is built from: opened in this process, or handles to deployments."""

    def llm(self) -> LLM:
        """Open the LLM that reads."""

    def captioner(self) -> Captioner:
        """Open the captioner that describes."""

    def asr(self) -> ASR:
        """Open the recogniser that transcribes."""


class LocalModels:
    """Opens models from the catalogues; what they perceive of a clip is kept on disk."""

    def __init__(self, names: ModelNames) -> None:
        self._names = names
        self._open_captioner = pick(CAPTIONERS, "captioner", names.captioner)
        self._open_asr = pick(ASRS, "ASR", names.asr)
        self.opened: dict[str, AnyModel] = {}
        """What the path made use of, by role."""

    def llm(self) -> LLM:
        return self._note("llm", open_llm(self._names.llm, self._names.llm_url))

    def captioner(self) -> Captioner:
        return self._note("captioner", CachedCaptioner(self._open_captioner(), settings().home / "perception"))

    def asr(self) -> ASR:
        return self._note("asr", CachedASR(self._open_asr(), settings().home / "perception"))

    def _note(self, role: str, model: Model) -> Model:
        self.opened[role] = model
        return model
