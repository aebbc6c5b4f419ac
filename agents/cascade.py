"""The cascade: caption and transcribe at once, then let an LLM that cannot hear read both, and listen again if unsure.

`agents.graph.graph` holds the order of the steps, `agents.graph.steps` the steps.
"""

from agents.degradation import STRICT, Policy, make_down_error
from agents.graph.context import CascadeParts, Hearing
from agents.graph.state import GraphInput
from agents.listening.listening import FollowUp
from services.protocols import ASR, LLM, Captioner
from services.types import Answer, AudioClip, Question


class Cascade:
    """Answers from what a captioner and an ASR say about a clip, in the words of an LLM.

    Args:
        llm: reads.
        captioner: describes.
        asr: transcribes.
        follow_up: asks captioner and ASR again where the answer is not sure; None: never.
        policy: what becomes of the answer when a part is missing.
    """

    def __init__(
        self,
        llm: LLM,
        captioner: Captioner,
        asr: ASR,
        *,
        follow_up: FollowUp | None = None,
        policy: Policy = STRICT,
    ) -> None:
        self.parts = CascadeParts(llm, captioner, asr, follow_up, policy)

    async def answer(self, question: Question, clip: AudioClip | None) -> Answer:
        from agents.graph.graph import cascade_graph  # LangGraph takes 0.7 s to import, so only who answers pays

        assert clip is not None, "the cascade needs a clip"
        asked = GraphInput(question=question, clip_sha256=clip.sha256)
        state = await cascade_graph().ainvoke(asked, context=Hearing(clip, self.parts))
        if "cascade" not in state:
            raise make_down_error(state["failures"])
        answer: Answer = state["cascade"][-1]
        return answer
