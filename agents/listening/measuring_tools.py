"""Tools that measure: spectrum, changes over time, and where a sound is heard."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from agents.listening.hearing_tools import plan_part
from agents.listening.measured import Measured, make_finding, state
from agents.listening.options.times import place_in_options, weigh_lengths
from agents.listening.places import describe_place
from agents.listening.tool import ListenedClip, Listeners, SpanArguments, ToolInput, ToolResult, cut_span
from services.cancellation import run_in_thread
from services.captioners.sounds.activity import detect_activity
from services.captioners.sounds.mentions import find_mention
from services.errors import BadRequest
from services.longform.clock import WHOLE_S
from services.measurement import analyser
from services.measurement.changes import Change, list_changes
from services.measurement.just_noticeable import SAME_LEVEL_DB
from services.measurement.spectrum import SpectralFacts, measure_spectrum, weigh_spectrum
from services.types import AudioClip, Evidence, Label

SAME_CENTRE = 1.25  # ratio of two centres of the spectrum, below which they count as the same
SHORTEST_PAUSE_S = 0.2
ASKS_PAUSE_LENGTH = re.compile(
    r"(?=.*\b(?:how long|how many (?:milli)?seconds|length|duration|lasts?)\b)"
    r".*\b(?:silen\w+|pauses?|gaps?|breaks?|quiet)\b",
    re.IGNORECASE | re.DOTALL,
)


class SoundArguments(SpanArguments):
    """A described sound, and the span to look for it in."""

    sound: str = Field(min_length=1, description="The sound in English words, such as 'dog barking'.")
    options: tuple[str, ...] = Field(default=(), description="Times to tell apart, such as 'at 3 s'.")


class SpectrumArguments(SpanArguments):
    """A span, and the levels or frequencies that it may have."""

    options: tuple[str, ...] = Field(
        default=(), description="Noise floors ('-50 dBFS') or highest frequencies ('4 kHz') to tell apart."
    )


class ChangeArguments(SpanArguments):
    """A span, and the times at which it may change."""

    options: tuple[str, ...] = Field(default=(), description="Times to tell apart, such as 'at 3 s'.")
    are_lengths: bool = Field(default=False, description="Whether the options are lengths of a pause instead.")


# What the agent asks for


def plan_sound(tool_input: ToolInput) -> SoundArguments | None:
    """Look for the sound that the question names, in a recording that is not long."""
    sound = find_mention(tool_input.question.text)
    if sound is None or tool_input.clip.duration_s > WHOLE_S:
        return None
    return SoundArguments(sound=sound, options=_list_options(tool_input))


def plan_changes(tool_input: ToolInput) -> ChangeArguments | None:
    """List the changes of a recording that is not long."""
    if tool_input.clip.duration_s > WHOLE_S:
        return None
    are_lengths = ASKS_PAUSE_LENGTH.search(tool_input.question.text) is not None
    return ChangeArguments(options=_list_options(tool_input), are_lengths=are_lengths)


def plan_spectrum(tool_input: ToolInput) -> SpectrumArguments | None:
    """Measure all; of a long recording, the part that the question concerns."""
    part = plan_part(tool_input)
    if part is None:
        return None
    return SpectrumArguments(start_s=part.start_s, end_s=part.end_s, options=_list_options(tool_input))


def _list_options(tool_input: ToolInput) -> tuple[str, ...]:
    return tuple(choice.text for choice in tool_input.question.choices)


# Spectrum


async def tell_spectrum(_: Listeners, heard: ListenedClip, arguments: SpectrumArguments) -> ToolResult:
    """Measure fundamental, bandwidth and noise floor, and which of some levels or frequencies that is."""
    start_s, end_s = cut_span(heard.clip, arguments)
    facts = await run_in_thread(measure_spectrum, heard.clip.cut(start_s, end_s))
    if facts is None:
        return ToolResult()
    found = [make_finding(one, start_s, end_s) for one in _state_spectrum(facts)]
    if labels := weigh_spectrum(arguments.options, facts):
        text = f"Of the values asked about: {', '.join(map(str, labels))}."
        found.append(found[-1].model_copy(update={"text": text, "labels": labels, "confidence": labels[0].probability}))
    return ToolResult(tuple(found))


def _state_spectrum(facts: SpectralFacts) -> list[Measured]:
    told = []
    if facts.fundamental_hz is not None:
        told.append(state("melody", "Fundamental frequency: {}.", f"{facts.fundamental_hz:.0f} Hz"))
    told.append(state("quality", "Frequencies: {}.", f"{facts.low_hz:.0f} to {facts.high_hz:.0f} Hz"))
    told.append(state("loudness", "Noise floor: {}.", f"{facts.floor_db:.0f} dBFS"))
    return told


# Changes


async def tell_changes(_: Listeners, heard: ListenedClip, arguments: ChangeArguments) -> ToolResult:
    """List when something continuous begins or ends, what is different then, and which of some times that is."""
    start_s, end_s = cut_span(heard.clip, arguments)
    changes = await run_in_thread(list_changes, heard.clip.cut(start_s, end_s))
    found = tuple(make_finding(_state_change(one, start_s), start_s + one.time_s, end_s) for one in changes)
    if arguments.are_lengths:
        return ToolResult((*found, *_state_pause(heard.clip.cut(start_s, end_s), start_s, arguments.options)))
    moments = tuple(one.model_copy(update={"end_s": one.start_s}) for one in found)
    return ToolResult((*found, *place_in_options(moments, arguments.options, heard.clip)))


def _state_pause(clip: AudioClip, start_s: float, options: Sequence[str]) -> tuple[Evidence, ...]:
    """State the longest pause of a clip, and which of some lengths it has; nothing where there is none."""
    pauses = [(one.end_s, other.start_s) for one, other in pairwise(detect_activity(clip.samples))]
    first_s, last_s = max(pauses, key=lambda pause: pause[1] - pause[0], default=(0.0, 0.0))
    length_s = last_s - first_s
    if length_s < SHORTEST_PAUSE_S:
        return ()
    told = state("event", "The longest pause lasts {}.", f"{length_s:.1f} seconds")
    pause = make_finding(told, start_s + first_s, start_s + last_s)
    if not (labels := weigh_lengths(options, length_s)):
        return (pause,)
    text = f"Of the lengths asked about: {', '.join(map(str, labels))}."
    return (pause, pause.model_copy(update={"text": text, "labels": labels, "confidence": labels[0].probability}))


def _state_change(change: Change, start_s: float) -> Measured:
    what = [word for word, is_so in (("begins", change.begins), ("ends", change.ends)) if is_so]
    parts = [f"something {' and something '.join(what)}"] if what else []
    if abs(change.level_db) >= SAME_LEVEL_DB:
        parts.append(f"{abs(change.level_db):.0f} dB {'louder' if change.level_db > 0 else 'quieter'} from then on")
    if not 1 / SAME_CENTRE < change.brightness < SAME_CENTRE:
        parts.append("brighter" if change.brightness > 1 else "duller")
    return state("event", f"At {start_s + change.time_s:.1f} s: {{}}.", ", ".join(parts or ["the sound changes"]))


# A described sound


async def find_sound(_: Listeners, heard: ListenedClip, arguments: SoundArguments) -> ToolResult:
    """Find where a described sound is heard."""
    start_s, end_s = cut_span(heard.clip, arguments)
    search = await analyser.find_sound(heard.clip.cut(start_s, end_s), arguments.sound)
    if not search.names:
        raise BadRequest(
            f"{arguments.sound!r} names no sound that the tagger knows; name it in English, such as 'dog barking', "
            "'siren' or 'rain'.",
            param="sound",
        )
    found = tuple(
        make_finding(
            Measured(
                "event",
                f"{one.sound} is heard from {start_s + one.span.start_s:.1f} to {start_s + one.span.end_s:.1f} s, "
                f"{describe_place(start_s + one.span.start_s, start_s + one.span.end_s, heard.clip.duration_s)}.",
                Label(text=one.sound),
                one.confidence,
                "model",
            ),
            start_s + one.span.start_s,
            start_s + one.span.end_s,
        )
        for one in search.found
    )
    return ToolResult((*found, *place_in_options(found, arguments.options, heard.clip)))
