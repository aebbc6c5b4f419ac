"""Path `auto`: a router runs the cascade, the LALM or both, and reconciles two answers into one."""

from agents.cascade import Cascade
from agents.direct import Direct
from agents.graph.context import Choosing
from agents.graph.state import make_input
from agents.routing.router import Routing
from services.cancellation import cancel_once
from services.longform.split import split_each
from services.types import Answer, AudioClip, EvidenceSummary, Question


class Auto:
    """Answers with the arm that is likelier to be right; with both where the question alone does not decide.

    Args:
        cascade: the arm that captions, transcribes and reads; its degradation policy is that of the path.
        lalm: the end-to-end arm.
        routing: chooses the arms, and reconciles their answers.
        summary: what the LALM reads beside the clip; with any it hears after the cascade, and decides.
    """

    def __init__(self, cascade: Cascade, lalm: Direct, routing: Routing, *, summary: EvidenceSummary = "none") -> None:
        self.cascade = cascade
        self.lalm = lalm
        self.routing = routing
        self.summary = summary

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Run the whole graph over the question."""
        from agents.graph.graph import (
            build_agent_graph,
        )  # LangGraph takes 0.7 s to import, so it is imported when a question is answered

        assert clips, "both arms need a clip"
        parts, arms = await split_each(clips), (self.cascade.parts, self.lalm, self.routing)
        context = Choosing(clips, parts, *arms, self.summary)
        run = await cancel_once(build_agent_graph().ainvoke(make_input(question, clips), context=context, version="v2"))
        answer: Answer = run.value["answer"]
        return answer
