"""Comparison of two sounds: same speaker, sound, tune or rhythm; longer, louder, higher, faster, duller."""

from functools import cache
from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.harmony import MusicalKey, estimate_key, estimate_key_of_melody
from services.captioners.music.melody import MIN_SOLO_SHARE, extract_melody, measure_solo_share
from services.captioners.music.notes import DetectedNote
from services.captioners.music.pitches import BasicPitch
from services.captioners.rhythm.analyser import RhythmAnalyser
from services.captioners.rhythm.onsets import detect_strokes
from services.captioners.sounds.activity import ActiveSpans, detect_activity, measure_levels_db
from services.captioners.sounds.yamnet import YamNet
from services.captioners.voices.segments import detect_speech
from services.captioners.voices.speaker import estimate_syllable_rate
from services.captioners.voices.voiceprint import WINDOW_S, VoiceEncoder
from services.measurement.just_noticeable import SAME_PACE
from services.measurement.spectrum import find_pitch, measure_spectrum
from services.measurement.tunes import TuneLikeness, compare_rhythms, compare_tunes
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


class SignalFacts(NamedTuple):
    """What is measured of a sound to compare it with others; None where it cannot be told."""

    level_db: float
    """Mean level of what is heard, dBFS."""
    pitch_hz: float | None
    """Of a tone or a voice."""
    syllable_rate: float | None
    """Of speech, a second."""
    tempo_bpm: float | None
    """Of what is not speech."""
    length_s: float
    """From the first sound to the last."""
    highest_hz: float | None
    """Where the spectrum ends."""


class ValuePair(NamedTuple):
    """A quantity of each of two sounds."""

    first: float
    second: float


class KeyPair(NamedTuple):
    """The keys of two passages of music."""

    first: MusicalKey
    second: MusicalKey


class SoundComparison(NamedTuple):
    """What two sounds have in common; None where a property cannot be told of both."""

    lengths_s: ValuePair | None = None
    """From the first sound to the last."""
    highest_hz: ValuePair | None = None
    """Where the spectrum of each ends."""
    tune: TuneLikeness | None = None
    """None where the tunes are different, or there are none."""
    same_rhythm: bool = False
    """At any tempo; speech has none."""
    keys: KeyPair | None = None
    level_difference_db: float | None = None
    """By how much the second is louder; negative: quieter."""
    pitch_ratio: float | None = None
    """Frequency of the second over that of the first."""
    pace: Pace | None = None
    same_speaker: float | None = None
    """Probability."""
    same_sound: float | None = None
    """Probability."""


class _HeardMusic(NamedTuple):
    """What is heard of music to compare it with other music."""

    notes: tuple[DetectedNote, ...]
    strokes_s: tuple[float, ...]
    key: MusicalKey | None


class SoundComparer:
    """Compares two clips.

    Args:
        yamnet: tells sounds apart.
        voices: tells speakers apart.
        transcribe: hears the notes of music.
    """

    def __init__(self, yamnet: YamNet, voices: VoiceEncoder, transcribe: BasicPitch) -> None:
        self._yamnet, self._voices, self._transcribe = yamnet, voices, transcribe

    def __call__(self, first: AudioClip, second: AudioClip) -> SoundComparison:
        """Compare two clips; of silence nothing can be told."""
        one, other = measure_signal(first), measure_signal(second)
        if one is None or other is None:
            return SoundComparison()
        sounds = [embed_sound(self._yamnet, clip, detect_activity(clip.samples)) for clip in (first, second)]
        voices = [find_voice(self._voices, clip) for clip in (first, second)]
        is_spoken = one.syllable_rate is not None or other.syllable_rate is not None
        passages = None if is_spoken else (self._hear(first), self._hear(second))
        return SoundComparison(
            lengths_s=_pair(one.length_s, other.length_s),
            highest_hz=_pair(one.highest_hz, other.highest_hz),
            tune=compare_tunes(passages[0].notes, passages[1].notes) if passages else None,
            same_rhythm=compare_rhythms(passages[0].strokes_s, passages[1].strokes_s) if passages else False,
            keys=_pair_keys(passages[0].key, passages[1].key) if passages else None,
            level_difference_db=other.level_db - one.level_db,
            pitch_ratio=other.pitch_hz / one.pitch_hz if one.pitch_hz and other.pitch_hz else None,
            pace=_compare_paces(one, other, passages),
            same_speaker=estimate_same_speaker(*voices),
            same_sound=SAME_SOUND.estimate(float(sounds[0] @ sounds[1])),
        )

    def _hear(self, clip: AudioClip) -> _HeardMusic:
        pitches = self._transcribe(clip.samples)
        notes = extract_melody(clip.samples, pitches)
        is_solo = measure_solo_share(notes, pitches) >= MIN_SOLO_SHARE
        strokes = tuple(onset.time_s for onset in detect_strokes(clip.samples))
        return _HeardMusic(notes, strokes, estimate_key_of_melody(notes) if is_solo else estimate_key(pitches))


