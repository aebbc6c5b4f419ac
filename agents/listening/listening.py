"""Active listening: an unsure agent calls captioner and ASR again, until options separate or its budget is spent."""

from collections.abc import Sequence
from time import perf_counter
from typing import Literal, NamedTuple

from agents.degradation import STRICT, Policy, share_time
from agents.listening.classifiers.spoken import hide_new_speech
from agents.listening.findings import (
    Contradiction,
    compute_vote,
    estimate_probabilities,
    find_contradictions,
    has_vote,
    weighs_options,
)
from agents.listening.grounds import list_read, mark_evidence, unmark
from agents.listening.planner import ClassifierPlanner, PlanInput, PlannedStep, Planner, ToolCall, note_plan
from agents.listening.tool import Listeners, ToolArguments, ToolInput
from agents.listening.tools import AnyTool, ChosenTool, list_inputs
from agents.reading.calibration import ModelCalibration, apply_after_findings, is_within_chance
from agents.reading.confidence import Factor, Probabilities, measure_confidence, pool_distributions
from agents.reading.reading import read
from services.deadline import compute_remaining_s, limit_time
from services.errors import BadRequest, EarwitnessError
from services.longform.hearing import name_recording
from services.protocols import LLM
from services.types import Answer, AudioClip, Choice, Draft, Evidence, Question, TraceStep, Usage

SEPARATE_MARGIN = 0.6  # lead of the best option over the next, calibrated, at which the options are separate
AGAIN: Literal["listen again"] = "listen again"
READING_WEIGHT = 0.5  # of reading a description alone, beside the answer from everything


