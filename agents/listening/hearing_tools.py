"""Tools that have captioner, ASR and LALM hear again: with a focus, a span, or a recording derived from the first."""

from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import Field

from agents.listening.options.languages import name_languages, state_languages
from agents.listening.tool import (
    DerivedClip,
    ListenedClip,
    Listeners,
    SpanArguments,
    ToolArguments,
    ToolInput,
    ToolResult,
    cut_span,
    derive,
)
from agents.reading.named_times import NamedSpan, choose_span, find_named_spans, fit_span
from agents.reading.relevance import count_shared_stems
from lalm.prompting import build_messages
from services.cancellation import run_in_thread
from services.captioners.sounds.activity import detect_activity
from services.errors import BadRequest
from services.longform.clock import WHOLE_S
from services.longform.hearing import shift_statement, shift_times
from services.longform.split import ClipPart
from services.measurement.effects import raise_level, reduce_noise, stretch
from services.measurement.spectrum import measure_floor_db
from services.protocols import LALM
from services.questions import drop_own_letters
from services.types import AudioClip, Evidence, Focus, Label, Question, Topic

SHORTEST_WORD_S = 0.1  # FFmpeg stretches nothing that is shorter than its window of 0.064 s
AROUND_S = 0.25  # added on either side of a span
SILENT_FLOOR_DB = -65.0  # dBFS; less noise than this is not worth reducing
LOUD_PEAK = 0.5  # of full scale; a louder recording gains less than 6 dB


class FocusArguments(SpanArguments):
    """A span, and the question that is asked about it."""

    question: str = Field(default="", description="What to listen for, in a sentence.")
    options: tuple[str, ...] = Field(default=(), description="Answers to tell apart.")


class ChannelArguments(ToolArguments):
    """A channel of a recording."""

    channel: int = Field(ge=1, description="Which channel to hear, counted from 1.")


class LanguageArguments(ToolArguments):
    """Languages to tell apart."""

    options: tuple[str, ...] = Field(default=(), description="Languages, one of which may be spoken.")


class SpeedArguments(SpanArguments):
    """A span and the speed at which it is heard."""

    speed: float = Field(default=0.75, ge=0.5, lt=1, description="Speed to hear it at: 0.5 is half as fast.")


# With a focus


def plan_focus(tool_input: ToolInput) -> FocusArguments | None:
    """Ask for what the question asks; of a long recording, in the part that it concerns."""
    options = tuple(choice.text for choice in tool_input.question.choices)
    arguments = FocusArguments(question=tool_input.question.text, options=options)
    if tool_input.clip.duration_s <= WHOLE_S:
        return arguments
    span = find_span(tool_input)
    return arguments.model_copy(update={"start_s": span[0], "end_s": span[1]}) if span else None


def caption_with(
    topic: Topic | None,
) -> Callable[[Listeners, ListenedClip, FocusArguments], Coroutine[Any, Any, ToolResult]]:
    """Return what captions again with a topic, a question and its options as the focus."""

    async def run(listeners: Listeners, heard: ListenedClip, arguments: FocusArguments) -> ToolResult:
        """Caption the span."""
        focus = Focus(topic=topic, question=arguments.question, options=arguments.options)
        part = cut_part(heard.clip, arguments)
        if topic == "instrument" and not detect_activity(part.clip.samples):
            return ToolResult()  # the captioner names the likeliest instrument, also of silence
        found = await listeners.captioner.caption(part.clip, focus)
        return ToolResult(found if part.clip is heard.clip else tuple(shift_statement(one, part) for one in found))

    return run


# A span


def plan_span(tool_input: ToolInput) -> FocusArguments | None:
    """Choose the span that the question names, or that of the most relevant evidence."""
    span = find_span(tool_input)
    if span is None:
        return None
    options = tuple(choice.text for choice in tool_input.question.choices)
    return FocusArguments(start_s=span[0], end_s=span[1], question=tool_input.question.text, options=options)


async def hear_span(listeners: Listeners, heard: ListenedClip, arguments: FocusArguments) -> ToolResult:
    """Caption and transcribe a span; a LALM, if there is one and a question, answers from it."""
    part = cut_part(heard.clip, arguments)
    statements = (*await listeners.captioner.caption(part.clip), *await listeners.asr.transcribe(part.clip))
    if listeners.lalm and arguments.question:
        statements += await _ask_lalm(listeners.lalm, part.clip, arguments)
    derived = derive("span", heard.clip, arguments, part.clip)
    return ToolResult(tuple(shift_times(statement, part) for statement in statements), derived)


def find_span(tool_input: ToolInput) -> NamedSpan | None:
    """Find the span to hear again: the one that the question names, or that of the most relevant evidence."""
    question, duration_s = tool_input.question, tool_input.clip.duration_s
    if find_named_spans(question.text, duration_s):
        return choose_span(question.text, duration_s)
    known = [
        one
        for one in tool_input.evidence
        if one.end_s is not None and one.end_s - one.start_s <= WHOLE_S and count_shared_stems(one, question)
    ]
    best = max(known, key=lambda one: count_shared_stems(one, question), default=None)
    if best is None or best.end_s is None:
        return None
    return fit_span(best.start_s - AROUND_S, best.end_s + AROUND_S, duration_s)


