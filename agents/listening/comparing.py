"""Comparison of several recordings, attribute by attribute: what each has, and which is longer, louder, higher, faster.

A small reader does not lay the statements on each of two recordings side by side. So code does, from what was heard and
from what is measured, in a few typed statements about all the recordings together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from services.captioners.absence import NO_MUSIC, NO_SPEECH
from services.digest import hash_modules
from services.longform.clock import WHOLE_S
from services.measurement import analyser
from services.types import AudioClip, Evidence, EvidenceKind, Label

if TYPE_CHECKING:  # its libraries take a second to import
    from services.measurement.comparison import Embedding, SignalFacts

SOURCE = "comparison"
CODE = ("agents.listening.comparing", "services.captioners", "services.measurement")
"""What decides what a comparison says."""
MOST_RECORDINGS = 4  # of more, and of long ones, nothing is measured but their lengths
SURE_MUSIC = 0.5  # probability of the tagger from which there is music
MUSIC = "music"  # as the tagger calls it
MUSICAL_KINDS: frozenset[EvidenceKind] = frozenset({"harmony", "instrument", "melody", "music"})


class RankedAttribute(NamedTuple):
    """A quantity that recordings are ranked by."""

    kind: EvidenceKind
    more: str
    most: str
    less: str
    least: str
    """Comparatives and superlatives: is louder, is the loudest, is quieter, is the quietest."""
    same: str
    unit: str
    """Pattern of a value with its unit."""
    alike: Callable[[float, float], bool]
    """Whether two values count as the same."""


class Presence(NamedTuple):
    """What recordings have or have not, with the words for it."""

    kind: EvidenceKind
    there: str
    absent: str


SPEECH = Presence("segment", "somebody speaks", "nobody speaks")
PLAYED = Presence("music", "there is music", "there is no music")


def _compare_differences(difference: float) -> Callable[[float, float], bool]:
    return lambda one, other: abs(one - other) < difference


def _compare_ratios(ratio: float) -> Callable[[float, float], bool]:
    return lambda one, other: 1 / ratio < one / other < ratio


LENGTH = RankedAttribute(
    kind="segment",
    more="is longer",
    most="is the longest",
    less="is shorter",
    least="is the shortest",
    same="equally long",
    unit="{:.1f} s",
    alike=_compare_ratios(1.03),
)
LEVEL = RankedAttribute(
    kind="loudness",
    more="is louder",
    most="is the loudest",
    less="is quieter",
    least="is the quietest",
    same="about equally loud",
    unit="{:.0f} dBFS",
    alike=_compare_differences(1.5),
)
PITCH = RankedAttribute(
    kind="melody",
    more="is higher in pitch",
    most="is the highest in pitch",
    less="is lower in pitch",
    least="is the lowest in pitch",
    same="about equally high in pitch",
    unit="{:.0f} Hz",
    alike=_compare_ratios(1.03),
)
TEMPO = RankedAttribute(
    kind="rhythm",
    more="is faster",
    most="is the fastest",
    less="is slower",
    least="is the slowest",
    same="equally fast",
    unit="{:.0f} BPM",
    alike=_compare_ratios(1.07),
)
SPEECH_RATE = RankedAttribute(
    kind="rhythm",
    more="is spoken faster",
    most="is spoken fastest",
    less="is spoken slower",
    least="is spoken slowest",
    same="spoken equally fast",
    unit="{:.1f} syllables a second",
    alike=_compare_ratios(1.15),
)


async def compare_recordings(clips: Sequence[AudioClip], evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Compare recordings; each statement is about all of them."""
    of_each = [[one for one in evidence if one.recording == number] for number in range(1, len(clips) + 1)]
    told = [*_state_presence(SPEECH, map(_has_speech, of_each))]
    told += _state_presence(PLAYED, map(_has_music, of_each))
    told += _state_languages(of_each)
    told += _state_ranking(LENGTH, [clip.duration_s for clip in clips])
    if len(clips) <= MOST_RECORDINGS and all(clip.duration_s <= WHOLE_S for clip in clips):
        told += _state_measured([await analyser.measure(clip) for clip in clips])
        speaking = [clip if _has_speech(heard) else None for clip, heard in zip(clips, of_each, strict=True)]
        if len(speaking) - speaking.count(None) > 1:
            told += _state_speakers([await analyser.find_voice(clip) if clip else None for clip in speaking])
    return tuple(told)


# What is heard


def _has_speech(heard: Sequence[Evidence]) -> bool | None:
    if any(one.kind in {"segment", "speaker"} for one in heard):
        return True
    return False if _lacks(heard, NO_SPEECH) else None


