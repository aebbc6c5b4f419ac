"""Speaker analysis: number and order of speakers, gender and age, pitch and speaking rate."""

from typing import NamedTuple

import numpy as np

from services.captioners.sounds.activity import ActiveSpans, Floats, measure_levels_db
from services.captioners.sounds.statements import make_evidence
from services.captioners.statement import make_labels
from services.captioners.voices.emotion import describe_emotion
from services.captioners.voices.gender import GenderNet
from services.captioners.voices.turns import SpeakerTurn, diarise
from services.captioners.voices.voice_pitch import track_pitch
from services.captioners.voices.voiceprint import VoiceEncoder
from services.types import SAMPLE_RATE, AudioClip, Evidence, Label

SOURCE = "voice"
CHILD_HZ = 250.0  # median pitch above which a voice that the tagger calls a child's is taken for one
LOW_HZ, HIGH_HZ = 145.0, 190.0  # between them pitch alone does not tell men from women
MOST_TURNS = 12


class Voice(NamedTuple):
    """One speaker."""

    who: str
    confidence: float
    pitch_hz: Floats
    """Pitch of the voiced frames, 10 ms each."""


class AttributedTurn(NamedTuple):
    """A speaker turn with the kind of speaker who is heard in it."""

    voice: int
    """Number of the voice, from 0."""
    who: str
    spans: ActiveSpans


class SpeakerAnalyser:
    """Tells the speakers of a clip apart and describes each."""

    def __init__(self, encoder: VoiceEncoder, gender: GenderNet) -> None:
        self._encoder = encoder
        self._gender = gender

    def __call__(self, clip: AudioClip, speech: ActiveSpans, *, child: float, background: bool) -> tuple[Evidence, ...]:
        """Describe the speakers of these stretches of speech.

        `child`: how sure the tagger is of a child speaking. A voice over a `background` is not searched for emotion.
        """
        found = diarise(self._encoder, clip.samples, speech)
        if not found:
            return ()
        voices = [
            self._describe_voice(_cut_voice(clip, found, number), child)
            for number in range(max(t.voice for t in found) + 1)
        ]
        told = (_describe_turns(found, voices), _describe_voices(clip, speech, voices))
        return (*told, *describe_emotion(clip, speech, voices[0].who)) if len(voices) == 1 and not background else told

    def find_turns(self, clip: AudioClip, speech: ActiveSpans) -> tuple[AttributedTurn, ...]:
        """Return who speaks when, each turn judged by itself: a voice that is joined wrongly misleads one turn only."""
        found = diarise(self._encoder, clip.samples, speech)
        return tuple(
            AttributedTurn(turn.voice, self._describe_voice(_cut_turn(clip, turn), child=0.0).who, turn.spans)
            for turn in found
        )

    def list_turns(self, clip: AudioClip, speech: ActiveSpans) -> tuple[Evidence, ...]:
        """Return who speaks when: a statement for each span of a turn, whose label is the number of the speaker."""
        found = diarise(self._encoder, clip.samples, speech)
        who = {
            number: self._describe_voice(_cut_voice(clip, found, number), child=0.0)
            for number in {turn.voice for turn in found}
        }
        return tuple(
            _tell(
                f"Speaker {turn.voice + 1} ({who[turn.voice].who}) speaks.",
                (span,),
                who[turn.voice].confidence,
                make_labels([f"speaker {turn.voice + 1}", who[turn.voice].who]),
            )
            for turn in found
            for span in turn.spans
        )

    def _describe_voice(self, samples: Floats, child: float) -> Voice:
        pitch_hz = track_pitch(samples)
        pitch_hz = pitch_hz[np.isfinite(pitch_hz)]
        median_hz = float(np.median(pitch_hz)) if len(pitch_hz) >= 10 else (LOW_HZ + HIGH_HZ) / 2
        if child >= 0.5 and median_hz >= CHILD_HZ:
            return Voice("a child", child, pitch_hz)
        by_pitch = float(np.clip((median_hz - LOW_HZ) / (HIGH_HZ - LOW_HZ), 0, 1))
        female = 0.7 * self._gender.estimate_female(samples) + 0.3 * by_pitch
        return Voice("a woman" if female >= 0.5 else "a man", max(female, 1 - female), pitch_hz)


