"""Speaker analysis: number and order of speakers, gender and age, pitch and speaking rate."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpans, measure_levels_db
from services.captioners.sounds.statements import make_evidence
from services.captioners.statement import make_labels
from services.captioners.voices.emotion import describe_emotion
from services.captioners.voices.gender import GenderNet, SpeakerKind
from services.captioners.voices.turns import SpeakerTurn, diarise
from services.captioners.voices.voice_pitch import track_voiced_pitch
from services.captioners.voices.voiceprint import VoiceEncoder
from services.types import SAMPLE_RATE, AudioClip, Evidence, Label

SOURCE = "voice"
CHILD_HZ = 250.0  # median pitch from which a voice is a child's, where the tagger hears a child
LOW_HZ, HIGH_HZ = 145.0, 190.0  # between them pitch alone does not distinguish men from women
MAX_TURNS = 12
FEWEST_FRAMES = 10  # with a pitch, from which a voice has one
APART_SEMITONES = 2.0  # of two median pitches, from which one voice is the higher one


class Voice(NamedTuple):
    """A voice: its kind of speaker, and its pitch."""

    who: SpeakerKind
    confidence: float
    pitch_hz: Floats
    """Pitch of the voiced frames, 10 ms each."""


class AttributedTurn(NamedTuple):
    """A speaker turn with its kind of speaker."""

    voice: int
    """Number of the voice, from 0."""
    who: SpeakerKind
    spans: ActiveSpans


class SpeakerAnalyser:
    """Diarises a clip and describes each speaker."""

    def __init__(self, encoder: VoiceEncoder, gender: GenderNet) -> None:
        self._encoder = encoder
        self._gender = gender

    def __call__(self, clip: AudioClip, speech: ActiveSpans, *, child: float, background: bool) -> tuple[Evidence, ...]:
        """Describe the speakers of these stretches of speech.

        Args:
            clip: the whole clip.
            speech: detected by voice activity detection.
            child: confidence of the tagger that a child speaks, in [0, 1].
            background: whether other sounds are clearly heard; then the vocal emotion is not estimated.
        """
        found = diarise(self._encoder, clip.samples, speech)
        if not found:
            return ()
        voices = [
            self._describe_voice(_cut_voice(clip, found, number), child)
            for number in range(max(t.voice for t in found) + 1)
        ]
        statements = (_describe_turns(found, voices), _describe_voices(clip, speech, voices))
        if len(voices) > 1 or background:
            return statements
        return (*statements, *describe_emotion(clip, speech, voices[0].who))

    def find_turns(self, clip: AudioClip, speech: ActiveSpans) -> tuple[AttributedTurn, ...]:
        """Return the speaker turns; each is classified by itself, so that a clustering error affects one turn only."""
        found = diarise(self._encoder, clip.samples, speech)
        return tuple(
            AttributedTurn(turn.voice, self._describe_voice(_cut_turn(clip, turn), child=0.0).who, turn.spans)
            for turn in found
        )

    def list_turns(self, clip: AudioClip, speech: ActiveSpans) -> tuple[Evidence, ...]:
        """Return a statement for each span of each turn; its labels are the number and the kind of the speaker."""
        found = diarise(self._encoder, clip.samples, speech)
        who = {
            number: self._describe_voice(_cut_voice(clip, found, number), child=0.0)
            for number in {turn.voice for turn in found}
        }
        return tuple(
            _make_evidence(
                f"Speaker {turn.voice + 1} ({who[turn.voice].who}) speaks.",
                (span,),
                who[turn.voice].confidence,
                make_labels([f"speaker {turn.voice + 1}", who[turn.voice].who]),
            )
            for turn in found
            for span in turn.spans
        )

    def _describe_voice(self, samples: Floats, child: float) -> Voice:
        pitch_hz = track_voiced_pitch(samples)
        median_hz = float(np.median(pitch_hz)) if len(pitch_hz) >= FEWEST_FRAMES else (LOW_HZ + HIGH_HZ) / 2
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
    """State the number of speakers and the order of their turns."""
    spans = (*found[0].spans, *found[-1].spans)
    if len(voices) == 1:
        who = voices[0].who
        return _make_evidence(f"One speaker: {who}.", spans, voices[0].confidence, make_labels([who]))
    shown = found[:MAX_TURNS]
    named = make_labels(f"speaker {turn.voice + 1} ({voices[turn.voice].who})" for turn in shown)
    order = "; then ".join(
        f"{name} {turn.start_s:.1f}-{turn.end_s:.1f} s" for name, turn in zip(named, shown, strict=True)
    )
    more = f"; and {len(found) - MAX_TURNS} more turns" if len(found) > MAX_TURNS else ""
    text = f"{len(voices)} different speakers: {_count_speakers(voices)}. Turns in order: {order}{more}."
    return _make_evidence(text, spans, 0.8 * float(np.mean([voice.confidence for voice in voices])), named)


def _count_speakers(voices: list[Voice]) -> str:
    plural: Mapping[SpeakerKind, str] = {"a man": "men", "a woman": "women", "a child": "children"}
    counts = {who: sum(voice.who == who for voice in voices) for who in plural}
    return ", ".join(who if count == 1 else f"{count} {plural[who]}" for who, count in counts.items() if count)


def _describe_voices(clip: AudioClip, speech: ActiveSpans, voices: list[Voice]) -> Evidence:
    """State the pitch of each voice and the speaking rate."""
    pitches = [_describe_pitch(voice.pitch_hz) for voice in voices if len(voice.pitch_hz) >= FEWEST_FRAMES]
    rate = estimate_syllable_rate(np.concatenate([span.cut(clip.samples) for span in speech]))
    pace = "slow" if rate < 2.8 else "fast" if rate > 5.2 else "normal"
    text = (
        "; ".join(["Voice pitch " + ", ".join(pitches)] if pitches else [])
        + compare_pitches(voices)
        + f"; pace {pace} (about {rate:.0f} syllables a second)."
    )
    return _make_evidence(text.removeprefix("; "), speech, None)


def compare_pitches(voices: list[Voice]) -> str:
    """Say which of two voices is the higher one, and which speaks first; empty where they are about as high."""
    medians_hz = [float(np.median(voice.pitch_hz)) for voice in voices if len(voice.pitch_hz) >= FEWEST_FRAMES]
    if len(voices) != 2 or len(medians_hz) != 2 or abs(12 * np.log2(medians_hz[1] / medians_hz[0])) < APART_SEMITONES:
        return ""
    how = "a higher voice, then a lower" if medians_hz[0] > medians_hz[1] else "a lower voice, then a higher"
    return f": first {how} one"


def _describe_pitch(pitch_hz: Floats) -> str:
    low, middle, high = np.percentile(pitch_hz, [10, 50, 90])
    spread = 12 * np.log2(high / low)
    movement = "monotonous" if spread < 4 else "lively" if spread > 9 else "moderately varied"
    return f"{middle:.0f} Hz ({low:.0f}-{high:.0f}, {movement})"


def estimate_syllable_rate(speech: Floats) -> float:
    """Estimate syllables per second by the peaks of the level (Mermelstein, JASA 1975).

    Args:
        speech: samples at 16 kHz, shape (num_samples,).
    """
    from scipy.signal import find_peaks

    levels = np.convolve(measure_levels_db(speech), np.hanning(9) / np.hanning(9).sum(), mode="same")
    peaks, _ = find_peaks(levels, prominence=3.0, distance=8, height=float(levels.max()) - 25)
    return len(peaks) / max(len(speech) / SAMPLE_RATE, 0.1)


def _make_evidence(text: str, spans: ActiveSpans, confidence: float | None, labels: tuple[Label, ...] = ()) -> Evidence:
    return make_evidence("speaker", text, spans, labels, source=SOURCE, confidence=confidence)
