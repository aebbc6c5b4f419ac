"""Path `cascade`: captioner and ASR in parallel, then an LLM that reads their evidence, and active listening if unsure.

`agents.graph.graph` holds the order of the steps, `agents.graph.steps` the steps.
"""

from agents.degradation import STRICT, Policy, make_down_error
from agents.graph.context import CascadeParts, Hearing
from agents.graph.state import make_input
from agents.listening.listening import FollowUp
from agents.reading.calibration import ModelCalibration
from services.cancellation import cancel_once
from services.longform.split import split_each
from services.protocols import ASR, LLM, Captioner
from services.types import Answer, AudioClip, Question


class Cascade:
    """Answers with an LLM that reads the evidence of a captioner and an ASR.

    Args:
        llm: reads the evidence.
        captioner: describes the clip.
        asr: transcribes it.
        follow_up: active listening where the answer is unsure; None: never.
        policy: which errors degrade the answer instead of failing it.
        calibration: of the LLM's probabilities; None: as it gives them.
    """

    def __init__(
        self,
        llm: LLM,
        captioner: Captioner,
        asr: ASR,
        *,
        follow_up: FollowUp | None = None,
        policy: Policy = STRICT,
        calibration: ModelCalibration | None = None,
    ) -> None:
        self.parts = CascadeParts(captioner, asr, policy, llm=llm, follow_up=follow_up, calibration=calibration)

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Run the cascade's part of the graph; where nothing could be answered, raise what failed."""
        from agents.graph.graph import (
            build_cascade_graph,
        )  # LangGraph takes 0.7 s to import, so it is imported when a question is answered

        assert clips, "the cascade needs a clip"
        context = Hearing(clips, await split_each(clips), self.parts)
        run = await cancel_once(
            build_cascade_graph().ainvoke(make_input(question, clips), context=context, version="v2")
        )
        state = run.value
        if "cascade" not in state:
            raise make_down_error(state["failures"])
        answer: Answer = state["cascade"][-1]
        return answer
