"""The path that chooses: a router asks the cascade, the LALM or both, and makes one answer of two."""

from agents.cascade import Cascade
from agents.direct import Direct
from agents.graph.context import Choosing
from agents.graph.state import GraphInput
from agents.routing.router import Routing
from services.types import Answer, AudioClip, Question


class Auto:
    """Answers over the arm that is likelier to be right; over both where the question alone does not tell.

    Args:
        cascade: the arm that captions, transcribes and reads; its policy is that of the whole.
        lalm: the arm that hears for itself.
        routing: decides whom to ask, and weighs two answers.
    """

    def __init__(self, cascade: Cascade, lalm: Direct, routing: Routing) -> None:
        self.cascade = cascade
        self.lalm = lalm
        self.routing = routing

    async def answer(self, question: Question, clip: AudioClip | None) -> Answer:
        from agents.graph.graph import agent_graph  # LangGraph takes 0.7 s to import, so only who answers pays

        assert clip is not None, "both arms need a clip"
        asked = GraphInput(question=question, clip_sha256=clip.sha256)
        state = await agent_graph().ainvoke(asked, context=Choosing(clip, self.cascade.parts, self.lalm, self.routing))
        answer: Answer = state["answer"]
        return answer
