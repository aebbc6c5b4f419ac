"""The steps of the graph: each takes the state and returns what it adds; what it listens with is in the context."""

from collections.abc import Awaitable
from time import perf_counter
from typing import Literal, TypeAlias

from langgraph.runtime import Runtime

from agents.degradation import DegradationRow, Part, failure, find_row, make_down_error, run_in_time
from agents.graph.context import Choosing, Hearing
from agents.graph.state import GraphState, GraphUpdate
from agents.reading.reading import read as read_evidence
from agents.routing.router import Reconciled, chosen_arm
from services.errors import EarwitnessError
from services.types import Answer, Choice, Draft, Evidence, Opinion, Question, StepName, TraceStep

HearingStep: TypeAlias = Literal["caption", "transcribe"]

# The cascade


async def caption(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:  # noqa: ARG001 - the clip is all it needs
    """Describe the clip in words."""
    captioner = runtime.context.cascade.captioner
    return await _heard("caption", "captioner", captioner.name, captioner.caption(runtime.context.clip), runtime)


async def transcribe(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:  # noqa: ARG001
    """Write down what is said."""
    asr = runtime.context.cascade.asr
    return await _heard("transcribe", "ASR", asr.name, asr.transcribe(runtime.context.clip), runtime)


async def _heard(
    step: Literal["caption", "transcribe"],
    part: Part,
    name: str,
    work: Awaitable[tuple[Evidence, ...]],
    runtime: Runtime[Hearing],
) -> GraphUpdate:
    started = perf_counter()
    try:
        evidence = await run_in_time(step, work)
    except runtime.context.cascade.policy.tolerates as error:
        return _missing(step, part, name, error, started)
    seconds = perf_counter() - started
    return {
        "evidence": tuple(one.model_copy(update={"step": step}) for one in evidence),
        "trace": (TraceStep(step=step, text=name, seconds=seconds),),
        "timings_s": {step: seconds},
    }


async def read(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:
    """Let the LLM read the question and all evidence."""
    cascade, started = runtime.context.cascade, perf_counter()
    row = find_row(state["failures"])
    if row and row.arm != "same":
        return {}  # there is nothing to read
    resting = _resting(row) if row else ()
    try:
        answered = await run_in_time("read", read_evidence(cascade.llm, state["question"], state["evidence"]))
    except cascade.policy.tolerates as error:
        return _missing("read", "LLM", cascade.llm.name, error, started)
    seconds = perf_counter() - started
    trace, timings_s = (*resting, TraceStep(step="read", text=answered.note, seconds=seconds)), {"read": seconds}
    answer = Answer(
        question_id=state["question"].id,
        reply=answered.reply,
        choice=answered.choice,
        probabilities=answered.probabilities,
        path="cascade",
        trace=state["trace"] + trace,
        evidence=state["evidence"],
        degraded=state["degraded"],
        timings_s=state["timings_s"] | timings_s,
        usage=answered.usage,
    )
    return {"cascade": (answer,), "trace": trace, "timings_s": timings_s}


async def listen_again(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:
    """Ask the ears again what would tell the options apart."""
    cascade, started, (first,) = runtime.context.cascade, perf_counter(), state["cascade"]
    assert cascade.follow_up is not None, "the edges lead here only with a follow-up"
    try:
        stages = await run_in_time(
            "listen again", cascade.follow_up.refine(state["question"], runtime.context.clip, first)
        )
    except cascade.policy.tolerates as error:
        missed = _missing("listen again", "listening again", cascade.llm.name, error, started)
        added = {"trace": first.trace + missed["trace"], "degraded": first.degraded + missed["degraded"]}
        return {**missed, "cascade": (first.model_copy(update=added),)}
    last = stages[-1]
    return {
        "cascade": stages,
        "evidence": last.evidence[len(first.evidence) :],
        "trace": last.trace[len(first.trace) :],
        "degraded": last.degraded[len(first.degraded) :],
        "timings_s": last.timings_s,
    }


# The whole


async def route(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Decide by the words of the question, the cheapest there is to perceive, whom to ask."""
    chosen = runtime.context.routing.route(state["question"])
    if chosen.way == "both" and not state["question"].choices:
        chosen = chosen._replace(way="cascade")  # two replies in words cannot be weighed
    return {"route": chosen, "trace": (TraceStep(step="route", text=f"{chosen.way} ({chosen.why})"),)}


async def listen(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Let the LALM hear the clip itself."""
    lalm, started = runtime.context.lalm, perf_counter()
    is_first = state["route"].way == "lalm"
    try:
        answer = await run_in_time(
            "listen first" if is_first else "listen", lalm.answer(state["question"], runtime.context.clip)
        )
    except runtime.context.cascade.policy.tolerates as error:
        return _missing("listen", "LALM", lalm.lalm.name, error, started)
    return {"lalm": answer, "trace": answer.trace, "timings_s": answer.timings_s}


async def reconcile(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Make one answer of what the arms said; where neither did, see who may still be asked."""
    stages, lalm = state.get("cascade", ()), state.get("lalm")
    if stages and lalm:
        return _together(state["question"], stages, lalm, runtime)
    row = find_row(state["failures"])
    changed = row is not None and row.arm in ("cascade", "lalm")
    if alone := stages[-1] if stages else lalm:
        is_told = any(one.step == "degraded" for one in alone.trace)  # `read` knows better what the cascade rests on
        return {
            "answer": runtime.context.routing.alone(alone),
            "trace": _resting(row) if row and changed and not is_told else (),
        }
    if not changed:
        raise make_down_error(state["failures"])
    return {}


def _together(question: Question, stages: tuple[Answer, ...], lalm: Answer, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Return one answer of two; what would have been said with fewer follow-ups is weighed as well."""
    routing, cascade = runtime.context.routing, stages[-1]
    weighed = [routing.reconcile(question, stage, lalm) for stage in stages]
    choices = [_choice(question, stage, lalm, found) for stage, found in zip(stages, weighed, strict=True)]
    choice, found = choices[-1], weighed[-1]
    leading = chosen_arm(cascade, lalm, found.weight)
    agreement = "they agree" if cascade.choice == lalm.choice else "they differ"
    answer = Answer(
        question_id=question.id,
        reply=leading.reply if choice is None or choice == leading.choice else choice.letter,
        choice=choice,
        probabilities=found.probabilities,
        path="auto",
        usage=cascade.usage + lalm.usage,
        drafts=tuple(
            Draft(actions=draft.actions, choice=one) for draft, one in zip(cascade.drafts, choices, strict=False)
        ),
        arms=tuple(
            Opinion(path=arm.path, choice=arm.choice, probabilities=arm.probabilities) for arm in (cascade, lalm)
        ),
    )
    reconciled = f"{agreement}, {found.why}, {found.weight:.2f} of the say to the LALM"
    return {"answer": answer, "trace": (TraceStep(step="reconcile", text=reconciled),)}


def _choice(question: Question, cascade: Answer, lalm: Answer, found: Reconciled) -> Choice | None:
    if found.probabilities:
        return max(question.choices, key=lambda option: found.probabilities[option.letter])
    return chosen_arm(cascade, lalm, found.weight).choice


async def answer(state: GraphState) -> GraphUpdate:
    """Put everything to the answer that it rests on."""
    added = {
        "path": "auto",
        "route": state["route"].way,
        "trace": state["trace"],
        "evidence": _rests_on(state),
        "degraded": state["degraded"],
        "timings_s": state["timings_s"],
    }
    return {"answer": state["answer"].model_copy(update=added)}


def _rests_on(state: GraphState) -> tuple[Evidence, ...]:
    """Return what was read, if anybody read it, and what the LALM heard."""
    read = state["evidence"] if "cascade" in state else ()
    return (*read, *(state["lalm"].evidence if "lalm" in state else ()))


def _resting(row: DegradationRow) -> tuple[TraceStep, ...]:
    """Return what the answer rests on; said once, when it is known who answers."""
    return (TraceStep(step="degraded", text=f"the answer rests on {row.rests_on}"),)


def _missing(step: StepName, part: Part, name: str, error: EarwitnessError, started: float) -> GraphUpdate:
    """Return what a part that failed or is late adds."""
    failed, seconds = failure(part, error), perf_counter() - started
    return {
        "failures": (failed,),
        "degraded": (failed.text,),
        "trace": (TraceStep(step=step, text=f"{name} failed ({failed.why})", seconds=seconds),),
        "timings_s": {step: seconds},
    }
