"""Vocal emotion from prosody: pitch, pitch range and spectral brightness of the voice.

A heuristic after the vocal cues that reviews of the literature agree on (Scherer, Speech Communication 40, 2003, table
1; Juslin & Laukka, Psychological Bulletin 129, 2003); nothing is fitted to recordings of acted emotions.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpans
from services.captioners.sounds.statements import make_evidence
from services.captioners.statement import make_labels
from services.captioners.voices.gender import SpeakerKind
from services.captioners.voices.voice_pitch import track_voiced_pitch
from services.types import SAMPLE_RATE, AudioClip, Evidence

SOURCE = "prosody"
SHORTEST_S = 0.6
USUAL_HZ: Mapping[SpeakerKind, float] = {"a man": 120.0, "a woman": 205.0}
RAISED = 3.5  # semitones above the usual pitch of men or women
FLAT = 5.0  # semitones between the 10th and the 90th percentile of the pitch
BRIGHT_DB = -6.0  # 1-5 kHz against 80-1000 Hz: a pressed, loud voice


def describe_emotion(clip: AudioClip, speech: ActiveSpans, who: SpeakerKind) -> tuple[Evidence, ...]:
    """Return a statement on the vocal emotion of one speaker; none for a child or where there is too little voice."""
    voice = np.concatenate([span.cut(clip.samples) for span in speech])
    pitch_hz = track_voiced_pitch(voice)
    if who not in USUAL_HZ or len(voice) < SHORTEST_S * SAMPLE_RATE or len(pitch_hz) < 20:
        return ()
    low, middle, high = np.percentile(pitch_hz, [10, 50, 90])
    raised, spread = 12 * np.log2(middle / USUAL_HZ[who]), 12 * np.log2(high / low)
    sounds, means = _interpret(float(raised), float(spread), _measure_brightness_db(voice))
    text, labels = f"The voice sounds {sounds}: {means}.", make_labels([means])
    return (make_evidence("emotion", text, speech, labels, source=SOURCE, confidence=0.4, reliability="heuristic"),)


class _Impression(NamedTuple):
    sounds: str
    means: str
    """Emotions that it may express."""


def _interpret(raised: float, spread: float, brightness_db: float) -> _Impression:
    if raised >= RAISED:
        if brightness_db > BRIGHT_DB:
            return _Impression("raised and loud", "probably angry, perhaps happy or fearful")
        if spread < FLAT:
            return _Impression("high and tense", "probably fearful, perhaps surprised or sad")
        return _Impression("high and lively", "probably happy or surprised, perhaps fearful")
    if spread < FLAT:
        return _Impression("low and subdued", "probably sad, calm or neutral")
    return _Impression("calm and even", "probably neutral or calm, perhaps sad or disgusted")


def _measure_brightness_db(voice: Floats) -> float:
    power = np.abs(np.fft.rfft(voice)) ** 2
    bins_hz = np.fft.rfftfreq(len(voice), 1 / SAMPLE_RATE)
    bright = power[(bins_hz > 1000) & (bins_hz < 5000)].sum()
    dark = power[(bins_hz > 80) & (bins_hz <= 1000)].sum()
    return float(10 * np.log10((bright + 1e-12) / (dark + 1e-12)))
