"""Answers with their reasons, where a question wants them; what finds these is loaded with the first such question."""

from time import perf_counter

from agents.degradation import STRICT, Policy, run_in_time
from services.errors import TookTooLong
from services.progress import report_stage
from services.protocols import LLM, Answerer
from services.types import Answer, AudioClip, Question, Reasons, ReasonsStatus, TraceStep


class Reasoned:
    """Answers as another way does, and brings its reasons where the question wants them.

    Args:
        answerer: answers.
        llm: writes the claims; None: there is none on this path.
        policy: whether reasons that are late or fail are left out instead of failing the answer.
    """

    def __init__(self, answerer: Answerer, llm: LLM | None, policy: Policy = STRICT) -> None:
        self.answerer, self._llm, self._policy = answerer, llm, policy

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Answer, and then say why."""
        answer = await self.answerer.answer(question, *clips)
        return await self._explain(question.with_clips(clips), answer) if question.wants_reasons else answer

    async def _explain(self, question: Question, answer: Answer) -> Answer:
        # With them the planner's numpy comes, 0.1 s that answers without reasons do without.
        from agents.reasons.reasoner import FoundReasons, describe_reasons, find_reasons

        started = perf_counter()
        missing: tuple[str, ...] = ()
        try:
            with report_stage("reason"):
                found = await run_in_time("reason", find_reasons(self._llm, question, answer))
        except self._policy.tolerates as error:
            status: ReasonsStatus = "late" if isinstance(error, TookTooLong) else "failed"
            found, missing = FoundReasons(Reasons(status=status)), (f"no reasons: {error}",)
        seconds = perf_counter() - started
        return answer.model_copy(
            update={
                "reasons": found.reasons,
                "trace": (
                    *answer.trace,
                    TraceStep(step="reason", text=describe_reasons(found.reasons), seconds=seconds),
                ),
                "timings_s": answer.timings_s | {"reason": seconds},
                "degraded": answer.degraded + missing,
                "usage": answer.usage + found.usage,
            }
        )
