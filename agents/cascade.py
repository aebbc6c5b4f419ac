"""The cascade: caption and transcribe at once, then let an LLM that cannot hear read both.

`agents.graph` holds the steps and their order.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from services.protocols import ASR, LLM, Captioner
from services.types import Answer, AudioClip, Question

if TYPE_CHECKING:
    from agents.graph import CascadeGraph


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one run may listen to; LangGraph hands it to the steps and never stores it."""

    clip: AudioClip


class Cascade:
    """Answers from what a captioner and an ASR say about a clip, in the words of an LLM."""

    def __init__(self, llm: LLM, captioner: Captioner, asr: ASR) -> None:
        self.llm = llm
        self.captioner = captioner
        self.asr = asr

    async def answer(self, question: Question, clip: AudioClip | None) -> Answer:
        assert clip is not None, "the cascade needs a clip"
        state = await self.graph.ainvoke({"question": question, "clip_sha256": clip.sha256}, context=Hearing(clip))
        answer: Answer = state["answer"]
        return answer

    @cached_property
    def graph(self) -> "CascadeGraph":
        """The compiled LangGraph graph; importing LangGraph takes 0.7 s, so only who answers pays."""
        from agents.graph import compile_graph

        return compile_graph(self)
