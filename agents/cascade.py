"""The cascade: caption and transcribe at once, then let an LLM that cannot hear read both, and listen again if unsure.

`agents.graph` holds the steps' order, `agents.steps` the steps.
"""

from dataclasses import dataclass

from agents.degradation import STRICT, Policy, all_down
from agents.listening import FollowUp
from agents.state import Asked
from services.protocols import ASR, LLM, Captioner
from services.types import Answer, AudioClip, Question


class Cascade:
    """Answers from what a captioner and an ASR say about a clip, in the words of an LLM.

    Args:
        llm: reads.
        captioner: describes.
        asr: transcribes.
        follow_up: asks the ears again where the answer is not sure; None: never.
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
        self.llm = llm
        self.captioner = captioner
        self.asr = asr
        self.follow_up = follow_up
        self.policy = policy

    async def answer(self, question: Question, clip: AudioClip | None) -> Answer:
        from agents.graph import cascade_graph  # LangGraph takes 0.7 s to import, so only who answers pays

        assert clip is not None, "the cascade needs a clip"
        asked = Asked(question=question, clip_sha256=clip.sha256)
        state = await cascade_graph().ainvoke(asked, context=Hearing(clip, self))
        if "cascade" not in state:
            raise all_down(state["failures"])
        answer: Answer = state["cascade"][-1]
        return answer


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one run may listen to and with; LangGraph hands it to the steps and never stores it."""

    clip: AudioClip
    cascade: Cascade
