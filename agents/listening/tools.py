"""Catalogue of the listening agent's tools, and the choice among them for a question.

A tool calls captioner, ASR and LALM over their protocols, so it works over handles to deployments as well, or measures
the signal itself. `earwitness listen` and the MCP server call the same tools with arguments of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from agents.listening import comparison_tool, hearing_tools, measuring_tools, speech_tools, transcript
from agents.listening.classifiers.spoken import hide_speech
from agents.listening.classifiers.text_classifier import NO_TOOL, open_tool_classifier
from agents.listening.hearing_tools import find_span
from agents.listening.named_clips import find_named_clips
from agents.listening.options.differences import asks_which
from agents.listening.options.times import name_times
from agents.listening.ordering.order import estimate_asks_order, find_order, has_orders
from agents.listening.tool import SpanArguments, Tool, ToolArguments, ToolInput
from agents.reading.named_times import find_named_spans
from services.captioners.sounds.mentions import find_mention
from services.errors import UnknownName
from services.types import AudioClip, Evidence, Question, Topic

AnyTool: TypeAlias = Tool[Any]

NO_SPEECH = "Nobody speaks."
NO_STYLE = "It is not music, or no style stands out."
NO_OPTION = "No option is likelier than the others together."
WHEN_HEARD = ("find sound", "changes")
NAME_ONE = ("sound", "instrument")
"""Tools that name one thing, which is not an order."""
LEAST_ORDER = 0.5
"""Probability that a question asks how sounds lie in time, from which that is told unless another tool is likelier."""
OTHERWISE_TIMES = 0.1
"""How likely it is that options are times where no tool is asked for that finds when, beside where one is: assumed."""


class ChosenTool(NamedTuple):
    """A tool that is called for a question."""

    tool: AnyTool
    relevance: float
    """Probability that the question asks for what it finds."""
    arguments: tuple[ToolArguments, ...] | None = None
    """For each recording, where a planner gave some; None: the tool makes them from the question."""


SelectTools: TypeAlias = Callable[..., tuple[ChosenTool, ...]]
"""Chooses the tools for a question, in order; there is an input for each recording."""


def _caption_about(topic: Topic, description: str, says_nothing: str, *, finds_when: bool = False) -> AnyTool:
    """Return the tool that listens for one topic."""
    return Tool(
        name=topic,
        cost=1,
        description=description,
        says_nothing=says_nothing,
        arguments=hearing_tools.FocusArguments,
        run=hearing_tools.caption_with(topic),
        plan=hearing_tools.plan_focus,
        languages=("en",),
        finds_when=finds_when,
    )


TOOLS: Mapping[str, AnyTool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="times said",
            cost=1,
            description="Count how often a word or phrase is said.",
            says_nothing="It is not said, or the recogniser hears another word.",
            arguments=speech_tools.PhraseArguments,
            run=speech_tools.count_phrase,
            plan=speech_tools.plan_phrase,
        ),
        Tool(
            name="words",
            cost=1,
            description="Count the words or digits that are said.",
            says_nothing="Something is said, but no digits.",
            arguments=speech_tools.CountArguments,
            run=speech_tools.count_words,
            plan=speech_tools.plan_count,
        ),
        Tool(
            name="sum",
            cost=1,
            description="Add up the numbers or digits that are said.",
            says_nothing="Fewer than two numbers are said.",
            arguments=speech_tools.UnitArguments,
            run=speech_tools.sum_numbers,
            plan=speech_tools.plan_unit,
        ),
        Tool(
            name="said",
            cost=1,
            description="Find which of some options is said, alone or in the place asked for, or is left out.",
            says_nothing="No option stands out in what is said.",
            arguments=speech_tools.SaidArguments,
            run=speech_tools.find_option,
            plan=speech_tools.plan_said,
        ),
        Tool(
            name="language",
            cost=1,
            description="Tell which of some languages is spoken; without options, the language of the second half.",
            says_nothing=NO_SPEECH,
            arguments=hearing_tools.LanguageArguments,
            run=hearing_tools.detect_language,
            plan=hearing_tools.plan_language,
        ),
        _caption_about("emotion", "Tell the emotion of each speaker.", NO_SPEECH),
        _caption_about(
            "instrument",
            "Name the instrument, of several options the likeliest.",
            NO_OPTION,
        ),
        _caption_about("style", "Name genre or mood of music, of several options the likeliest.", NO_STYLE),
        _caption_about("tempo", "Estimate tempo, metre, or how the tempo develops.", "There is no clear beat."),
        _caption_about("key", "Estimate key, scale or chord.", "No pitched notes are heard.", finds_when=True),
        _caption_about("pitch", "Tell how high a tone is, or how a melody moves.", "Fewer than two notes are heard."),
        _caption_about(
            "count",
            "Count separate sounds, notes, chords, beats, instruments or speakers.",
            "No separate events are heard.",
        ),
        Tool(
            name="order",
            cost=1,
            description="Tell the order of sounds, instruments or speakers, and which option stands where in it.",
            says_nothing="Fewer than two are heard.",
            arguments=hearing_tools.FocusArguments,
            run=find_order,
            plan=hearing_tools.plan_focus,
            languages=("en",),
            finds_when=True,
        ),
        _caption_about("speaker", "Tell who speaks: how many, men or women, in which order.", NO_SPEECH),
        _caption_about("quality", "Name defects of the recording, or its level.", "It is too short or too quiet."),
        _caption_about("sound", "Name the sound, of several options the likeliest.", NO_OPTION),
        Tool(
            name="where said",
            cost=1,
            description="Find when a word or phrase is said.",
            says_nothing="It is not said, or the recogniser hears another word.",
            arguments=speech_tools.PlaceArguments,
            run=speech_tools.place_phrase,
            plan=speech_tools.plan_place,
            suits=speech_tools.times_words,
            finds_when=True,
            is_read=True,
        ),
        Tool(
            name="alternatives",
            cost=1,
            description="List what else may have been said (the recogniser's n-best list).",
            says_nothing="Nobody speaks, or the recogniser sees one possibility.",
            arguments=ToolArguments,
            run=speech_tools.tell_alternatives,
            plan=speech_tools.plan_whole,
            suits=speech_tools.writes_alternatives,
            is_read=True,
        ),
        Tool(
            name="slower",
            cost=1,
            description="Transcribe speech that is slowed down at the same pitch.",
            says_nothing=NO_SPEECH,
            arguments=hearing_tools.SpeedArguments,
            run=hearing_tools.hear_slower,
            plan=hearing_tools.plan_slower,
            is_read=True,
        ),
        Tool(
            name="denoise",
            cost=2,
            description="Reduce steady noise, and hear what is left.",
            says_nothing="There is hardly any noise: the quietest moments are below -65 dBFS.",
            arguments=SpanArguments,
            run=hearing_tools.hear_denoised,
            plan=hearing_tools.plan_part,
            is_read=True,
        ),
        Tool(
            name="raise level",
            cost=2,
            description="Raise a quiet recording to full level, and hear it again.",
            says_nothing="It is silent, or less than 6 dB below full scale.",
            arguments=SpanArguments,
            run=hearing_tools.hear_raised,
            plan=hearing_tools.plan_part,
            is_read=True,
        ),
        Tool(
            name="find sound",
            cost=1,
            description="Find when a described sound is heard.",
            says_nothing="The sound is not heard.",
            arguments=measuring_tools.SoundArguments,
            run=measuring_tools.find_sound,
            plan=measuring_tools.plan_sound,
            languages=("en",),
            finds_when=True,
            is_read=True,
        ),
        Tool(
            name="changes",
            cost=1,
            description="List when something continuous begins or ends, how level and brightness change, and pauses.",
            says_nothing="It sounds alike throughout.",
            arguments=measuring_tools.ChangeArguments,
            run=measuring_tools.tell_changes,
            plan=measuring_tools.plan_changes,
            reliability="measured",
            finds_when=True,
            is_read=True,
        ),
        Tool(
            name="compare",
            cost=1,
            description="Compare two parts or two recordings: same speaker, sound, tune or rhythm; longer, louder, "
            "higher, faster, duller.",
            says_nothing="One of the two is silent.",
            arguments=comparison_tool.CompareArguments,
            run=comparison_tool.compare,
            plan=comparison_tool.plan_comparison,
            is_read=True,
        ),
        Tool(
            name="spectrum",
            cost=1,
            description="Measure fundamental frequency, bandwidth and noise floor.",
            says_nothing="It is silent or shorter than 0.06 s.",
            arguments=measuring_tools.SpectrumArguments,
            run=measuring_tools.tell_spectrum,
            plan=measuring_tools.plan_spectrum,
            reliability="measured",
            is_read=True,
        ),
    )
}
"""Name -> tool for questions of one kind."""

SPAN: AnyTool = Tool(
    name="span",
    cost=2,
    description="Hear a span again: caption, transcript, and the reply of the audio-language model where there is one.",
    says_nothing="Nothing is heard in the span.",
    arguments=hearing_tools.FocusArguments,
    run=hearing_tools.hear_span,
    plan=hearing_tools.plan_span,
)
CAPTION: AnyTool = Tool(
    name="caption",
    cost=1,
    description="Listen for whatever a question asks.",
    says_nothing="The captioner hears nothing of it.",
    arguments=hearing_tools.FocusArguments,
    run=hearing_tools.caption_with(None),
    plan=hearing_tools.plan_focus,
    languages=("en",),
)
"""The tools that suit any question."""

CATALOGUE: Mapping[str, AnyTool] = {
    **TOOLS,
    **{
        tool.name: tool
        for tool in (
            SPAN,
            CAPTION,
            Tool(
                name="one channel",
                cost=2,
                description="Hear one channel of a recording by itself.",
                says_nothing="Nothing is heard in it.",
                arguments=hearing_tools.ChannelArguments,
                run=hearing_tools.hear_channel,
            ),
        )
    },
}
"""Name -> every tool: those that the agent calls by itself, and those that it is told to."""


def find_tool(name: str) -> AnyTool:
    """Find a tool by its name, in which hyphens and underscores may stand for spaces; `UnknownName` lists them all."""
    found = CATALOGUE.get(" ".join(name.replace("-", " ").replace("_", " ").split()).lower())
    if found is None:
        raise UnknownName("tool", name, [format_name(one) for one in CATALOGUE.values()])
    return found


def format_name(tool: AnyTool) -> str:
    """Format the name of a tool as one word, as the command line and MCP have it."""
    return tool.name.replace(" ", "-")


def list_inputs(
    question: Question, clips: Sequence[AudioClip], evidence: tuple[Evidence, ...]
) -> tuple[ToolInput, ...]:
    """List the inputs of a tool: the clip; of several each that the question names, or all where it names none.

    Of what is said a tool gets what a reader does.
    """
    told = hide_speech(question, evidence)
    if len(clips) == 1:
        return (ToolInput(question, clips[0], told),)
    numbers = sorted(find_named_clips(question)) or range(1, len(clips) + 1)
    return tuple(
        ToolInput(question, clips[number - 1], tuple(one for one in told if one.recording == number), number)
        for number in numbers
    )


def estimate_tools(question: Question, duration_s: float) -> Mapping[str, float]:
    """Estimate the probability of each tool, and of none, the likeliest first.

    The planner knows the question's words alone. Options that are all times of the recording are evidence that it asks
    when something is heard.
    """
    estimates = _settle_when(question, open_tool_classifier().estimate(question.text))
    if not name_times([choice.text for choice in question.choices], duration_s):
        return estimates
    weighed = {
        label: share * (1.0 if label in TOOLS and TOOLS[label].finds_when else OTHERWISE_TIMES)
        for label, share in estimates.items()
    }
    return _rank(weighed)


def _settle_when(question: Question, estimates: Mapping[str, float]) -> Mapping[str, float]:
    """Give a sound that can be looked for to the tool that does, and any other change to the one that lists all."""
    if next(iter(estimates)) not in WHEN_HEARD:
        return estimates
    one, other = WHEN_HEARD if find_mention(question.text) else reversed(WHEN_HEARD)
    return _rank({**estimates, one: estimates[one] + estimates[other], other: 0.0})


def _rank(weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return the weights as shares, the largest first."""
    total = sum(weights.values())
    return {label: weights[label] / total for label in sorted(weights, key=lambda one: -weights[one])}


