"""Catalogue of the listening agent's tools: each with the words of a question that select it.

A tool calls the captioner with a focus, or the ASR, so it works over handles to deployments as well.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import NamedTuple, TypeAlias

from agents.listening import transcript
from agents.reading.named_times import find_named_spans
from agents.reading.relevance import count_shared_stems
from agents.routing.features import ASKS
from services.captioners.naming import NameMatcher
from services.captioners.sounds.vocabulary import read_vocabulary
from services.longform.clock import WHOLE_S
from services.longform.hearing import shift_statement, shift_times
from services.longform.split import ClipPart
from services.protocols import ASR, Captioner
from services.types import AudioClip, Evidence, Focus, Question, Reliability, Topic

SHORTEST_S = 0.5  # a shorter span is not heard again
MOST_OF_CLIP = 0.8  # a span longer than this share of the clip was heard before
AROUND_S = 0.25  # added on either side of a span
LENGTH = r"\b(longest|shortest|lasts)\b"
SPEECH = r"words?|sentences?|phrases?|digits?|numbers?|names?|days?|months?"
SPEECH_TOPIC = (
    r"(?<!\bwho )(?<!\byou )(?:says?|said|saying)(?! to be\b)|utters?|uttered"
    r"|(?:what|which) (?:\w+ ){0,5}(?:is|are|was|were) (?:being )?spoken"
    rf"|(?:{SPEECH})\b[^,]*\bspoken|(?:{SPEECH}) (?:do|does|did|has|have) (?:\w+ ){{0,3}}(?:speakers?|voices?|speak)"
    r"|(?:speaker|voice)(?:['’]s|s['’]?)? (?:\w+ )?(?:words?|sentences?|phrases?)"
)
"""Pattern of a question about what is said: a mention of words or sentences alone does not make speech the topic."""
BESIDE_SOUNDS = ("speaker", "quality")
"""Tools whose words, such as voice and recording, also stand in questions about other sounds."""
ASIDE = (
    r"(?:after|before|while|when|until|once|how)"  # speech mentioned after these only dates or counts something else
)


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
    pattern: re.Pattern[str] | None
    """Words of a question that select it; None: it suits any question."""
    cost: int
    """Actions that it takes from the budget."""
    reliability: Reliability
    use: Use


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


def _compile_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b({pattern})\b")


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "times said",
            re.compile(rf"\bhow (?:many times|often)\b.*\b(?:{transcript.SAYS}|spoken|(?:word|phrase|name|number)\b)"),
            1,
            "model",
            _make_transcript_reading(transcript.count_phrase),
        ),
        Tool(
            "words",
            _compile_words(r"how many (words|digits|numbers)"),
            1,
            "model",
            _make_transcript_reading(transcript.count_words),
        ),
        Tool(
            "sum",
            _compile_words(r"(sum|total) of (?!how)"),
            1,
            "model",
            _make_transcript_reading(transcript.sum_numbers),
        ),
        Tool(
            "emotion",
            _compile_words(r"emotion\w*|feel\w*|mood of the (speaker|voice)"),
            1,
            "heuristic",
            make_captioning("emotion"),
        ),
        Tool("language", _compile_words(r"languages?"), 1, "model", _detect_language),
        Tool(
            "said",
            re.compile(rf"(?:^|[,.;:?])(?:(?!\b{ASIDE}\b)[^,.;:?])*\b(?:{SPEECH_TOPIC})\b"),
            1,
            "model",
            _make_transcript_reading(transcript.find_spoken_option),
        ),
        Tool("instrument", _compile_words(r"(which|what) instruments?"), 1, "model", make_captioning("instrument")),
        Tool(
            "tempo",
            _compile_words(r"tempo|bpm|beats?|metre|meter|time signature"),
            1,
            "measured",
            make_captioning("tempo"),
        ),
        Tool("key", _compile_words(r"key|chords?|scale|harmon\w+"), 1, "measured", make_captioning("key")),
        Tool(
            "pitch",
            _compile_words(r"pitch|frequency|hertz|hz|melody|ascend\w*|descend\w*"),
            1,
            "measured",
            make_captioning("pitch"),
        ),
        Tool("count", ASKS["how many"], 1, "measured", make_captioning("count")),
        Tool("order", re.compile(f"{ASKS['order'].pattern}|{LENGTH}"), 1, "model", make_captioning("order")),
        Tool(
            "speaker", _compile_words(r"speakers?|who|voices?|people|talk\w*"), 1, "model", make_captioning("speaker")
        ),
        Tool(
            "quality",
            _compile_words(r"quality|loud\w*|volume|recorded|reverb\w*"),
            1,
            "heuristic",
            make_captioning("quality"),
        ),
        Tool(
            "sound", _compile_words(r"sounds?|animals?|noises?|heard|hear|source"), 1, "model", make_captioning("sound")
        ),
        Tool("span", None, 2, "model", _hear_span),
        Tool("caption", None, 1, "model", make_captioning(None)),
    )
}
"""Name -> tool, the most specific ones first."""


def _name_sounds(question: Question) -> bool:
    """Say whether every option names a sound, and not all of them the same."""
    meant = [_open_sound_names().match(choice.text) for choice in question.choices]
    return all(meant) and len(set(meant)) > 1


@cache
def _open_sound_names() -> NameMatcher:
    return NameMatcher(read_vocabulary().plain, read_vocabulary().wider)


def select_tools(tool_input: ToolInput) -> tuple[Tool, ...]:
    """Select the first tool whose words are in the question, and after it those that suit any question.

    Where somebody says what the question asks, what is said is read, whatever else its words may call for.

    More tools would distract: the findings of a second one are about something else (arXiv:2602.13685 finds the same).
    """
    text = tool_input.question.text.lower()
    direct = [tool for tool in TOOLS.values() if tool.pattern and tool.pattern.search(text)]
    if TOOLS["sound"] in direct and direct[0].name in BESIDE_SOUNDS and _name_sounds(tool_input.question):
        direct = [TOOLS["sound"]]  # such as: which sound is heard behind the voice?
    if transcript.answers(tool_input.question, tool_input.evidence):
        direct = [TOOLS["said"]]
    others = [tool for tool in TOOLS.values() if not tool.pattern and (tool.name != "span" or find_span(tool_input))]
    return (*direct[:1], *others)
