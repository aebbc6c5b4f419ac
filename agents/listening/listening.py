"""Active listening: an agent that is not sure asks its ears again, until options separate or its budget is spent."""

from time import perf_counter
from typing import NamedTuple

from agents.degradation import STRICT, Policy
from agents.listening.findings import Contradiction, as_probabilities, contradictions, vote
from agents.listening.tools import Ears, Tool, ToolInput, called_for
from agents.reading.confidence import (
    Factor,
    Probabilities,
    apply_temperature,
    confidence,
    pool_distributions,
)
from agents.reading.reading import read
from services.protocols import LLM
from services.types import Answer, AudioClip, Choice, Draft, Evidence, Question, StepName, TraceStep, Usage

ENOUGH = 0.6  # lead of the best option over the next, calibrated, at which the options are separate
AGAIN: StepName = "listen again"
READING_WEIGHT = 0.5  # of reading a finding alone, beside the answer from everything
TEMPERATURES = {"qwen2.5-coder-0.5b": 0.09}
"""LLM -> temperature that makes its averaged probabilities those of being right (fitted on dev); else 1."""


class ListeningState(NamedTuple):
    """What is known while listening again."""

    probabilities: Probabilities
    """Calibrated."""
    evidence: tuple[Evidence, ...]
    doubted: tuple[Evidence, ...]
    trace: tuple[TraceStep, ...]
    drafts: tuple[Draft, ...]
    degraded: tuple[str, ...]
    usage: Usage
    num_actions: int
    weighed: tuple[Evidence, ...]
    """What the follow-ups found. It may have been said in the first caption: among many lines, which one matters?"""

    @property
    def is_changed(self) -> bool:
        """Whether anything was found."""
        return bool(self.weighed)

    @property
    def trusted(self) -> tuple[Evidence, ...]:
        """The evidence that nothing more reliable contradicts."""
        return tuple(one for one in self.evidence if one not in self.doubted)


class _WeighedFindings(NamedTuple):
    state: ListeningState
    contradictions: tuple[Contradiction, ...]