def _has_music(heard: Sequence[Evidence]) -> bool | None:
    tagged = (label for one in heard if one.kind == "sound" for label in one.labels if label.text == MUSIC)
    if any((label.probability or 0.0) >= SURE_MUSIC for label in tagged):
        return True
    if _lacks(heard, NO_MUSIC):
        return False
    return True if any(one.kind in MUSICAL_KINDS for one in heard) else None


def _lacks(heard: Sequence[Evidence], what: str) -> bool:
    return any(label.text == what for one in heard if one.kind == "absence" for label in one.labels)


def _state_presence(what: Presence, known: Iterable[bool | None]) -> Iterator[Evidence]:
    """State which recordings have something, and which have not; nothing where it is known of none."""
    found = dict(enumerate(known, start=1))
    parts = []
    for wanted, words in ((True, what.there), (False, what.absent)):
        numbers = [number for number, is_there in found.items() if is_there is wanted]
        parts += [f"in {_name_all(numbers, len(found))} {words}"] if numbers else []
    if parts:
        text = ", ".join(parts)
        yield _make_statement(what.kind, f"{text[0].upper()}{text[1:]}.")


def _state_languages(of_each: Sequence[Sequence[Evidence]]) -> Iterator[Evidence]:
    """State which language is spoken in which recordings; nothing where it is known of fewer than two."""
    spoken: dict[str, list[int]] = {}
    for number, heard in enumerate(of_each, start=1):
        likeliest = next((one.labels[0].text for one in heard if one.kind == "language" and one.language), None)
        if likeliest:
            spoken.setdefault(likeliest, []).append(number)
    if sum(map(len, spoken.values())) > 1:
        parts = [f"{language} is spoken in {_name_all(numbers, len(of_each))}" for language, numbers in spoken.items()]
        yield _make_statement("language", f"{', '.join(parts)}.").model_copy(update={"reliability": "model"})


# What is measured


def _state_measured(facts: Sequence["SignalFacts | None"]) -> Iterator[Evidence]:
    yield from _state_ranking(LEVEL, [one and one.level_db for one in facts])
    yield from _state_ranking(PITCH, [one and one.pitch_hz for one in facts])
    yield from _state_ranking(TEMPO, [one and one.tempo_bpm for one in facts])
    yield from _state_ranking(SPEECH_RATE, [one and one.syllable_rate for one in facts])


def _state_ranking(attribute: RankedAttribute, values: Sequence[float | None]) -> Iterator[Evidence]:
    """Rank recordings, the one with the most first; nothing where fewer than two have a value."""
    known = {number: value for number, value in enumerate(values, start=1) if value is not None}
    if len(known) < 2:
        return
    order = sorted(known, key=lambda number: -known[number])
    value = {number: attribute.unit.format(known[number]) for number in order}
    first, *between, last = (f"recording {number}" for number in order)
    if attribute.alike(known[order[0]], known[order[-1]]):
        text = f"{_name_all(sorted(known), len(values))} are {attribute.same} ({value[order[0]]})."
    elif between:
        listed = "".join(f", then {name} ({value[number]})" for name, number in zip(between, order[1:], strict=False))
        text = f"{first} {attribute.most} ({value[order[0]]}){listed}, {last} {attribute.least} ({value[order[-1]]})."
    else:
        text = f"{first} {attribute.more} ({value[order[0]]}), {last} {attribute.less} ({value[order[1]]})."
    yield _make_statement(attribute.kind, f"{text[0].upper()}{text[1:]}")


def _state_speakers(voices: Sequence["Embedding | None"]) -> Iterator[Evidence]:
    from services.measurement.comparison import estimate_same_speaker

    for (first, one), (second, other) in combinations(enumerate(voices, start=1), 2):
        probability = estimate_same_speaker(one, other)
        if probability is not None:
            same = probability >= 0.5
            sure = max(probability, 1 - probability)
            label = Label.round_to_label("the same speaker" if same else "different speakers", sure)
            statement = _make_statement("speaker", f"Recordings {first} and {second} have {label}.")
            update = {"labels": (label,), "confidence": label.probability, "reliability": "model"}
            yield statement.model_copy(update=update)


def _name_all(numbers: Sequence[int], num_recordings: int) -> str:
    """Name recordings: recording 2; recordings 1 and 3; both; all."""
    if len(numbers) == num_recordings:
        return "both recordings" if num_recordings == 2 else f"all {num_recordings} recordings"
    listed = " and ".join(map(str, numbers))
    return f"recording{'s' if len(numbers) > 1 else ''} {listed}"


def _make_statement(kind: EvidenceKind, text: str) -> Evidence:
    revision = hash_modules(*CODE)[:8]
    return Evidence(kind=kind, source=SOURCE, revision=revision, text=text, step="read", reliability="measured")