class ListeningState(NamedTuple):
    """State of the search: evidence, findings and probabilities so far."""

    probabilities: Probabilities
    """Calibrated."""
    evidence: tuple[Evidence, ...]
    read: frozenset[Evidence]
    """Of the evidence, what a prompt held or what voted."""
    doubted: tuple[Evidence, ...]
    trace: tuple[TraceStep, ...]
    drafts: tuple[Draft, ...]
    degraded: tuple[str, ...]
    usage: Usage
    num_actions: int
    calls: tuple[ToolCall, ...]
    findings: tuple[Evidence, ...]
    """What the tools found. A finding may repeat a line of the first caption: there it was one among many."""

    @property
    def has_findings(self) -> bool:
        """Whether a tool found anything."""
        return bool(self.findings)

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
        listeners: the captioner and the ASR that the tools call.
        llm: reads what the tools find.
        budget: maximum number of actions; 0 leaves every answer as it is.
        calibration: of the LLM's probabilities; None: as it gives them.
        policy: which errors of a tool are tolerated.
        planner: chooses the next tool; None: the classifier.
    """

    def __init__(
        self,
        listeners: Listeners,
        llm: LLM,
        *,
        budget: int,
        calibration: ModelCalibration | None = None,
        policy: Policy = STRICT,
        planner: Planner | None = None,
    ) -> None:
        self.listeners = listeners
        self.llm = llm
        self.budget = budget
        self.calibration = calibration
        self.policy = policy
        self.planner = planner or ClassifierPlanner()

    def may_refine(self, question: Question) -> bool:
        """Say whether the answer to a question may be refined at all: it has options, and there is a budget."""
        return bool(self.budget and question.choices)

    def needs_refining(self, question: Question, answer: Answer) -> bool:
        """Say whether an answer is one to refine: its options are not separate yet."""
        return self.may_refine(question) and not _is_separate(_find_known(question, answer))

    async def refine(self, question: Question, clips: Sequence[AudioClip], answer: Answer) -> tuple[Answer, ...]:
        """Return the answer before the first follow-up question and after each one.

        There are as many as it takes and the budget allows; the last answer counts. Of several recordings one action
        listens to each that the question names, or to all. With a deadline it takes its share of the time, planning
        included: what is late is left out, and what was found before counts; `TookTooLong` where nothing was.
        """
        if not self.may_refine(question):
            return (answer,)
        started, share = perf_counter(), share_time(AGAIN)
        later_s = (compute_remaining_s() or 0.0) - share.seconds if share else 0.0  # for the steps after this one
        states = [self._start(question, answer)]
        first, is_over = list_inputs(question, clips, answer.evidence), False
        while not is_over:
            state, planned = states[-1], PlannedStep()
            left_s = max(0.0, (compute_remaining_s() or 0.0) - later_s) if share else None
            try:
                async with limit_time(left_s, share.message if share else ""):
                    now = list_inputs(question, clips, state.evidence)
                    planned = await self.planner.choose(self._tell(first, now, state))
                    state = states[-1] = _add_plan(state, planned)
                    if planned.chosen:
                        states.append(await self._use(planned.chosen, now, state))
            except self.policy.tolerates as error:
                if not state.num_actions:
                    raise
                late = planned.chosen.tool.name if planned.chosen else "planning"
                states.append(_leave_out(late, error, state))
                break
            is_over = planned.chosen is None
        seconds = perf_counter() - started
        return tuple(self._finish(question, answer, state, seconds) for state in states)

    def _start(self, question: Question, answer: Answer) -> ListeningState:
        read_first = frozenset(unmark(tuple(one for one in answer.evidence if one.use in {"read", "decided"})))
        return ListeningState(
            probabilities=_find_known(question, answer),
            evidence=unmark(answer.evidence),
            read=read_first,
            doubted=(),
            trace=(),
            drafts=(make_first_draft(answer),),
            degraded=(),
            usage=Usage(),
            num_actions=0,
            calls=(),
            findings=(),
        )

    def _tell(self, first: Sequence[ToolInput], now: Sequence[ToolInput], state: ListeningState) -> PlanInput:
        """Tell the planner what it needs to know."""
        return PlanInput(
            listeners=self.listeners,
            first=tuple(first),
            now=tuple(now),
            evidence=state.evidence,
            calls=state.calls,
            trace=state.trace,
            num_left=self.budget - state.num_actions,
            is_separate=_is_separate(state.probabilities),
        )

    async def _use(self, chosen: ChosenTool, inputs: Sequence[ToolInput], state: ListeningState) -> ListeningState:
        """Call one tool for each recording, and weigh what it finds."""
        tool, question, started = chosen.tool, inputs[0].question, perf_counter()
        made = (tool.make_arguments(self.listeners, one) for one in inputs)
        arguments = tuple(made) if chosen.arguments is None else chosen.arguments
        calls = (*state.calls, ToolCall(tool.name, arguments))
        state = state._replace(num_actions=state.num_actions + tool.cost, calls=calls)
        try:
            found = await self._listen(tool, inputs, arguments)
        except BadRequest as error:
            if chosen.arguments is None:
                raise
            return self._note(tool, f" refused ({error})", question, _blame_plan(state, error), started)
        except self.policy.tolerates as error:
            state = state._replace(degraded=(*state.degraded, f"no {tool.name}: {error}"))
            return self._note(tool, f" failed ({error})", question, state, started)
        new = tuple(one for one in _match_known(found, state.evidence) if one not in state.findings)
        if not new:
            return self._note(tool, ", nothing new", question, state, started)
        state, clashes = await self._weigh(question, new, state, chosen)
        text = " ".join(map(_format_finding, new))
        margin = measure_confidence(state.probabilities).margin
        state = self._note(tool, f", margin {margin:.2f}: {text}", question, state, started)
        contradicted = (TraceStep(step="contradiction", text=clash.text) for clash in clashes)
        return state._replace(trace=(*state.trace, *contradicted))

    async def _listen(
        self, tool: AnyTool, inputs: Sequence[ToolInput], arguments: Sequence[ToolArguments | None]
    ) -> tuple[Evidence, ...]:
        found: tuple[Evidence, ...] = ()
        for one, given in zip(inputs, arguments, strict=True):
            found += name_recording(await tool.use(self.listeners, one, given), one.recording)
        return found

    async def _weigh(
        self, question: Question, new: tuple[Evidence, ...], state: ListeningState, chosen: ChosenTool
    ) -> "_WeighedFindings":
        """Update the state with findings: what describes is read by the LLM, what names something has a vote.

        The less likely it is that the question asks for them, the less the votes count. What a tool finds that says
        several things is read, but for what weighs the options themselves.
        """
        clashes = find_contradictions(question, new, state.trusted)
        doubted = state.doubted + tuple(clash.doubted for clash in clashes if clash.doubted)
        believed = tuple(one for one in new if one not in doubted)
        voting = tuple(one for one in believed if weighs_options(one, question) or not chosen.tool.is_read)
        votes = {one: vote for one in voting if (vote := compute_vote(one, question, chosen.relevance))}
        read_too = tuple(one for one in believed if one not in voting or not has_vote(one, question))
        described = hide_new_speech(question, state.evidence, read_too)
        factors, usage, seen = [Factor(state.probabilities, 1.0), *votes.values()], Usage(), frozenset(votes)
        if described:
            again = await read(self.llm, question, described, self.calibration)
            usage, seen = again.usage, seen | frozenset(again.shown)
            factors.append(Factor(again.probabilities, READING_WEIGHT))
        state = state._replace(
            probabilities=pool_distributions(*factors),
            evidence=state.evidence + tuple(one for one in new if one not in state.evidence),
            findings=state.findings + new,
            read=state.read | seen,
            doubted=doubted,
            usage=state.usage + usage,
        )
        return _WeighedFindings(state, clashes)

    def _note(
        self, tool: AnyTool, came: str, question: Question, state: ListeningState, started: float
    ) -> ListeningState:
        """Update the state with the outcome of a tool in its trace, and with the answer so far as a draft."""
        text, seconds = f"{tool.name} ({state.num_actions} of {self.budget}){came}", perf_counter() - started
        step = TraceStep(step=AGAIN, text=text, seconds=seconds)
        choice = _find_best(question, state.probabilities) if state.has_findings else state.drafts[0].choice
        draft = Draft(actions=state.num_actions, choice=choice)
        return state._replace(trace=(*state.trace, step), drafts=(*state.drafts, draft))

    def _finish(self, question: Question, answer: Answer, state: ListeningState, seconds: float) -> Answer:
        """Return the answer with the findings; without any it keeps its reply and probabilities."""
        update: dict[str, object] = {"drafts": state.drafts}
        if state.trace:
            trace, degraded = answer.trace + state.trace, answer.degraded + state.degraded
            update |= {"trace": trace, "degraded": degraded, "usage": answer.usage + state.usage}
            update["timings_s"] = answer.timings_s | {"listen again": seconds}
        if state.has_findings:
            choice = _find_best(question, state.probabilities) or answer.choice
            kept = answer.reply if choice == answer.choice or choice is None else choice.letter
            was_read = list_read(question, state.evidence, state.read)
            found = tuple(one for one in state.findings if one in was_read and one not in state.doubted)
            evidence = mark_evidence(question, state.evidence, state.read, choice, found)
            update |= {"choice": choice, "reply": kept, "evidence": evidence}
            if answer.probabilities:
                known = apply_after_findings(self.calibration, state.probabilities)
                update |= {"probabilities": known, "is_unsure": is_within_chance(known, self.calibration)}
            if answer.calibration and self.calibration:
                added = {"findings_temperature": self.calibration.findings_temperature}
                update["calibration"] = answer.calibration.model_copy(update=added)
        return answer.model_copy(update=update)


def _add_plan(state: ListeningState, planned: PlannedStep) -> ListeningState:
    """Return the state with what a planner said."""
    return state._replace(
        trace=state.trace + planned.trace,
        usage=state.usage + planned.usage,
        degraded=state.degraded + planned.degraded,
    )


def _blame_plan(state: ListeningState, error: BadRequest) -> ListeningState:
    """Return the state with the fault of the last plan, whose arguments the tool itself refused."""
    plan = state.trace[-1].plan
    assert plan is not None, "who gives arguments says so in the trace"
    fault = plan.model_copy(update={"fault": "bad_arguments", "why": str(error)})
    return state._replace(trace=(*state.trace, note_plan(fault)))


def _leave_out(what: str, error: EarwitnessError, state: ListeningState) -> ListeningState:
    """Return the state with what was left out, and why."""
    step = TraceStep(step=AGAIN, text=f"{what} left out ({error})")
    return state._replace(trace=(*state.trace, step), degraded=(*state.degraded, f"no {what}: {error}"))


def make_first_draft(answer: Answer) -> Draft:
    """Return an answer as the draft before any follow-up."""
    return Draft(actions=0, choice=answer.choice)


def _find_known(question: Question, answer: Answer) -> Probabilities:
    return answer.probabilities or estimate_probabilities(answer.choice, question)


def _is_separate(probabilities: Probabilities) -> bool:
    return measure_confidence(probabilities).margin >= SEPARATE_MARGIN


def _format_finding(statement: Evidence) -> str:
    return statement.text if statement.recording is None else f"recording {statement.recording}: {statement.text}"


def _match_known(found: tuple[Evidence, ...], known: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return findings as statements of this step, but the earlier statement where an earlier step made the same one."""
    earlier = {one.model_copy(update={"step": AGAIN}): one for one in known}
    again = (one.model_copy(update={"step": AGAIN}) for one in found)
    return tuple(earlier.get(one, one) for one in again)


def _find_best(question: Question, probabilities: Probabilities) -> Choice | None:
    """Return the likeliest option; None without probabilities."""
    if not probabilities:
        return None
    return max(question.choices, key=lambda choice: probabilities[choice.letter])
