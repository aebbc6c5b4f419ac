"""LLMs that draw their replies: for runs at a temperature, where each repeat has a seed of its own."""

from agents.models import LocalModels, ModelNames, ModelPool
from services.catalog import open_llm
from services.protocols import LLM
from services.types import Choice, Message, Reading, ReadingStyle, Sampling


class SampledLLM:
    """An LLM whose drawn reply is its choice, where it would otherwise compare the options."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.name, self.revision = llm.name, llm.revision
        kept = llm.style.model_dump(include={"num_statements", "max_chars"})
        self.style = ReadingStyle.model_validate(kept)  # one order, all options listed: a reply is drawn once

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Draw a reply."""
        return await self._llm.complete(messages)

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:  # noqa: ARG002
        """Draw a reply, which has to be read: the probabilities of letters are the same in every repeat."""
        return await self._llm.complete(messages)


class SampledModels(LocalModels):
    """Models of a path whose LLM draws its replies."""

    def __init__(self, names: ModelNames, sampling: Sampling, pool: ModelPool) -> None:
        super().__init__(names, pool)
        self._sampling = sampling

    def open_llm(self) -> LLM:
        """Open the LLM with these draws; it is not shared, since every repeat has other ones."""
        return self._note("llm", SampledLLM(open_llm(self._names.llm, self._names.llm_url, self._sampling)))
