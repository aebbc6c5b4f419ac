"""Answering: a question goes to the model that it names, or to both arms side by side."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

from services.arms import ask_arms
from services.http.access.limits import Limits
from services.http.clips import AudioUpload, open_clips
from services.http.service import Service
from services.protocols import Answerer
from services.request_context import Lookup, get_context, use_context
from services.telemetry.metrics import count_answer
from services.telemetry.request_log import read_request_facts
from services.telemetry.tracing import start_span
from services.types import Answer, AudioClip, Question, TraceStep, Value

BOTH = "both"


class Both(Value):
    """The answers of the cascade and of the LALM to one question; one of them where the other failed."""

    path: Literal["both"] = "both"
    cascade: Answer | None
    lalm: Answer | None
    agree: bool | None
    """Whether they chose the same option; None: an open question or a missing answer, where nothing can be compared."""
    missing: tuple[str, ...] = ()
    """The arms that gave no answer, and why."""
    warnings: tuple[str, ...] = ()
    """What of the question was not read as it may have been meant."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers that there are."""
        return tuple(one for one in (self.cascade, self.lalm) if one)


Answered: TypeAlias = Answer | Both


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """A question, the model that is to answer it, and the recordings it is about."""

    question: Question
    model: str | None
    """None: the service's default."""
    sounds: tuple[AudioUpload, ...]
    """The recordings that it is about, in their order."""
    place: str = "file"
    """Where in the request the recordings belong."""
    warnings: tuple[str, ...] = ()
    """Of what the answer is to warn."""


async def answer(service: Service, limits: Limits, asked: QuestionRequest) -> Answered:
    """Open the recordings and answer the question with the model that it names."""
    answered = await _ask_model(service, limits, asked)
    return answered.model_copy(update={"warnings": asked.warnings}) if asked.warnings else answered


async def _ask_model(service: Service, limits: Limits, asked: QuestionRequest) -> Answered:
    about = read_request_facts()
    if asked.model == BOTH:
        cascade, lalm = await service.list_arms()
        about.model = BOTH
        return await _ask_both(service, limits, asked, (cascade, lalm))
    answerer = await service.find_answerer(asked.model)
    about.model = asked.model or await find_default(service)
    clips = await open_clips(asked.sounds, limits, asked.place) if service.needs_clip(asked.model) else ()
    answered = await _ask_answerer(answerer, asked.question, clips)
    about.route = count_answer(answered)
    about.timings_s |= answered.timings_s
    about.degraded = answered.degraded
    return answered


async def _ask_answerer(answerer: Answerer, question: Question, clips: tuple[AudioClip, ...]) -> Answer:
    """Return an answer whose trace ends with what came out of the perception cache and what did not."""
    call = get_context()
    with use_context(replace(call, lookups=[])) as own, start_span("answer") as facts:
        answer = await answerer.answer(question, *clips)
        facts |= {"path": answer.path, "num_statements": len(answer.evidence), "num_degraded": len(answer.degraded)}
    call.lookups.extend(own.lookups)
    return answer.model_copy(update={"trace": (*answer.trace, *_cache_steps(own.lookups))})


def _cache_steps(lookups: Sequence[Lookup]) -> Iterator[TraceStep]:
    """Yield a step for each kind of perception, such as `cache: captions 1 hit, 2 miss`."""
    for kind in sorted({lookup.kind for lookup in lookups}):
        results = Counter(lookup.result for lookup in lookups if lookup.kind == kind)
        counts = ", ".join(f"{number} {result}" for result, number in sorted(results.items()))
        yield TraceStep(step="cache", text=f"{kind} {counts}")


async def find_default(service: Service) -> str:
    """Return the model that answers where none is named; empty while that is not known."""
    return next(iter(await service.list_models()), "")


async def _ask_both(service: Service, limits: Limits, asked: QuestionRequest, names: tuple[str, str]) -> Both:
    answerers = {name: await service.find_answerer(name) for name in names}
    clips = await open_clips(asked.sounds, limits, asked.place)
    asks = {name: partial(_ask_answerer, one, asked.question, clips) for name, one in answerers.items()}
    results = await ask_arms(asks, at_once=True)
    cascade, lalm = (results.found.get(name) for name in names)
    found = Both(
        cascade=cascade,
        lalm=lalm,
        agree=_compare_choices(cascade, lalm) if asked.question.choices else None,
        missing=results.missing,
    )
    about = read_request_facts()
    about.degraded += found.missing
    for one in found.answers:
        count_answer(one)
        about.timings_s |= one.timings_s
        about.degraded += one.degraded
    return found


def _compare_choices(cascade: Answer | None, lalm: Answer | None) -> bool | None:
    if cascade is None or lalm is None:
        return None
    return cascade.choice is not None and cascade.choice == lalm.choice
