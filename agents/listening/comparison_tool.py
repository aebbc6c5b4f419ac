"""Tool that compares two parts of a recording, or two recordings: same speaker or tune, longer, louder, higher, faster.

Questions often ask how a second part differs from the first ("the second time", "the other half") and give no times:
then the recording is split at its longest pause, or in the middle.
"""

from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field, model_validator

from agents.listening.classifiers.difference import names_further
from agents.listening.measured import Measured, make_finding, state
from agents.listening.options.differences import weigh_differences
from agents.listening.tool import ListenedClip, Listeners, SpanArguments, ToolInput, ToolResult, cut_span
from agents.reading.named_times import find_named_spans
from services.captioners.music.notes import name_interval
from services.errors import BadRequest
from services.longform.clock import WHOLE_S
from services.measurement import analyser
from services.measurement.just_noticeable import (
    SAME_BRIGHTNESS,
    SAME_LENGTH,
    SAME_LEVEL_DB,
    SAME_PACE,
    SAME_SEMITONES,
    SURE_KEY,
)
from services.measurement.parts import split_in_two
from services.terminal.counts import format_count
from services.types import AudioClip, EvidenceKind, Label

if TYPE_CHECKING:  # its libraries take a second to import
    from services.measurement.comparison import KeyPair, Pace, SoundComparison, ValuePair
    from services.measurement.tunes import TuneLikeness

TUNE_PRECISION = 0.9  # share of the statements on a tune that comes again that are right (docs/ears.md)


TimeRange: TypeAlias = tuple[float, float]


class CompareArguments(SpanArguments):
    """Two spans: of one recording, or one of each of two."""

    other_start_s: float = Field(default=0.0, ge=0, description="Begin of the second span, seconds.")
    other_end_s: float | None = Field(default=None, gt=0, description="End of the second span; default: the end.")
    question: str = Field(default="", description="What the options answer, such as 'Which is louder?'.")
    options: tuple[str, ...] = Field(default=(), description="Differences to tell apart, such as 'it is louder'.")

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


def plan_comparison(tool_input: ToolInput) -> CompareArguments | None:
    """Compare the two spans that a question names, one at either end with the rest, or the parts of a recording."""
    spans = _choose_spans(tool_input)
    if spans is None:
        return None
    (start_s, end_s), (other_start_s, other_end_s) = spans
    question = tool_input.question
    return CompareArguments(
        start_s=start_s,
        end_s=end_s,
        other_start_s=other_start_s,
        other_end_s=other_end_s,
        question=question.text,
        options=tuple(choice.text for choice in question.choices),
    )


def _choose_spans(tool_input: ToolInput) -> tuple[TimeRange, TimeRange] | None:
    clip = tool_input.clip
    named = find_named_spans(tool_input.question.text, clip.duration_s)
    if len(named) == 2 and not named[0].overlaps(*named[1]):
        return named[0], named[1]
    if len(named) == 1:
        (start_s, end_s), duration_s = named[0], clip.duration_s
        if start_s <= 0 < end_s < duration_s:
            return (0.0, end_s), (end_s, duration_s)
        return ((0.0, start_s), (start_s, duration_s)) if 0 < start_s < duration_s <= end_s else None
    are_more = any(names_further(choice.text) for choice in tool_input.question.choices)
    parts = None if named or are_more or clip.duration_s > WHOLE_S else split_in_two(clip)
    return (parts.first, parts.second) if parts else None


async def compare(_: Listeners, heard: ListenedClip, arguments: CompareArguments) -> ToolResult:
    """Compare two spans of a recording, or a span of each of two recordings."""
    second = heard.clip if heard.other is None else heard.other
    first_s = cut_span(heard.clip, arguments)
    second_s = _cut_other(second, arguments)
    if heard.other is None and first_s == second_s:
        raise BadRequest("Both spans are the same: give other_start_s and other_end_s, or a second recording.")
    found = await analyser.compare(heard.clip.cut(*first_s), second.cut(*second_s))
    start_s, end_s = (min(first_s[0], second_s[0]), max(first_s[1], second_s[1])) if heard.other is None else first_s
    told = [
        make_finding(one, start_s, end_s) for one in _state_comparison(found, _name_span(first_s), _name_span(second_s))
    ]
    if told and (labels := weigh_differences(arguments.question, arguments.options, found)):
        text = f"Of the differences asked about, most like: {', else '.join(map(str, labels))}."
        update = {"kind": "event", "text": text, "labels": labels, "confidence": labels[0].probability}
        told.append(told[-1].model_copy(update={**update, "reliability": "model"}))
    return ToolResult(tuple(told))


def _cut_other(clip: AudioClip, arguments: CompareArguments) -> tuple[float, float]:
    try:
        return cut_span(clip, arguments.other)
    except BadRequest as error:
        raise BadRequest(f"other_{error}", param="other_start_s") from error


def _name_span(span_s: tuple[float, float]) -> str:
    return f"{span_s[0]:.1f}-{span_s[1]:.1f} s"