class FollowUp:
    """Refines an answer that is not sure, within a budget.

    Args:
        ears: what the tools listen with.
        llm: reads what they find.
        budget: most actions; 0 leaves every answer as it is.
        temperature: of the LLM's probabilities, so that they are those of being right.
        policy: what becomes of the answer when a tool fails.
    """

    def __init__(self, ears: Ears, llm: LLM, *, budget: int, temperature: float = 1.0, policy: Policy = STRICT) -> None:
        self.ears = ears
        self.llm = llm
        self.budget = budget
        self.temperature = temperature
        self.policy = policy

    async def refine(self, question: Question, clip: AudioClip, answer: Answer) -> tuple[Answer, ...]:
        """Return the answer before the first follow-up question and after each one.

        There are as many as it takes and the budget allows; the last answer counts.
        """
        if not self.budget or not question.choices:
            return (answer,)
        started = perf_counter()
        states = [self._start(question, answer)]
        for tool in called_for(ToolInput(question, clip, answer.evidence)):
            state = states[-1]
            if confidence(state.probabilities).margin >= ENOUGH:
                break
            if state.num_actions + tool.cost <= self.budget:
                states.append(await self._used(tool, ToolInput(question, clip, state.evidence), state))
        seconds = perf_counter() - started
        return tuple(self._finished(question, answer, state, seconds) for state in states)

    def _start(self, question: Question, answer: Answer) -> ListeningState:
        known = answer.probabilities or as_probabilities(answer.choice, question)
        temperature = self.temperature if answer.probabilities else 1.0
        drafts = (Draft(actions=0, choice=answer.choice),)
        return ListeningState(
            apply_temperature(known, temperature), answer.evidence, (), (), drafts, (), Usage(), 0, ()
        )

    async def _used(self, tool: Tool, heard: ToolInput, state: ListeningState) -> ListeningState:
        """Use one tool, and weigh what it finds."""
        started = perf_counter()
        state = state._replace(num_actions=state.num_actions + tool.cost)
        try:
            found = await tool.use(self.ears, heard)
        except self.policy.tolerates as error:
            state = state._replace(degraded=(*state.degraded, f"no {tool.name}: {error}"))
            return self._noted(tool, f" failed ({error})", heard.question, state, started)
        new = tuple(one for one in _as_known(found, state.evidence) if one not in state.weighed)
        if not new:
            return self._noted(tool, ", nothing new", heard.question, state, started)
        state, clashes = await self._weighed(heard.question, new, state)
        heard_text = " ".join(one.text for one in new)
        margin = confidence(state.probabilities).margin
        state = self._noted(tool, f", margin {margin:.2f}: {heard_text}", heard.question, state, started)
        contradicted = (TraceStep(step="contradiction", text=clash.text) for clash in clashes)
        return state._replace(trace=(*state.trace, *contradicted))

    async def _weighed(
        self, question: Question, new: tuple[Evidence, ...], state: ListeningState
    ) -> "_WeighedFindings":
        """Return the state with findings; a transcript is read as any evidence, but what is said in it has no vote."""
        clashes = contradictions(question, new, state.trusted)
        doubted = state.doubted + tuple(clash.doubted for clash in clashes if clash.doubted)
        believed = tuple(one for one in new if one not in doubted)
        votes = [found for one in believed if one.kind != "transcript" and (found := vote(one, question))]
        parts, usage = [Factor(state.probabilities, 1.0), *votes], Usage()
        if votes or any(one.kind in {"caption", "transcript"} for one in believed):  # else it tells no option apart
            again = await read(self.llm, question, believed)
            usage = again.usage
            parts.append(Factor(apply_temperature(again.probabilities, self.temperature), READING_WEIGHT))
        state = state._replace(
            probabilities=pool_distributions(*parts),
            evidence=state.evidence + tuple(one for one in new if one not in state.evidence),
            weighed=state.weighed + new,
            doubted=doubted,
            usage=state.usage + usage,
        )
        return _WeighedFindings(state, clashes)

    def _noted(
        self, tool: Tool, came: str, question: Question, state: ListeningState, started: float
    ) -> ListeningState:
        """Return the state with what came of a tool in its trace, and what would be answered now as a draft."""
        text, seconds = f"{tool.name} ({state.num_actions} of {self.budget}){came}", perf_counter() - started
        step = TraceStep(step=AGAIN, text=text, seconds=seconds)
        choice = _best(question, state.probabilities) if state.is_changed else state.drafts[0].choice
        draft = Draft(actions=state.num_actions, choice=choice)
        return state._replace(trace=(*state.trace, step), drafts=(*state.drafts, draft))

    def _finished(self, question: Question, answer: Answer, state: ListeningState, seconds: float) -> Answer:
        """Return the answer with what was found; one that nothing was added to keeps its reply and probabilities."""
        update: dict[str, object] = {"drafts": state.drafts}
        if state.num_actions:
            trace, degraded = answer.trace + state.trace, answer.degraded + state.degraded
            update |= {"trace": trace, "degraded": degraded, "usage": answer.usage + state.usage}
            update["timings_s"] = answer.timings_s | {"listen again": seconds}
        if state.is_changed:
            choice = _best(question, state.probabilities) or answer.choice
            kept = answer.reply if choice == answer.choice or choice is None else choice.letter
            flat = apply_temperature(state.probabilities, 1 / self.temperature) if answer.probabilities else {}
            update |= {"choice": choice, "reply": kept, "probabilities": flat, "evidence": state.evidence}
        return answer.model_copy(update=update)


def _as_known(found: tuple[Evidence, ...], known: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return findings as statements of this step; one that an earlier step made too is that earlier statement."""
    earlier = {one.model_copy(update={"step": AGAIN}): one for one in known}
    again = (one.model_copy(update={"step": AGAIN}) for one in found)
    return tuple(earlier.get(one, one) for one in again)


def _best(question: Question, probabilities: Probabilities) -> Choice | None:
    """Return the likeliest option; None where nothing is known."""
    if not probabilities:
        return None
    return max(question.choices, key=lambda choice: probabilities[choice.letter])
