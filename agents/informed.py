"""Path `informed`: captioner and ASR in parallel, then a LALM that hears the clip and reads what they heard.

The LALM hears last and decides: an agent that answers from text traces alone loses what only the ear knows.
"""

from collections.abc import Mapping
from typing import Any

from agents.cascade import Cascade
from agents.degradation import STRICT, Policy, make_down_error
from agents.direct import Direct, require_room
from agents.graph.context import EarParts, HearingLast, Informing
from agents.graph.state import make_input
from services.cancellation import cancel_once
from services.longform.split import split_each
from services.protocols import ASR, Captioner
from services.types import Answer, AudioClip, Question


class Alone:
    """Path `informed` without a summary: the LALM hears the clip alone, as on path `lalm`."""

    def __init__(self, lalm: Direct) -> None:
        self.lalm = lalm

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Answer as path `lalm` does."""
        answer = await self.lalm.answer(question, *clips)
        return answer.model_copy(update={"path": "informed"})


class Informed:
    """Answers with a LALM, from the waveform and the evidence of a captioner and an ASR.

    Args:
        lalm: answers; it takes evidence beside the clip.
        captioner: describes the clip.
        asr: transcribes it.
        policy: which errors degrade the answer instead of failing it.
    """

    def __init__(self, lalm: Direct, captioner: Captioner, asr: ASR, *, policy: Policy = STRICT) -> None:
        self.lalm = lalm
        self.parts = EarParts(captioner, asr, policy)

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Run this path's part of the graph; where nothing could be answered, raise what failed."""
        from agents.graph.graph import (
            build_informed_graph,
        )  # LangGraph takes 0.7 s to import, so it is imported when a question is answered

        assert clips, "a LALM needs a clip"
        require_room(self.lalm.lalm, clips)
        context = Informing(clips, await split_each(clips), self.parts, self.lalm)
        run = build_informed_graph().ainvoke(make_input(question, clips), context=context, version="v2")
        return _read_answer((await cancel_once(run)).value)


class InformedByTools:
    """Answers with a LALM, from the waveform and all that a cascade found, listening again included.

    Args:
        lalm: answers; it takes evidence beside the clip.
        cascade: hears, reads and listens again before it.
    """

    def __init__(self, lalm: Direct, cascade: Cascade) -> None:
        self.lalm, self.cascade = lalm, cascade

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Run the cascade, then the LALM; where nothing could be answered, raise what failed."""
        from agents.graph.graph import (
            build_informed_last_graph,
        )  # LangGraph takes 0.7 s to import, so it is imported when a question is answered

        assert clips, "a LALM needs a clip"
        require_room(self.lalm.lalm, clips)
        context = HearingLast(clips, await split_each(clips), self.cascade.parts, self.lalm)
        run = build_informed_last_graph().ainvoke(make_input(question, clips), context=context, version="v2")
        return _read_answer((await cancel_once(run)).value)


def _read_answer(state: Mapping[str, Any]) -> Answer:
    """Return the LALM's answer; without one, raise what failed."""
    if "lalm" not in state:
        raise make_down_error(state["failures"])
    answer: Answer = state["lalm"]
    return answer