async def _ask_lalm(lalm: LALM, clip: AudioClip, arguments: FocusArguments) -> tuple[Evidence, ...]:
    question = Question.ask(arguments.question, arguments.options)
    messages = build_messages(question, lists_options=lalm.style.scores == "letters")
    if not question.choices:
        reading = await lalm.listen(messages, clip)
        labels: tuple[Label, ...] = ()
    else:
        reading = await lalm.choose(messages, clip, drop_own_letters(question.choices))
        weighed = [(choice.text, reading.probabilities.get(choice.letter, 0.0)) for choice in question.choices]
        labels = tuple(Label.round_to_label(*one) for one in sorted(weighed, key=lambda one: -one[1]) if one[1])
    text = ", ".join(map(str, labels)) or reading.reply
    statement = Evidence(kind="reply", source=lalm.name, revision=lalm.revision, text=text, labels=labels)
    return (statement,) if text else ()


# A derived recording


def plan_language(tool_input: ToolInput) -> LanguageArguments | None:
    """Choose among the languages that the options name; else hear whether the second half has another one."""
    options = tuple(choice.text for choice in tool_input.question.choices)
    if name_languages(options):
        return LanguageArguments(options=options)
    return LanguageArguments() if tool_input.clip.duration_s <= WHOLE_S else None


async def detect_language(listeners: Listeners, heard: ListenedClip, arguments: LanguageArguments) -> ToolResult:
    """Tell which of some languages is spoken; where that cannot be told, the language of the second half."""
    if name_languages(arguments.options):
        known = heard.evidence
        said = await listeners.asr.transcribe(heard.clip) if known is None else known
        told = [state_languages(one, arguments.options) for one in said if one.kind == "language"]
        if found := tuple(one for one in told if one):
            return ToolResult(found)
    if heard.clip.duration_s > WHOLE_S:
        return ToolResult()
    half = heard.clip.cut(heard.clip.duration_s / 2, heard.clip.duration_s)
    return ToolResult(tuple(one for one in await listeners.asr.transcribe(half) if one.kind == "language"))


def plan_part(tool_input: ToolInput) -> SpanArguments | None:
    """Hear all; of a long recording, the part that the question concerns."""
    if tool_input.clip.duration_s <= WHOLE_S:
        return SpanArguments()
    span = find_span(tool_input)
    return SpanArguments(start_s=span[0], end_s=span[1]) if span else None


def plan_slower(tool_input: ToolInput) -> SpeedArguments | None:
    """Slow down the same at the usual speed."""
    part = plan_part(tool_input)
    return SpeedArguments(start_s=part.start_s, end_s=part.end_s) if part else None


async def hear_denoised(listeners: Listeners, heard: ListenedClip, arguments: SpanArguments) -> ToolResult:
    """Caption and transcribe what is left when steady noise is reduced."""
    part = cut_part(heard.clip, arguments)
    floor_db = measure_floor_db(part.clip.samples)
    if floor_db < SILENT_FLOOR_DB:
        return ToolResult()
    clip = await run_in_thread(reduce_noise, part.clip, floor_db)
    return await _hear_derived(listeners, part, derive("denoise", heard.clip, arguments, clip))


async def hear_raised(listeners: Listeners, heard: ListenedClip, arguments: SpanArguments) -> ToolResult:
    """Caption and transcribe a quiet recording at full level."""
    part = cut_part(heard.clip, arguments)
    peak = float(abs(part.clip.samples).max())
    if not 0 < peak < LOUD_PEAK:
        return ToolResult()
    return await _hear_derived(listeners, part, derive("raise level", heard.clip, arguments, raise_level(part.clip)))


async def hear_channel(listeners: Listeners, heard: ListenedClip, arguments: ChannelArguments) -> ToolResult:
    """Caption and transcribe one channel."""
    if heard.open_channel is None:
        raise BadRequest(
            "The channels are not here: `earwitness listen` and `earwitness mcp` read one by itself from a file.",
            param="channel",
        )
    if arguments.channel > heard.clip.num_channels:
        raise BadRequest(
            f"channel is {arguments.channel}, but the recording has {heard.clip.num_channels}.", param="channel"
        )
    clip = await run_in_thread(heard.open_channel, arguments.channel)
    whole = ClipPart(0.0, clip.duration_s, clip)
    return await _hear_derived(listeners, whole, derive("one channel", heard.clip, arguments, clip))


async def hear_slower(listeners: Listeners, heard: ListenedClip, arguments: SpeedArguments) -> ToolResult:
    """Transcribe slowed speech; times are those of the recording."""
    part = cut_part(heard.clip, arguments)
    if part.clip.duration_s < SHORTEST_WORD_S:
        return ToolResult()
    clip = await run_in_thread(stretch, part.clip, arguments.speed)
    said = await listeners.asr.transcribe(clip)
    derived = derive("slower", heard.clip, arguments, clip)
    at_speed = (_scale_times(one, arguments.speed, part.clip.duration_s) for one in said)
    return ToolResult(tuple(shift_times(one, part) for one in at_speed), derived)


async def _hear_derived(listeners: Listeners, part: ClipPart, derived: DerivedClip) -> ToolResult:
    """Caption and transcribe a derived recording on the same clock as the part that it was made of."""
    captions = await listeners.captioner.caption(derived.clip)
    statements = (*captions, *await listeners.asr.transcribe(derived.clip))
    return ToolResult(tuple(shift_statement(one, part) if part.start_s else one for one in statements), derived)


def _scale_times(statement: Evidence, speed: float, duration_s: float) -> Evidence:
    end_s = duration_s if statement.end_s is None else min(duration_s, statement.end_s * speed)
    return statement.model_copy(update={"start_s": round(statement.start_s * speed, 2), "end_s": round(end_s, 2)})


def cut_part(clip: AudioClip, span: SpanArguments) -> ClipPart:
    """Return the span as a part; the clip itself where it is all of it."""
    start_s, end_s = cut_span(clip, span)
    is_whole = start_s == 0 and end_s == clip.duration_s
    return ClipPart(start_s, end_s, clip if is_whole else clip.cut(start_s, end_s))
