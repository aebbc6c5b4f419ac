"""Tools that measure: spectrum, changes over time, where a sound is heard, and what two sounds have in common."""

from math import log2
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, model_validator

from agents.listening.hearing_tools import plan_part
from agents.listening.time_options import place_in_options
from agents.listening.tool import ListenedClip, Listeners, SpanArguments, ToolInput, ToolResult, cut_span
from agents.reading.named_times import find_named_spans
from services.cancellation import run_in_thread
from services.captioners.sounds.mentions import find_mention
from services.digest import hash_modules
from services.errors import BadRequest
from services.longform.clock import WHOLE_S
from services.measurement import analyser
from services.measurement.changes import Change, list_changes
from services.measurement.spectrum import SpectralFacts, measure_spectrum, weigh_spectrum
from services.types import AudioClip, Evidence, EvidenceKind, Label, Reliability

if TYPE_CHECKING:  # its libraries take a second to import
    from services.measurement.comparison import Pace, SoundComparison

SOURCE = "measurement"
CODE = (
    "agents.listening.measuring_tools",
    "agents.listening.time_options",
    "agents.reading.numbers",
    "services.captioners",
    "services.measurement",
    "services.number_words",
    "services.sentences",
)
"""What decides what a measurement says."""
SAME_LEVEL_DB = 1.0
SAME_SEMITONES = 0.5
SAME_PACE = 0.1  # of the ratio of two paces, logarithm to base 2
SAME_BRIGHTNESS = 1.25


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


class CompareArguments(SpanArguments):
    """Two spans: of one recording, or one of each of two."""

    other_start_s: float = Field(default=0.0, ge=0, description="Begin of the second span, seconds.")
    other_end_s: float | None = Field(default=None, gt=0, description="End of the second span; default: the end.")

    @model_validator(mode="after")
    def _require_other_order(self) -> "CompareArguments":
        if self.other_end_s is not None and self.other_end_s <= self.other_start_s:
            raise ValueError(
                f"other_end_s is {self.other_end_s:g}, which is not after other_start_s, {self.other_start_s:g}"
            )
        return self

    @property
    def other(self) -> SpanArguments:
        """The second span."""
        return SpanArguments(start_s=self.other_start_s, end_s=self.other_end_s)


class _Measured(NamedTuple):
    """A statement before it becomes evidence."""

    kind: EvidenceKind
    text: str
    label: Label
    confidence: float = 1.0
    reliability: Reliability = "measured"


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
    return ChangeArguments(options=_list_options(tool_input))


def plan_spectrum(tool_input: ToolInput) -> SpectrumArguments | None:
    """Measure all; of a long recording, the part that the question concerns."""
    part = plan_part(tool_input)
    if part is None:
        return None
    return SpectrumArguments(start_s=part.start_s, end_s=part.end_s, options=_list_options(tool_input))


def plan_comparison(tool_input: ToolInput) -> CompareArguments | None:
    """Compare the two spans that the question names."""
    duration_s = tool_input.clip.duration_s
    named = find_named_spans(tool_input.question.text, duration_s)
    if len(named) != 2 or named[0].overlaps(*named[1]):
        return None
    (start_s, end_s), (other_start_s, other_end_s) = named
    return CompareArguments(start_s=start_s, end_s=end_s, other_start_s=other_start_s, other_end_s=other_end_s)


def _list_options(tool_input: ToolInput) -> tuple[str, ...]:
    return tuple(choice.text for choice in tool_input.question.choices)


# Spectrum


async def tell_spectrum(_: Listeners, heard: ListenedClip, arguments: SpectrumArguments) -> ToolResult:
    """Measure fundamental, bandwidth and noise floor, and which of some levels or frequencies that is."""
    start_s, end_s = cut_span(heard.clip, arguments)
    facts = await run_in_thread(measure_spectrum, heard.clip.cut(start_s, end_s))
    if facts is None:
        return ToolResult()
    found = [_make_finding(one, start_s, end_s) for one in _state_spectrum(facts)]
    if labels := weigh_spectrum(arguments.options, facts):
        text = f"Of the values asked about: {', '.join(map(str, labels))}."
        found.append(found[-1].model_copy(update={"text": text, "labels": labels, "confidence": labels[0].probability}))
    return ToolResult(tuple(found))


def _state_spectrum(facts: SpectralFacts) -> list[_Measured]:
    told = []
    if facts.fundamental_hz is not None:
        told.append(_state("melody", "Fundamental frequency: {}.", f"{facts.fundamental_hz:.0f} Hz"))
    told.append(_state("quality", "Frequencies: {}.", f"{facts.low_hz:.0f} to {facts.high_hz:.0f} Hz"))
    told.append(_state("loudness", "Noise floor: {}.", f"{facts.floor_db:.0f} dBFS"))
    return told


# Changes