def _select_direct(estimates: Mapping[str, float]) -> list[ChosenTool]:
    """Select the likeliest tool, unless that is none; where it takes more than one action, a second one that does not.

    The budget decides which of the two is called.
    """
    direct: list[ChosenTool] = []
    for label, probability in estimates.items():
        if label == NO_TOOL:
            break
        direct.append(ChosenTool(TOOLS[label], probability))
        if direct[-1].tool.cost == 1:
            break
    return direct


def select_tools(*inputs: ToolInput) -> tuple[ChosenTool, ...]:
    """Select the tool that the question most likely asks for, if it asks for any, and those that suit any question.

    Where somebody says what the question asks, what is said is read, whatever else the question may be about. Two parts
    are compared where the options are the first and the second. The order is told where that is likelier to be asked
    for than the tool that the planner names, or where the options are orders and that tool names one thing or is none.
    A span that the question names is heard first. There is an input for each recording, and what suits one is done with
    all.

    More tools would distract: the findings of a second one are about something else (arXiv:2602.13685 finds the same).
    """
    question = inputs[0].question
    estimates = estimate_tools(question, inputs[0].clip.duration_s)
    direct = _select_direct(estimates)
    if any(transcript.answers(question, one.evidence) for one in inputs):
        direct = [ChosenTool(TOOLS["said"], 1.0)]
    elif asks_which(question):
        direct = [ChosenTool(TOOLS["compare"], 1.0)]
    elif has_orders(question) and all(one.tool.name in NAME_ONE for one in direct):
        direct = [ChosenTool(TOOLS["order"], 1.0)]
    elif (asked := estimate_asks_order(question)) > max([LEAST_ORDER, *(one.relevance for one in direct)]):
        direct = [ChosenTool(TOOLS["order"], asked)]
    left = max(0.0, 1 - estimates[NO_TOOL] - sum(one.relevance for one in direct))
    span = [ChosenTool(SPAN, 1.0)] if any(map(find_span, inputs)) else []
    if any(find_named_spans(question.text, one.clip.duration_s) for one in inputs):
        return (*span, *direct, ChosenTool(CAPTION, left))
    return (*direct, *span, ChosenTool(CAPTION, left))
