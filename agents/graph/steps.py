"""Nodes of the graph: each takes the state and returns what it adds; clip and models are in the context."""

from time import perf_counter
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from langgraph.runtime import Runtime

from agents.degradation import (
    DegradationRow,
    PartName,
    find_row,
    make_down_error,
    make_missing_part,
    run_in_time,
    share_time,
)
from agents.graph.context import Choosing, Hearing, HearingLast, Informing, Perceiving
from agents.graph.state import GraphState, GraphUpdate
from agents.listening.classifiers.spoken import hide_speech, list_withheld
from agents.listening.comparing import compare_recordings
from agents.listening.grounds import mark_evidence
from agents.listening.listening import make_first_draft
from agents.listening.summary import summarise
from agents.reading.calibration import is_within_chance
from agents.reading.named_times import find_named_spans
from agents.reading.reading import ReadAnswer
from agents.reading.reading import read as read_evidence
from agents.routing.router import Reconciled, RouteDecision, Routing, choose_arm
from services.audio.remarks import SOURCE as REMARKS
from services.audio.remarks import describe_each
from services.errors import EarwitnessError
from services.longform.hearing import Listen, hear_parts
from services.longform.split import ClipPart
from services.progress import report_stage
from services.types import Answer, Choice, Draft, Evidence, Opinion, Question, StepName, TraceStep, Usage

AnyInforming = TypeVar("AnyInforming", Informing, HearingLast)
AnyHearing = TypeVar("AnyHearing", bound=Perceiving)
HearingStep: TypeAlias = Literal["caption", "transcribe"]

# The cascade


class Listener(NamedTuple):
    """A model that hears the clip, and the step in which it does."""

    step: HearingStep
    part: PartName
    name: str
    listen: Listen


async def caption(state: GraphState, runtime: Runtime[AnyHearing]) -> GraphUpdate:
    """Caption the clip, or each of several."""
    captioner = runtime.context.ears.captioner
    perceived = await _perceive(Listener("caption", "captioner", captioner.name, captioner.caption), state, runtime)
    if "failures" in perceived:
        return perceived
    # Captions are cached by the samples, so what the samples do not tell is added here.
    remarks = tuple(one.model_copy(update={"step": "caption"}) for one in describe_each(runtime.context.clips))
    return {**perceived, "evidence": perceived["evidence"] + remarks}


async def transcribe(state: GraphState, runtime: Runtime[AnyHearing]) -> GraphUpdate:
    """Transcribe the clip, or each of several."""
    asr = runtime.context.ears.asr
    return await _perceive(Listener("transcribe", "ASR", asr.name, asr.transcribe), state, runtime)


async def _perceive(listener: Listener, state: GraphState, runtime: Runtime[AnyHearing]) -> GraphUpdate:
    started, (step, part, name, listen), clips = perf_counter(), listener, runtime.context.clips
    tolerates = runtime.context.ears.policy.tolerates
    parts = _order_parts(state["question"], runtime.context)
    try:
        with report_stage(step, total=sum(clip.duration_s for clip in clips), unit="seconds of audio"):
            heard = await hear_parts(parts, listen, budget=share_time(step), tolerates=tolerates)
    except tolerates as error:
        return _record_failure(step, part, name, error, started)
    seconds = perf_counter() - started
    what = "recordings" if len(clips) == len(parts) else f"parts of {len(clips)} recordings"
    what = "parts" if len(clips) == 1 else what
    counted = f"{name}, {heard.num_heard} of {len(parts)} {what}" if len(parts) > 1 else name
    return {
        "evidence": tuple(one.model_copy(update={"step": step}) for one in heard.statements),
        "trace": (TraceStep(step=step, text=counted, seconds=seconds),),
        "timings_s": {step: seconds},
        "degraded": tuple(f"no {part} {one}" for one in heard.left_out),
    }


