"""Catalogue of the listening agent's tools, and the choice among them for a question.

A tool calls the captioner with a focus, or the ASR, so it works over handles to deployments as well.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

from agents.listening import transcript
from agents.listening.planner import NO_TOOL, open_planner
from agents.reading.named_times import find_named_spans
from agents.reading.relevance import count_shared_stems
from services.longform.clock import WHOLE_S
from services.longform.hearing import shift_statement, shift_times
from services.longform.split import ClipPart
from services.protocols import ASR, Captioner
from services.types import AudioClip, Evidence, Focus, Question, Topic

SHORTEST_S = 0.5  # a shorter span is not heard again
MOST_OF_CLIP = 0.8  # a span longer than this share of the clip was heard before
AROUND_S = 0.25  # added on either side of a span


class Listeners(NamedTuple):
    """The models that a tool may call."""

    captioner: Captioner
    asr: ASR


class ToolInput(NamedTuple):
    """Input of a tool."""

    question: Question
    clip: AudioClip
    evidence: tuple[Evidence, ...]
    """Evidence so far."""


Use: TypeAlias = Callable[[Listeners, ToolInput], Awaitable[tuple[Evidence, ...]]]


class Tool(NamedTuple):
    """A tool of the agent: one way to listen again."""

    name: str
    """For a tool that suits certain questions, its label in `agents.listening.planner`."""
    cost: int
    """Actions that it takes from the budget."""
    use: Use


class ChosenTool(NamedTuple):
    """A tool that is called for a question."""

    tool: Tool
    relevance: float
    """Probability that the question asks for what it finds."""


def make_captioning(topic: Topic | None) -> Use:
    """Make a tool that captions again with the question and its options as the focus."""

    async def use(listeners: Listeners, tool_input: ToolInput) -> tuple[Evidence, ...]:
        """Caption the clip with the topic as focus."""
        options = tuple(choice.text for choice in tool_input.question.choices)
        focus = Focus(topic=topic, question=tool_input.question.text, options=options)
        part = select_part(tool_input)
        if part is None:
            return ()
        heard = await listeners.captioner.caption(part.clip, focus)
        return heard if part.clip is tool_input.clip else tuple(shift_statement(one, part) for one in heard)

    return use


async def _hear_span(listeners: Listeners, tool_input: ToolInput) -> tuple[Evidence, ...]:
    """Caption and transcribe the span that the question names, or that of the most relevant evidence."""
    span = find_span(tool_input)
    if span is None:
        return ()
    part = ClipPart(*span, tool_input.clip.part(*span))
    statements = (*await listeners.captioner.caption(part.clip), *await listeners.asr.transcribe(part.clip))
    return tuple(shift_times(statement, part) for statement in statements)


def select_part(tool_input: ToolInput) -> ClipPart | None:
    """Select what is heard again: the clip, of a long one the part that the question concerns; None: there is none."""
    clip = tool_input.clip
    if clip.duration_s <= WHOLE_S:
        return ClipPart(0.0, clip.duration_s, clip)
    span = find_span(tool_input)
    return ClipPart(*span, clip.part(*span)) if span else None


def find_span(tool_input: ToolInput) -> tuple[float, float] | None:
    """Find the span to hear again, start and end in seconds; None where it is too short or nearly the whole clip."""
    named = find_named_spans(tool_input.question.text, tool_input.clip.duration_s)
    if named:
        wanted = named[0].start_s, named[0].end_s
    else:
        known = [
            one
            for one in tool_input.evidence
            if one.end_s is not None
            and one.end_s - one.start_s <= WHOLE_S
            and count_shared_stems(one, tool_input.question)
        ]
        best = max(known, key=lambda one: count_shared_stems(one, tool_input.question), default=None)
        if best is None or best.end_s is None:
            return None
        wanted = best.start_s - AROUND_S, best.end_s + AROUND_S
    start_s = max(0.0, wanted[0])
    end_s = min(tool_input.clip.duration_s, wanted[1], start_s + WHOLE_S)
    is_worth_it = SHORTEST_S <= end_s - start_s <= MOST_OF_CLIP * tool_input.clip.duration_s
    return (start_s, end_s) if is_worth_it else None


async def _detect_language(listeners: Listeners, tool_input: ToolInput) -> tuple[Evidence, ...]:
    """Detect the language of the second half: the ASR detects that of a clip from its first 30 s."""
    if tool_input.clip.duration_s > WHOLE_S:
        return ()  # it was told for each part
    half = tool_input.clip.part(tool_input.clip.duration_s / 2, tool_input.clip.duration_s)
    statements = await listeners.asr.transcribe(half)
    return tuple(one for one in statements if one.kind == "language")


def _make_transcript_reading(read: Callable[[Question, tuple[Evidence, ...]], tuple[Evidence, ...]]) -> Use:
    """Make a tool that reads the transcript again, without listening."""

    async def use(listeners: Listeners, tool_input: ToolInput) -> tuple[Evidence, ...]:  # noqa: ARG001 - reads the transcript
        """Read the evidence that is there; nothing is heard again."""
        return read(tool_input.question, tool_input.evidence)

    return use


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("times said", 1, _make_transcript_reading(transcript.count_phrase)),
        Tool("words", 1, _make_transcript_reading(transcript.count_words)),
        Tool("sum", 1, _make_transcript_reading(transcript.sum_numbers)),
        Tool("said", 1, _make_transcript_reading(transcript.find_spoken_option)),
        Tool("language", 1, _detect_language),
        Tool("emotion", 1, make_captioning("emotion")),
        Tool("instrument", 1, make_captioning("instrument")),
        Tool("tempo", 1, make_captioning("tempo")),
        Tool("key", 1, make_captioning("key")),
        Tool("pitch", 1, make_captioning("pitch")),
        Tool("count", 1, make_captioning("count")),
        Tool("order", 1, make_captioning("order")),
        Tool("speaker", 1, make_captioning("speaker")),
        Tool("quality", 1, make_captioning("quality")),
        Tool("sound", 1, make_captioning("sound")),
    )
}
"""Name -> tool for questions of one kind."""

SPAN, CAPTION = Tool("span", 2, _hear_span), Tool("caption", 1, make_captioning(None))
"""The tools that suit any question."""


def select_tools(tool_input: ToolInput) -> tuple[ChosenTool, ...]:
    """Select the tool that the question most likely asks for, if it asks for any, and those that suit any question.

    Where somebody says what the question asks, what is said is read, whatever else the question may be about. A span
    that the question names is heard first.

    More tools would distract: the findings of a second one are about something else (arXiv:2602.13685 finds the same).
    """
    question = tool_input.question
    estimates = open_planner().estimate(question.text)
    label, probability = next(iter(estimates.items()))
    direct = [] if label == NO_TOOL else [ChosenTool(TOOLS[label], probability)]
    if transcript.answers(question, tool_input.evidence):
        direct = [ChosenTool(TOOLS["said"], 1.0)]
    left = max(0.0, 1 - estimates[NO_TOOL] - sum(one.relevance for one in direct))
    span = [ChosenTool(SPAN, 1.0)] if find_span(tool_input) else []
    if find_named_spans(question.text, tool_input.clip.duration_s):
        return (*span, *direct, ChosenTool(CAPTION, left))
    return (*direct, *span, ChosenTool(CAPTION, left))
