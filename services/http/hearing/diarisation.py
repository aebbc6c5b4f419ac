"""Who says what: the words of a transcript, each given to the speaker whose turn it lies in."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from string import ascii_uppercase
from typing import Literal, NamedTuple

from services.protocols import Captioner, SpokenSegment, SpokenWord
from services.types import AudioClip, Evidence, Focus, Value

WHO_SPEAKS_WHEN = Focus(topic="turns", question="Who speaks when?")


class SpeakerSegment(Value):
    """What one speaker says in one go."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    id: str
    start: float
    end: float
    """Seconds."""
    text: str
    speaker: str | None = None
    """A, B and so on in the order in which they are first heard, or their names; None where nobody is told apart."""


class SpeakerSpan(NamedTuple):
    """A span in which one speaker is heard."""

    start_s: float
    end_s: float
    speaker: str


async def find_speakers(captioner: Captioner, clip: AudioClip, names: Sequence[str]) -> tuple[SpeakerSpan, ...]:
    """Return who speaks when; `names` are those of the speakers in the order in which they are first heard."""
    return tuple(_name_turns(await captioner.caption(clip, WHO_SPEAKS_WHEN), names))


def attribute_speakers(
    said: Sequence[SpokenSegment], turns: Sequence[SpeakerSpan], *, first: int = 0
) -> tuple[SpeakerSegment, ...]:
    """Return a transcript by speakers.

    Args:
        said: the transcript; a segment whose words have times is cut where the speaker changes.
        turns: who speaks when.
        first: number of the first segment.
    """
    pieces = [piece for segment in said for piece in _cut(segment, turns)]
    return tuple(
        SpeakerSegment(id=f"seg_{number:03}", start=start_s, end=end_s, text=text, speaker=speaker)
        for number, (start_s, end_s, text, speaker) in enumerate(pieces, first)
    )


def select_turns(statements: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the turns among what a captioner states when asked for turns; it may ignore what it is asked for."""
    return tuple(one for one in statements if one.kind == "speaker" and one.labels and one.end_s is not None)


def list_turns(statements: Sequence[Evidence]) -> Iterator[tuple[float, float, str]]:
    """Yield begin, end and speaker of each turn that a captioner states when asked for turns."""
    for one in select_turns(statements):
        assert one.end_s is not None
        yield one.start_s, one.end_s, one.labels[0].text


def _name_turns(statements: Sequence[Evidence], names: Sequence[str]) -> Iterator[SpeakerSpan]:
    known: dict[str, str] = {}
    for start_s, end_s, speaker in list_turns(statements):
        if speaker not in known:
            place = len(known)
            known[speaker] = names[place] if place < len(names) else _letter_speaker(place)
        yield SpeakerSpan(start_s, end_s, known[speaker])


def _letter_speaker(place: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    before, last = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[before - 1] if before else "") + ascii_uppercase[last]


def _cut(segment: SpokenSegment, turns: Sequence[SpeakerSpan]) -> Iterator[tuple[float, float, str, str | None]]:
    if not segment.words:
        yield segment.start_s, segment.end_s, segment.text, _find_speaker(segment.start_s, segment.end_s, turns)
        return
    speakers = [_find_speaker(word.start_s, word.end_s, turns) for word in segment.words]
    if len(set(speakers)) == 1:
        yield segment.start_s, segment.end_s, segment.text, speakers[0]
        return
    pairs = zip(segment.words, speakers, strict=True)
    for speaker, same in groupby(pairs, key=lambda pair: pair[1]):
        words = [word for word, _ in same]
        yield words[0].start_s, words[-1].end_s, _join_words(segment.text, words), speaker


def _join_words(text: str, words: Sequence[SpokenWord]) -> str:
    """Return words as their language writes them: with spaces where the whole text has some."""
    return (" " if " " in text else "").join(word.text for word in words)


def _find_speaker(start_s: float, end_s: float, turns: Sequence[SpeakerSpan]) -> str | None:
    """Return who speaks for the longest part of a span, or who speaks nearest to it."""
    if not turns:
        return None

    def measure_closeness(turn: SpeakerSpan) -> float:
        """Return the seconds in common; below 0, those between the two."""
        return min(end_s, turn.end_s) - max(start_s, turn.start_s)

    return max(turns, key=measure_closeness).speaker