def _cut_voice(clip: AudioClip, found: tuple[SpeakerTurn, ...], voice: int) -> Floats:
    return np.concatenate([_cut_turn(clip, turn) for turn in found if turn.voice == voice])


def _cut_turn(clip: AudioClip, turn: SpeakerTurn) -> Floats:
    return np.concatenate([span.cut(clip.samples) for span in turn.spans])


def _describe_turns(found: tuple[SpeakerTurn, ...], voices: list[Voice]) -> Evidence:
    """Tell the number of speakers and the order of their turns."""
    spans = (*found[0].spans, *found[-1].spans)
    if len(voices) == 1:
        who = voices[0].who
        return _tell(f"One speaker: {who}.", spans, voices[0].confidence, make_labels([who]))
    shown = found[:MOST_TURNS]
    named = make_labels(f"speaker {turn.voice + 1} ({voices[turn.voice].who})" for turn in shown)
    order = "; then ".join(
        f"{name} {turn.start_s:.1f}-{turn.end_s:.1f} s" for name, turn in zip(named, shown, strict=True)
    )
    more = f"; and {len(found) - MOST_TURNS} more turns" if len(found) > MOST_TURNS else ""
    text = f"{len(voices)} different speakers: {_count_speakers(voices)}. Turns in order: {order}{more}."
    return _tell(text, spans, 0.8 * float(np.mean([voice.confidence for voice in voices])), named)


def _count_speakers(voices: list[Voice]) -> str:
    plural = {"a man": "men", "a woman": "women", "a child": "children"}
    counts = {who: sum(voice.who == who for voice in voices) for who in plural}
    return ", ".join(who if count == 1 else f"{count} {plural[who]}" for who, count in counts.items() if count)


def _describe_voices(clip: AudioClip, speech: ActiveSpans, voices: list[Voice]) -> Evidence:
    """Tell the pitch of each voice and the pace of the speech."""
    told = [_describe_pitch(voice.pitch_hz) for voice in voices if len(voice.pitch_hz) >= 10]
    rate = estimate_syllable_rate(np.concatenate([span.cut(clip.samples) for span in speech]))
    pace = "slow" if rate < 2.8 else "fast" if rate > 5.2 else "normal"
    text = (
        "; ".join(["Voice pitch " + ", ".join(told)] if told else [])
        + f"; pace {pace} (about {rate:.0f} syllables a second)."
    )
    return _tell(text.removeprefix("; "), speech, None)


def _describe_pitch(pitch_hz: Floats) -> str:
    low, middle, high = np.percentile(pitch_hz, [10, 50, 90])
    spread = 12 * np.log2(high / low)
    movement = "monotonous" if spread < 4 else "lively" if spread > 9 else "moderately varied"
    return f"{middle:.0f} Hz ({low:.0f}-{high:.0f}, {movement})"


def estimate_syllable_rate(speech: Floats) -> float:
    """Return peaks of the voice's level a second: about the number of syllables (Mermelstein, JASA 1975)."""
    from scipy.signal import find_peaks

    levels = np.convolve(measure_levels_db(speech), np.hanning(9) / np.hanning(9).sum(), mode="same")
    peaks, _ = find_peaks(levels, prominence=3.0, distance=8, height=float(levels.max()) - 25)
    return len(peaks) / max(len(speech) / SAMPLE_RATE, 0.1)


def _tell(text: str, spans: ActiveSpans, confidence: float | None, labels: tuple[Label, ...] = ()) -> Evidence:
    return make_evidence("speaker", text, spans, labels, source=SOURCE, confidence=confidence)
