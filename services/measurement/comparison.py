"""SoundComparison of two sounds: same speaker, same sound, and which is louder, higher or faster."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.rhythm import RhythmAnalyser
from services.captioners.sounds.activity import ActiveSpans, detect_activity, measure_levels_db
from services.captioners.sounds.yamnet import YamNet
from services.captioners.voices.segments import detect_speech
from services.captioners.voices.speaker import estimate_syllable_rate
from services.captioners.voices.voiceprint import WINDOW_S, VoiceEncoder
from services.measurement.spectrum import find_pitch
from services.types import SAMPLE_RATE, AudioClip

Embedding = NDArray[np.float32]

LEAST_SPEECH_S = 1.0  # of each, to tell a voice or a pace by
LEAST_TEMPO = 0.5  # probability of each tempo
STEP_S = 0.8  # between windows of a voice


class Likeness(NamedTuple):
    """How a similarity becomes a probability: a logistic curve, fitted by `benchmarks/ears/likeness_fit.py`."""

    middle: float
    """Cosine similarity at which both are as likely the same as not."""
    slope: float

    def estimate(self, similarity: float) -> float:
        """Estimate the probability that two embeddings are of the same speaker, or the same sound."""
        return float(1 / (1 + np.exp(-self.slope * (similarity - self.middle))))


SAME_SPEAKER = Likeness(0.63, 12.4)
SAME_SOUND = Likeness(0.55, 8.7)


class Pace(NamedTuple):
    """How fast each of two sounds is."""

    first: float
    second: float
    unit: str


class SoundComparison(NamedTuple):
    """What two sounds have in common; None where a property cannot be told of both."""

    level_difference_db: float | None
    """By how much the second is louder; negative: quieter."""
    pitch_ratio: float | None
    """Frequency of the second over that of the first."""
    pace: Pace | None
    same_speaker: float | None
    """Probability."""
    same_sound: float | None
    """Probability."""


class SoundComparer:
    """Compares two clips.

    Args:
        yamnet: tells sounds apart.
        voices: tells speakers apart.
    """

    def __init__(self, yamnet: YamNet, voices: VoiceEncoder) -> None:
        self._yamnet, self._voices, self._rhythm = yamnet, voices, RhythmAnalyser()

    def __call__(self, first: AudioClip, second: AudioClip) -> SoundComparison:
        """Compare two clips; of silence nothing can be told."""
        heard = [detect_activity(clip.samples) for clip in (first, second)]
        if not all(heard):
            return SoundComparison(None, None, None, None, None)
        levels = [_measure_level_db(clip, spans) for clip, spans in zip((first, second), heard, strict=True)]
        pitches = [find_pitch(clip.samples) for clip in (first, second)]
        speech = [detect_speech(clip.samples) for clip in (first, second)]
        both_speak = all(sum(span.duration_s for span in spans) >= LEAST_SPEECH_S for spans in speech)
        return SoundComparison(
            level_difference_db=levels[1] - levels[0],
            pitch_ratio=pitches[1] / pitches[0] if pitches[0] and pitches[1] else None,
            pace=_compare_speech(first, second, speech) if both_speak else self._compare_tempi(first, second),
            same_speaker=self._compare_voices(first, second, speech) if both_speak else None,
            same_sound=SAME_SOUND.estimate(
                float(embed_sound(self._yamnet, first, heard[0]) @ embed_sound(self._yamnet, second, heard[1]))
            ),
        )

    def _compare_tempi(self, first: AudioClip, second: AudioClip) -> Pace | None:
        tempi = [self._rhythm(clip.samples).tempo for clip in (first, second)]
        told = [tempo.bpm for tempo in tempi if tempo is not None and tempo.probability >= LEAST_TEMPO]
        return Pace(told[0], told[1], "BPM") if len(told) == len(tempi) else None

    def _compare_voices(self, first: AudioClip, second: AudioClip, speech: list[ActiveSpans]) -> float:
        one, other = (
            embed_voice(self._voices, clip, spans) for clip, spans in zip((first, second), speech, strict=True)
        )
        return SAME_SPEAKER.estimate(float(one @ other))


def embed_voice(voices: VoiceEncoder, clip: AudioClip, speech: ActiveSpans) -> Embedding:
    """Return the mean embedding of the windows of a voice, of length 1."""
    spoken = np.concatenate([span.cut(clip.samples) for span in speech])
    size, step = round(WINDOW_S * SAMPLE_RATE), round(STEP_S * SAMPLE_RATE)
    starts = range(0, max(1, len(spoken) - size + 1), step)
    return _normalise(voices([spoken[start : start + size] for start in starts]).mean(axis=0))


def embed_sound(yamnet: YamNet, clip: AudioClip, spans: ActiveSpans) -> Embedding:
    """Return the mean embedding of the patches of a sound, of length 1."""
    samples = np.concatenate([span.cut(clip.samples) for span in spans])
    return _normalise(yamnet(samples).embeddings.mean(axis=0))


def _compare_speech(first: AudioClip, second: AudioClip, speech: list[ActiveSpans]) -> Pace:
    rates = [
        estimate_syllable_rate(np.concatenate([span.cut(clip.samples) for span in spans]))
        for clip, spans in zip((first, second), speech, strict=True)
    ]
    return Pace(rates[0], rates[1], "syllables a second")


def _measure_level_db(clip: AudioClip, spans: ActiveSpans) -> float:
    """Return the mean level of what is heard, dBFS."""
    levels = measure_levels_db(np.concatenate([span.cut(clip.samples) for span in spans]))
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))


def _normalise(embedding: Embedding) -> Embedding:
    return np.asarray(embedding / np.linalg.norm(embedding), np.float32)
