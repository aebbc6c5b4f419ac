"""Tools of the listening agent: one catalogue, each tool with the words of a question that call for it.

A tool speaks to the captioner through a focus, or to the recogniser, so it works over handles to deployments as well.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

from agents.listening import transcript
from agents.reading.relevance import overlap
from agents.routing.features import ASKS
from services.protocols import ASR, Captioner
from services.types import AudioClip, Evidence, Focus, Question, Reliability, Topic

SHORTEST_S = 0.5  # a shorter span is not listened to again
MOST_OF_CLIP = 0.8  # a span longer than this share of the clip was heard before
AROUND_S = 0.25  # listened to on either side of a span
NAMED_SPAN = re.compile(r"\b(\d+(?:\.\d+)?)\s*(?:s|sec\w*)?\s*(?:-|–|to|and|until)\s*(\d+(?:\.\d+)?)\s*(?:s|sec\w*)\b")
SPEECH = r"words?|sentences?|phrases?|digits?|numbers?|names?|days?|months?"
SAID = (
    r"(?<!\bwho )(?<!\byou )(?:says?|said|saying)(?! to be\b)|utters?|uttered"
    r"|(?:what|which) (?:\w+ ){0,5}(?:is|are|was|were) (?:being )?spoken"
    rf"|(?:{SPEECH})\b[^,]*\bspoken|(?:{SPEECH}) (?:do|does|did|has|have) (?:\w+ ){{0,3}}(?:speakers?|voices?|speak)"
    r"|(?:speaker|voice)(?:['’]s|s['’]?)? (?:\w+ )?(?:words?|sentences?|phrases?)"
)
"""What makes speech the topic: words, sentences and phrases by themselves are said of anything."""
ASIDE = r"(?:after|before|while|when|until|once|how)"  # what is said after these only dates or counts the topic


class Ears(NamedTuple):
    """What a tool may listen with."""

    captioner: Captioner
    asr: ASR


class ToolInput(NamedTuple):
    """What a tool is used on."""

    question: Question
    clip: AudioClip
    evidence: tuple[Evidence, ...]
    """What is known so far."""


Use: TypeAlias = Callable[[Ears, ToolInput], Awaitable[tuple[Evidence, ...]]]


class Tool(NamedTuple):
    """One way to listen again."""

    name: str
    asked_by: re.Pattern[str] | None
    """Words of a question that call for it; None: any question may."""
    cost: int
    """Actions of the budget."""
    reliability: Reliability
    use: Use


def focused(topic: Topic | None) -> Use:
    """Return the use that captions again with the question and its options as the focus."""

    async def use(ears: Ears, heard: ToolInput) -> tuple[Evidence, ...]:
        options = tuple(choice.text for choice in heard.question.choices)
        focus = Focus(topic=topic, question=heard.question.text, options=options)
        return await ears.captioner.caption(heard.clip, focus)

    return use


async def _span(ears: Ears, heard: ToolInput) -> tuple[Evidence, ...]:
    """Hear the span that the question names, or that of the evidence that matters, with both ears."""
    span = span_of(heard)
    if span is None:
        return ()
    start_s, end_s = span
    part = heard.clip.part(start_s, end_s)
    told = (*await ears.captioner.caption(part), *await ears.asr.transcribe(part))
    return tuple(_moved(statement, start_s, end_s) for statement in told)


def span_of(heard: ToolInput) -> tuple[float, float] | None:
    """Return start and end in seconds of what to hear again; None where that is nearly the whole clip."""
    named = NAMED_SPAN.search(heard.question.text.lower())
    if named:
        wanted = float(named[1]), float(named[2])
    else:
        known = [one for one in heard.evidence if one.end_s is not None and overlap(one, heard.question)]
        best = max(known, key=lambda one: overlap(one, heard.question), default=None)
        if best is None or best.end_s is None:
            return None
        wanted = best.start_s - AROUND_S, best.end_s + AROUND_S
    start_s, end_s = max(0.0, wanted[0]), min(heard.clip.duration_s, wanted[1])
    is_worth_it = SHORTEST_S <= end_s - start_s <= MOST_OF_CLIP * heard.clip.duration_s
    return (start_s, end_s) if is_worth_it else None


def _moved(statement: Evidence, start_s: float, end_s: float) -> Evidence:
    ends_s = end_s if statement.end_s is None else statement.end_s + start_s
    update = {"start_s": round(statement.start_s + start_s, 2), "end_s": round(ends_s, 2)}
    return statement.model_copy(update=update)


async def _language(ears: Ears, heard: ToolInput) -> tuple[Evidence, ...]:
    """Let the recogniser hear the later half by itself: what it takes for the language is told from the first 30 s."""
    half = heard.clip.part(heard.clip.duration_s / 2, heard.clip.duration_s)
    told = await ears.asr.transcribe(half)
    return tuple(one for one in told if one.kind == "language")


def _transcribed(tell: Callable[[Question, tuple[Evidence, ...]], tuple[Evidence, ...]]) -> Use:
    """Return the use that reads the transcript again, without listening."""

    async def use(ears: Ears, heard: ToolInput) -> tuple[Evidence, ...]:  # noqa: ARG001 - reads what is written
        return tell(heard.question, heard.evidence)

    return use


def _asks(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b({pattern})\b")


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("words", _asks(r"how many (words|digits|numbers)"), 1, "model", _transcribed(transcript.counted)),
        Tool("sum", _asks(r"(sum|total) of (?!how)"), 1, "model", _transcribed(transcript.summed)),
        Tool("emotion", _asks(r"emotion\w*|feel\w*|mood of the (speaker|voice)"), 1, "heuristic", focused("emotion")),
        Tool("language", _asks(r"languages?"), 1, "model", _language),
        Tool(
            "said",
            re.compile(rf"(?:^|[,.;:?])(?:(?!\b{ASIDE}\b)[^,.;:?])*\b(?:{SAID})\b"),
            1,
            "model",
            _transcribed(transcript.spoken),
        ),
        Tool("instrument", _asks(r"(which|what) instruments?"), 1, "model", focused("instrument")),
        Tool("tempo", _asks(r"tempo|bpm|beats?|metre|meter|time signature"), 1, "measured", focused("tempo")),
        Tool("key", _asks(r"key|chords?|scale|harmon\w+"), 1, "measured", focused("key")),
        Tool("pitch", _asks(r"pitch|frequency|hertz|hz|melody|ascend\w*|descend\w*"), 1, "measured", focused("pitch")),
        Tool("count", ASKS["how many"], 1, "measured", focused("count")),
        Tool("order", ASKS["order"], 1, "model", focused("order")),
        Tool("speaker", _asks(r"speakers?|who|voices?|people|talk\w*"), 1, "model", focused("speaker")),
        Tool("quality", _asks(r"quality|loud\w*|volume|recorded|reverb\w*"), 1, "heuristic", focused("quality")),
        Tool("sound", _asks(r"sounds?|animals?|noises?|heard|hear|source"), 1, "model", focused("sound")),
        Tool("span", None, 2, "model", _span),
        Tool("caption", None, 1, "model", focused(None)),
    )
}
"""Name -> tool, those first that answer a question most directly."""


def called_for(heard: ToolInput) -> tuple[Tool, ...]:
    """Return the tool that the words of a question call for most directly, and after it those that suit any question.

    More tools would overload: what a second one says is about something else (arXiv:2602.13685 finds the same).
    """
    text = heard.question.text.lower()
    direct = [tool for tool in TOOLS.values() if tool.asked_by and tool.asked_by.search(text)]
    others = [tool for tool in TOOLS.values() if not tool.asked_by and (tool.name != "span" or span_of(heard))]
    return (*direct[:1], *others)