def _order_parts(question: Question, context: Perceiving) -> tuple[ClipPart, ...]:
    """Put the parts first that the question names: where time is short, the others are left out.

    Several recordings take turns, so that a long one does not leave a short one without time.
    """
    if len(context.parts) == 1:
        return context.parts
    spans = [find_named_spans(question.text, clip.duration_s) for clip in context.clips]

    def rank(part: ClipPart) -> tuple[bool, int]:
        """Rank a part: is none of its times named, and how many of its recording come before it."""
        is_named = any(span.overlaps(part.start_s, part.end_s) for span in spans[(part.recording or 1) - 1])
        turn = sum(one.recording == part.recording and one.start_s < part.start_s for one in context.parts)
        return not is_named, turn

    return tuple(sorted(context.parts, key=rank))


async def read(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:
    """Answer with the LLM, from the question and all evidence."""
    cascade, question, started = runtime.context.cascade, state["question"], perf_counter()
    row = find_row(state["failures"])
    if row and row.arm != "same":
        return {}  # there is nothing to read
    resting = _trace_degradation(row) if row else ()
    try:
        with report_stage("read"):
            compared, answered = await run_in_time("read", _read(question, state["evidence"], runtime.context))
    except cascade.policy.tolerates as error:
        return _record_failure("read", "LLM", cascade.llm.name, error, started)
    seconds = perf_counter() - started
    trace, timings_s = (*resting, TraceStep(step="read", text=answered.note, seconds=seconds)), {"read": seconds}
    heard = {
        "trace": state["trace"] + trace,
        "evidence": mark_evidence(question, state["evidence"] + compared, answered.shown, answered.choice),
        "degraded": state["degraded"],
        "timings_s": state["timings_s"] | timings_s,
    }
    answer = answered.build_answer(question, "cascade", cascade.calibration).model_copy(update=heard)
    if cascade.follow_up and cascade.follow_up.may_refine(question) and not state["failures"]:
        answer = answer.model_copy(update={"drafts": (make_first_draft(answer),)})
    return {"cascade": (answer,), "evidence": compared, "trace": trace, "timings_s": timings_s}


async def _read(
    question: Question, evidence: tuple[Evidence, ...], context: Hearing
) -> tuple[tuple[Evidence, ...], ReadAnswer]:
    """Compare the recordings where there are several, and read all evidence."""
    compared = await compare_recordings(context.clips, evidence) if len(context.clips) > 1 else ()
    told = hide_speech(question, evidence + compared)
    return compared, await read_evidence(context.cascade.llm, question, told, context.cascade.calibration)


async def listen_again(state: GraphState, runtime: Runtime[Hearing]) -> GraphUpdate:
    """Refine the answer by active listening."""
    cascade, started, (first,) = runtime.context.cascade, perf_counter(), state["cascade"]
    assert cascade.follow_up is not None, "the edges lead here only with a follow-up"
    try:
        with report_stage("listen again"):
            stages = await cascade.follow_up.refine(state["question"], runtime.context.clips, first)
    except cascade.policy.tolerates as error:
        missed = _record_failure("listen again", "listening again", cascade.llm.name, error, started)
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


# The LALM that reads


async def inform(state: GraphState, runtime: Runtime[AnyInforming]) -> GraphUpdate:
    """Answer with the LALM, which hears the clips and reads a summary of the evidence beside them."""
    lalm, started, question = runtime.context.lalm, perf_counter(), state["question"]
    row = find_row(state["failures"])
    is_deaf = {"captioner", "ASR"} <= {one.part for one in state["failures"]}  # then it hears the clip alone
    given = None if is_deaf else summarise(question, state["evidence"], lalm.lalm.style, runtime.context.summary)
    resting = _trace_degradation(row) if row and (is_deaf or row.arm == "same") else ()
    try:
        work = lalm.answer(question, *runtime.context.clips, given=given)
        answer = await run_in_time("inform", work)
    except runtime.context.ears.policy.tolerates as error:
        return _record_failure("listen", "LALM", lalm.lalm.name, error, started)
    read = state["cascade"][-1].usage if "cascade" in state else Usage()
    added = {
        "path": "informed",
        "evidence": answer.evidence + list_withheld(question, state["evidence"]),
        "trace": state["trace"] + resting + answer.trace,
        "degraded": state["degraded"],
        "timings_s": state["timings_s"] | answer.timings_s,
        "usage": read + answer.usage,
    }
    return {"lalm": answer.model_copy(update=added), "trace": answer.trace, "timings_s": answer.timings_s}


# The whole


async def route(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Choose the arms from the words of the question, before any model runs; several recordings go to who hears all."""
    chosen = runtime.context.routing.route(state["question"])
    num, most = state["question"].num_clips, runtime.context.lalm.max_clips
    if num > most:
        chosen = RouteDecision("cascade", f"of {num} recordings the LALM hears {most} in a question")
    elif runtime.context.summary != "none":
        chosen = RouteDecision("both", f"the LALM hears last, with what was heard: {runtime.context.summary}")
        return {"route": chosen, "trace": (TraceStep(step="route", text=f"{chosen.way} ({chosen.why})"),)}
    if chosen.way == "both" and not state["question"].choices:
        chosen = chosen._replace(way="cascade")  # two replies in words cannot be reconciled
    return {"route": chosen, "trace": (TraceStep(step="route", text=f"{chosen.way} ({chosen.why})"),)}


async def listen(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Answer with the LALM."""
    lalm, started = runtime.context.lalm, perf_counter()
    is_first, summary = state["route"].way == "lalm", runtime.context.summary
    given = summarise(state["question"], state.get("evidence", ()), lalm.lalm.style, summary)
    try:
        answer = await run_in_time(
            "listen first" if is_first else "listen",
            lalm.answer(state["question"], *runtime.context.clips, given=given),
        )
    except runtime.context.cascade.policy.tolerates as error:
        return _record_failure("listen", "LALM", lalm.lalm.name, error, started)
    return {"lalm": answer, "trace": answer.trace, "timings_s": answer.timings_s}


async def reconcile(state: GraphState, runtime: Runtime[Choosing]) -> GraphUpdate:
    """Reconcile the answers of the arms into one; where neither answered, leave it to the arm that stands in."""
    stages, lalm = state.get("cascade", ()), state.get("lalm")
    if stages and lalm and runtime.context.summary != "none":
        return _let_lalm_decide(stages[-1], lalm)
    if stages and lalm and any(one.withheld for one in stages[-1].evidence):
        return _set_lalm_aside(stages[-1], lalm, runtime.context.routing)
    if stages and lalm:
        return _reconcile_both(state["question"], stages, lalm, runtime)
    row = find_row(state["failures"])
    hears_all = state["question"].num_clips <= runtime.context.lalm.max_clips
    changed = row is not None and row.arm in ("cascade", "lalm") and (row.arm == "cascade" or hears_all)
    if alone := stages[-1] if stages else lalm:
        is_traced = any(one.step == "degraded" for one in alone.trace)  # `read` knows better what the cascade rests on
        return {
            "answer": runtime.context.routing.calibrate(alone),
            "trace": _trace_degradation(row) if row and changed and not is_traced else (),
        }
    if not changed:
        raise make_down_error(state["failures"])
    return {}


def _let_lalm_decide(cascade: Answer, lalm: Answer) -> GraphUpdate:
    """Take the answer of the LALM, which heard the clip and read the evidence; the cascade's stands beside it."""
    agreement = "they agree" if cascade.choice == lalm.choice else "they differ"
    answer = lalm.model_copy(update={"arms": _list_opinions(cascade, lalm), "usage": cascade.usage + lalm.usage})
    step = TraceStep(step="reconcile", text=f"{agreement}, the LALM heard last and decides")
    return {"answer": answer, "trace": (step,)}


def _set_lalm_aside(cascade: Answer, lalm: Answer, routing: Routing) -> GraphUpdate:
    """Take the cascade's answer where the recording tells what to answer, which its reader is not given."""
    calibrated = routing.calibrate(cascade)
    beside = {"arms": _list_opinions(calibrated, lalm), "usage": cascade.usage + lalm.usage}
    step = TraceStep(step="reconcile", text="the LALM hears a demand that is withheld from the cascade, which decides")
    return {"answer": calibrated.model_copy(update=beside), "trace": (step,)}


def _list_opinions(*arms: Answer) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            path=arm.path, choice=arm.choice, probabilities=arm.probabilities, raw_probabilities=arm.raw_probabilities
        )
        for arm in arms
    )


