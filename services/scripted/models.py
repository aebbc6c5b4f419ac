"""The models of a path, scripted: for tests, never for answers."""

import time
from typing import TypeVar

from services.protocols import ASR, LALM, LLM, Captioner
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM

Model = TypeVar("Model")


class ScriptedModels:
    """Opens scripted models, as `agents.models.LocalModels` opens those of the catalogues.

    Args:
        llm: the LLM.
        ears: captioner and ASR.
        lalm: the LALM.
        load_s: how long the thread that opens a model is kept busy.
    """

    def __init__(self, llm: ScriptedLLM, ears: ScriptedEars, lalm: ScriptedLALM, *, load_s: float = 0.0) -> None:
        self._llm, self._ears, self._lalm, self._load_s = llm, ears, lalm, load_s

    def open_llm(self) -> LLM:
        """Return the LLM after the loading time."""
        return self._load(self._llm)

    def open_captioner(self) -> Captioner:
        """Return the captioner after the loading time."""
        return self._load(self._ears)

    def open_asr(self) -> ASR:
        """Return the ASR after the loading time."""
        return self._load(self._ears)

    def open_lalm(self) -> LALM:
        """Return the LALM after the loading time."""
        return self._load(self._lalm)

    def _load(self, model: Model) -> Model:
        time.sleep(self._load_s)
        return model
