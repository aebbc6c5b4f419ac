"""The path that chooses: a router asks the cascade, the LALM or both, and makes one answer of two."""

import asyncio

from agents.router import Reconciled, Route, Routing, chosen_arm
from services.protocols import Answerer
from services.types import Answer, AudioClip, Question


class Auto:
    """Answers over the arm that is likelier to be right; over both where the question alone does not tell.

    Args:
        cascade: the arm that captions, transcribes and reads.
        lalm: the arm that hears for itself.
        routing: decides whom to ask, and weighs two answers.
    """

    def __init__(self, cascade: Answerer, lalm: Answerer, routing: Routing) -> None:
        self.cascade = cascade
        self.lalm = lalm
        self.routing = routing

    async def answer(self, question: Question, clip: AudioClip | None) -> Answer:
        route = self.routing.route(question)
        if route.way == "cascade" or (route.way == "both" and not question.choices):
            return _alone("cascade", route, await self.cascade.answer(question, clip))
        if route.way == "lalm":
            return _alone("lalm", route, await self.lalm.answer(question, clip))
        cascade, lalm = await asyncio.gather(self.cascade.answer(question, clip), self.lalm.answer(question, clip))
        return _together(question, route, cascade, lalm, self.routing.reconcile(question, cascade, lalm))


def _alone(arm: str, route: Route, answer: Answer) -> Answer:
    return answer.model_copy(update={"path": "auto", "trace": (f"route: {arm} ({route.why})", *answer.trace)})


def _together(question: Question, route: Route, cascade: Answer, lalm: Answer, found: Reconciled) -> Answer:
    """Return one answer that holds what both rest on."""
    leading = chosen_arm(cascade, lalm, found.weight)
    choice = leading.choice
    if found.probabilities:
        choice = max(question.choices, key=lambda option: found.probabilities[option.letter])
    agreement = "they agree" if cascade.choice == lalm.choice else "they differ"
    reconciled = f"reconcile: {agreement}, {found.why}, {found.weight:.2f} of the say to the LALM"
    return Answer(
        question_id=question.id,
        reply=leading.reply if choice is None or choice == leading.choice else choice.letter,
        choice=choice,
        probabilities=found.probabilities,
        path="auto",
        trace=(f"route: both ({route.why})", *cascade.trace, *lalm.trace, reconciled),
        evidence=cascade.evidence + lalm.evidence,
        degraded=cascade.degraded + lalm.degraded,
        timings_s=cascade.timings_s | lalm.timings_s,
        usage=cascade.usage + lalm.usage,
    )