async def tell_changes(_: Listeners, heard: ListenedClip, arguments: ChangeArguments) -> ToolResult:
    """List when something continuous begins or ends, what is different then, and which of some times that is."""
    start_s, end_s = cut_span(heard.clip, arguments)
    changes = await run_in_thread(list_changes, heard.clip.cut(start_s, end_s))
    found = tuple(_make_finding(_state_change(one, start_s), start_s + one.time_s, end_s) for one in changes)
    moments = tuple(one.model_copy(update={"end_s": one.start_s}) for one in found)
    return ToolResult((*found, *place_in_options(moments, arguments.options, heard.clip)))


def _state_change(change: Change, start_s: float) -> _Measured:
    what = [word for word, is_so in (("begins", change.begins), ("ends", change.ends)) if is_so]
    parts = [f"something {' and something '.join(what)}"] if what else []
    if abs(change.level_db) >= SAME_LEVEL_DB:
        parts.append(f"{abs(change.level_db):.0f} dB {'louder' if change.level_db > 0 else 'quieter'} from then on")
    if not 1 / SAME_BRIGHTNESS < change.brightness < SAME_BRIGHTNESS:
        parts.append("brighter" if change.brightness > 1 else "duller")
    return _state("event", f"At {start_s + change.time_s:.1f} s: {{}}.", ", ".join(parts or ["the sound changes"]))


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
        _make_finding(
            _Measured(
                "event",
                f"{one.sound} is heard from {start_s + one.span.start_s:.1f} to {start_s + one.span.end_s:.1f} s.",
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


# SoundComparison


async def compare(_: Listeners, heard: ListenedClip, arguments: CompareArguments) -> ToolResult:
    """Compare two spans of a recording, or a span of each of two recordings."""
    second = heard.clip if heard.other is None else heard.other
    first_s = cut_span(heard.clip, arguments)
    second_s = _cut_other(second, arguments)
    if heard.other is None and first_s == second_s:
        raise BadRequest("Both spans are the same: give other_start_s and other_end_s, or a second recording.")
    found = await analyser.compare(heard.clip.cut(*first_s), second.cut(*second_s))
    start_s, end_s = (min(first_s[0], second_s[0]), max(first_s[1], second_s[1])) if heard.other is None else first_s
    return ToolResult(tuple(_make_finding(one, start_s, end_s) for one in _state_comparison(found)))


def _cut_other(clip: AudioClip, arguments: CompareArguments) -> tuple[float, float]:
    try:
        return cut_span(clip, arguments.other)
    except BadRequest as error:
        raise BadRequest(f"other_{error}", param="other_start_s") from error


def _state_comparison(found: "SoundComparison") -> list[_Measured]:
    told = []
    if found.same_speaker is not None:
        told.append(_state_likeness("speaker", "speaker", found.same_speaker))
    if found.same_sound is not None:
        told.append(_state_likeness("sound", "sound", found.same_sound))
    if found.level_difference_db is not None:
        told.append(_state_level(found.level_difference_db))
    if found.pitch_ratio is not None:
        told.append(_state_pitch(found.pitch_ratio))
    if found.pace is not None:
        told.append(_state_pace(found.pace))
    return told


def _state_likeness(kind: EvidenceKind, what: str, probability: float) -> _Measured:
    is_same = probability >= 0.5
    sure = max(probability, 1 - probability)
    label = Label.round_to_label(f"the same {what}" if is_same else f"a different {what}", sure)
    return _Measured(kind, f"In the second, compared with the first: {label}.", label, sure, "model")


def _state_level(difference_db: float) -> _Measured:
    if abs(difference_db) < SAME_LEVEL_DB:
        return _state("loudness", "The second is {} as the first.", "as loud")
    how = "louder" if difference_db > 0 else "quieter"
    return _state("loudness", "The second is {} than the first.", f"{abs(difference_db):.1f} dB {how}")


def _state_pitch(ratio: float) -> _Measured:
    semitones = 12 * log2(ratio)
    if abs(semitones) < SAME_SEMITONES:
        return _state("melody", "The second is {} as the first.", "as high")
    how = "higher" if semitones > 0 else "lower"
    return _state("melody", "The second is {} than the first.", f"{abs(semitones):.1f} semitones {how}")


def _state_pace(pace: "Pace") -> _Measured:
    paces = f"{pace.first:.1f} and {pace.second:.1f} {pace.unit}"
    if not pace.first or not pace.second or abs(log2(pace.second / pace.first)) < SAME_PACE:
        return _state("rhythm", f"The second is {{}} as the first: {paces}.", "as fast")
    how = "faster" if pace.second > pace.first else "slower"
    return _state("rhythm", f"The second is {{}} than the first: {paces}.", how)


def _state(kind: EvidenceKind, text: str, found: str) -> _Measured:
    return _Measured(kind, text.format(found), Label(text=found))


def _make_finding(one: _Measured, start_s: float, end_s: float) -> Evidence:
    return Evidence(
        kind=one.kind,
        source=SOURCE,
        revision=hash_modules(*CODE)[:8],
        text=one.text,
        labels=(one.label,),
        start_s=round(start_s, 2),
        end_s=round(end_s, 2),
        confidence=round(one.confidence, 2),
        reliability=one.reliability,
    )