def _state_comparison(found: "SoundComparison", first: str, second: str) -> Iterator[Measured]:
    """State what two sounds have in common; `first` and `second` say when they are heard."""
    if found.lengths_s is not None:
        yield _state_lengths(found.lengths_s, first, second)
    if found.same_speaker is not None:
        yield _state_likeness("speaker", "speaker", found.same_speaker)
    if found.same_sound is not None:
        yield _state_likeness("sound", "sound", found.same_sound)
    if found.level_difference_db is not None:
        yield _state_level(found.level_difference_db)
    if found.tune is not None:
        yield _state_tune(found.tune)
    else:
        yield from _state_other_music(found)
    if found.highest_hz is not None:
        yield from _state_brightness(found.highest_hz)


def _state_other_music(found: "SoundComparison") -> Iterator[Measured]:
    """State pitch, pace, rhythm and key of what does not repeat a tune, which would say them all."""
    if found.pitch_ratio is not None:
        yield _state_pitch(found.pitch_ratio)
    if found.pace is not None:
        yield _state_pace(found.pace)
    if found.same_rhythm:
        yield state("rhythm", "Both have {}.", "the same rhythm")
    if found.keys is not None:
        yield from _state_keys(found.keys)


def _state_lengths(lengths_s: "ValuePair", first: str, second: str) -> Measured:
    which = f"The first is heard at {first}, the second at {second}:"
    ratio = lengths_s.second / lengths_s.first
    if 1 / SAME_LENGTH < ratio < SAME_LENGTH:
        return state("segment", f"{which} both last {{}}.", "equally long")
    how = (
        "the second lasts {} times as long as the first"
        if ratio > 1
        else "the first lasts {} times as long as the second"
    )
    return state("segment", f"{which} {{}}.", how.format(f"{max(ratio, 1 / ratio):.2g}"))


def _state_likeness(kind: EvidenceKind, what: str, probability: float) -> Measured:
    is_same = probability >= 0.5
    sure = max(probability, 1 - probability)
    label = Label.round_to_label(f"the same {what}" if is_same else f"a different {what}", sure)
    return Measured(kind, f"In the second, compared with the first: {label}.", label, sure, "model")


def _state_level(difference_db: float) -> Measured:
    if abs(difference_db) < SAME_LEVEL_DB:
        return state("loudness", "The second is {} as the first.", "as loud")
    how = "louder" if difference_db > 0 else "quieter"
    return state("loudness", "The second is {} than the first.", f"{abs(difference_db):.1f} dB {how}")


def _state_tune(tune: "TuneLikeness") -> Measured:
    """State how the second repeats the tune of the first."""
    changes = []
    if tune.is_backwards:
        changes.append("backwards")
    if tune.semitones:
        changes.append(f"{name_interval(tune.semitones)} {'higher' if tune.semitones > 0 else 'lower'}")
    if abs(log2(tune.speed)) >= SAME_PACE:
        changes.append(f"{max(tune.speed, 1 / tune.speed):.2g} times as {'fast' if tune.speed > 1 else 'slow'}")
    how = ", ".join(changes) or "unchanged: at the same pitch and tempo"
    return Measured(
        "melody", f"The second has the same tune as the first, {how}.", Label(text=f"same tune, {how}"), 0.9
    )


def _state_pitch(ratio: float) -> Measured:
    semitones = 12 * log2(ratio)
    if abs(semitones) < SAME_SEMITONES:
        return state("melody", "The second is {} as the first.", "as high")
    how = "higher" if semitones > 0 else "lower"
    return state("melody", "The second is {} than the first.", f"{abs(semitones):.1f} semitones {how}")


def _state_pace(pace: "Pace") -> Measured:
    paces = f"{pace.first:.1f} and {pace.second:.1f} {pace.unit}"
    if not pace.first or not pace.second or abs(log2(pace.second / pace.first)) < SAME_PACE:
        return state("rhythm", f"The second is {{}} as the first: {paces}.", "as fast")
    how = "faster" if pace.second > pace.first else "slower"
    return state("rhythm", f"The second is {{}} than the first: {paces}.", how)


def _state_keys(keys: "KeyPair") -> Iterator[Measured]:
    """State how the key changes, where both are sure."""
    if min(keys.first.confidence, keys.second.confidence) < SURE_KEY:
        return
    if keys.first.name == keys.second.name:
        yield state("harmony", "Both are in {}.", f"the same key, {keys.first.name}")
        return
    steps = keys.first.count_steps_to(keys.second)
    moves = f", {format_count(abs(steps), 'semitone')} {'up' if steps > 0 else 'down'}" if steps else ""
    yield state("harmony", "The key changes {}.", f"from {keys.first.name} to {keys.second.name}{moves}")


def _state_brightness(highest_hz: "ValuePair") -> Iterator[Measured]:
    """State which of the two lacks the high frequencies of the other."""
    low, high = sorted(highest_hz)
    if low < SAME_BRIGHTNESS * high:
        which, other = ("second", "first") if highest_hz.second == low else ("first", "second")
        beside = f"nothing above {low / 1000:.1f} kHz, where the {other} reaches {high / 1000:.1f} kHz"
        yield state("quality", f"The {which} is {{}} than the {other}: {beside}.", "duller, more muffled")