def _reconcile_both(
    question: Question, stages: tuple[Answer, ...], lalm: Answer, runtime: Runtime[Choosing]
) -> GraphUpdate:
    """Reconcile two answers; the answers with fewer follow-ups are reconciled as well, for the drafts."""
    routing, cascade = runtime.context.routing, stages[-1]
    weighed = [routing.reconcile(question, stage, lalm) for stage in stages]
    choices = [_choose(question, stage, lalm, found) for stage, found in zip(stages, weighed, strict=True)]
    choice, found = choices[-1], weighed[-1]
    leading = choose_arm(cascade, lalm, found.weight)
    agreement = "they agree" if cascade.choice == lalm.choice else "they differ"
    answer = Answer(
        question_id=question.id,
        reply=leading.reply if choice is None or choice == leading.choice else choice.letter,
        choice=choice,
        probabilities=found.probabilities,
        is_unsure=is_within_chance(found.probabilities),
        path="auto",
        usage=cascade.usage + lalm.usage,
        drafts=tuple(
            Draft(actions=draft.actions, choice=one) for draft, one in zip(cascade.drafts, choices, strict=False)
        ),
        arms=_list_opinions(cascade, lalm),
    )
    reconciled = f"{agreement}, {found.why}, {found.weight:.2f} of the say to the LALM"
    return {"answer": answer, "trace": (TraceStep(step="reconcile", text=reconciled),)}


