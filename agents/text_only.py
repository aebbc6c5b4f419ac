"""Path `text`, without audio: the control of every other path, which shows what an LLM knows already."""

from time import perf_counter

from agents.reading.calibration import ModelCalibration
from agents.reading.reading import read
from services.progress import report_stage
from services.protocols import LLM
from services.types import Answer, AudioClip, Question, TraceStep


class TextOnly:
    """Answers from the question alone; a clip is ignored."""

    def __init__(self, llm: LLM, calibration: ModelCalibration | None = None) -> None:
        self.llm, self.calibration = llm, calibration

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:  # noqa: ARG002 - without audio by design
        """Answer from the question alone."""
        started = perf_counter()
        with report_stage("read"):
            answered = await read(self.llm, question, calibration=self.calibration)
        seconds = perf_counter() - started
        trace = (TraceStep(step="read", text=answered.note, seconds=seconds),)
        answer = answered.build_answer(question, "text", self.calibration)
        return answer.model_copy(update={"trace": trace, "timings_s": {"read": seconds}})