def measure_signal(clip: AudioClip) -> SignalFacts | None:
    """Measure a clip; None on silence."""
    heard = detect_activity(clip.samples)
    if not heard:
        return None
    speech = _find_long_speech(clip)
    spectrum = measure_spectrum(clip)
    return SignalFacts(
        level_db=_measure_level_db(clip, heard),
        pitch_hz=find_pitch(clip.samples),
        syllable_rate=estimate_syllable_rate(_join(clip, speech)) if speech else None,
        tempo_bpm=None if speech else _estimate_tempo(clip),
        length_s=heard[-1].end_s - heard[0].start_s,
        highest_hz=spectrum.high_hz if spectrum else None,
    )


def find_voice(voices: VoiceEncoder, clip: AudioClip) -> Embedding | None:
    """Return the embedding of the voice in a clip, of length 1; None where nobody speaks long enough."""
    speech = _find_long_speech(clip)
    return embed_voice(voices, clip, speech) if speech else None


def estimate_same_speaker(first: Embedding | None, second: Embedding | None) -> float | None:
    """Estimate the probability that two voices are of one person; None without one of them."""
    return None if first is None or second is None else SAME_SPEAKER.estimate(float(first @ second))


def embed_voice(voices: VoiceEncoder, clip: AudioClip, speech: ActiveSpans) -> Embedding:
    """Return the mean embedding of the windows of a voice, of length 1."""
    spoken = _join(clip, speech)
    size, step = round(WINDOW_S * SAMPLE_RATE), round(STEP_S * SAMPLE_RATE)
    starts = range(0, max(1, len(spoken) - size + 1), step)
    return _normalise(voices([spoken[start : start + size] for start in starts]).mean(axis=0))


def embed_sound(yamnet: YamNet, clip: AudioClip, spans: ActiveSpans) -> Embedding:
    """Return the mean embedding of the patches of a sound, of length 1."""
    samples = _join(clip, spans)
    return _normalise(yamnet(samples).embeddings.mean(axis=0))


def _find_long_speech(clip: AudioClip) -> ActiveSpans:
    """Return the spans of speech; none where there is less than a voice or a pace is told by."""
    speech = detect_speech(clip.samples)
    return speech if sum(span.duration_s for span in speech) >= LEAST_SPEECH_S else ()


def _estimate_tempo(clip: AudioClip) -> float | None:
    tempo = _open_rhythm()(clip.samples).tempo
    return tempo.bpm if tempo is not None and tempo.probability >= LEAST_TEMPO else None


@cache
def _open_rhythm() -> RhythmAnalyser:
    return RhythmAnalyser()


def _compare_paces(
    first: SignalFacts, second: SignalFacts, passages: tuple[_HeardMusic, _HeardMusic] | None
) -> Pace | None:
    """Compare two paces; of music only where its strokes agree which is faster: a beat may be taken twice as fast."""
    if first.syllable_rate is not None and second.syllable_rate is not None:
        return Pace(first.syllable_rate, second.syllable_rate, "syllables a second")
    if first.tempo_bpm is None or second.tempo_bpm is None or passages is None:
        return None
    rates = [len(passage.strokes_s) / facts.length_s for passage, facts in zip(passages, (first, second), strict=True)]
    is_faster = second.tempo_bpm > first.tempo_bpm
    is_near = abs(log2(second.tempo_bpm / first.tempo_bpm)) < SAME_PACE
    return Pace(first.tempo_bpm, second.tempo_bpm, "BPM") if is_near or is_faster == (rates[1] > rates[0]) else None


def _pair(first: float | None, second: float | None) -> ValuePair | None:
    return ValuePair(first, second) if first and second else None


def _pair_keys(first: MusicalKey | None, second: MusicalKey | None) -> KeyPair | None:
    return KeyPair(first, second) if first and second else None


def _join(clip: AudioClip, spans: ActiveSpans) -> NDArray[np.float32]:
    return np.concatenate([span.cut(clip.samples) for span in spans])


def _measure_level_db(clip: AudioClip, spans: ActiveSpans) -> float:
    """Return the mean level of what is heard, dBFS."""
    levels = measure_levels_db(_join(clip, spans))
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))


def _normalise(embedding: Embedding) -> Embedding:
    return np.asarray(embedding / np.linalg.norm(embedding), np.float32)