def _choose(question: Question, cascade: Answer, lalm: Answer, found: Reconciled) -> Choice | None:
    if found.probabilities:
        return max(question.choices, key=lambda option: found.probabilities[option.letter])
    return choose_arm(cascade, lalm, found.weight).choice


async def answer(state: GraphState) -> GraphUpdate:
    """Add evidence, trace and timings to the answer."""
    added = {
        "path": "auto",
        "route": state["route"].way,
        "trace": state["trace"],
        "evidence": _list_evidence(state),
        "degraded": state["degraded"],
        "timings_s": state["timings_s"],
    }
    return {"answer": state["answer"].model_copy(update=added)}


def _list_evidence(state: GraphState) -> tuple[Evidence, ...]:
    """List the evidence of the cascade, if an LLM read any, and that of the LALM."""
    read = state["cascade"][-1].evidence if "cascade" in state else ()
    heard = state["lalm"].evidence if "lalm" in state else ()
    return (*read, *(one for one in heard if not read or one.source != REMARKS))


def _trace_degradation(row: DegradationRow) -> tuple[TraceStep, ...]:
    """Return the trace step of a degraded answer; added once, when the arm that answers is known."""
    return (TraceStep(step="degraded", text=f"the answer rests on {row.rests_on}"),)


def _record_failure(step: StepName, part: PartName, name: str, error: EarwitnessError, started: float) -> GraphUpdate:
    """Return the state that a failed or late part adds."""
    failed, seconds = make_missing_part(part, error), perf_counter() - started
    return {
        "failures": (failed,),
        "degraded": (failed.text,),
        "trace": (TraceStep(step=step, text=f"{name} failed ({failed.why})", seconds=seconds),),
        "timings_s": {step: seconds},
    }
