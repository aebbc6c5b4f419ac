import numpy as np
import pytest

from services.audio.load import load
from services.measurement.analyser import compare
from services.measurement.comparison import SAME_SPEAKER, SoundComparison
from services.types import SAMPLE_RATE, AudioClip
from services.weights import store as weights

pytestmark = pytest.mark.weights


def tone(hertz: float, level: float = 0.1) -> AudioClip:
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    parts = (np.sin(2 * np.pi * hertz * k * seconds) / k for k in (1, 2, 3))
    return AudioClip(np.asarray(level * sum(parts), np.float32))


def clicks(bpm: float) -> AudioClip:
    samples = np.zeros(8 * SAMPLE_RATE, np.float32)
    burst = (0.5 * np.exp(-np.arange(800) / 100) * np.random.default_rng(0).normal(size=800)).astype(np.float32)
    for start in np.arange(0, len(samples) - 800, 60 / bpm * SAMPLE_RATE).astype(int):
        samples[start : start + 800] += burst
    return AudioClip(np.clip(samples, -1, 1))


async def test_the_louder_and_higher_of_two_tones_is_told_by_how_much() -> None:
    found = await compare(tone(220), tone(440, level=0.2))
    assert found.level_difference_db == pytest.approx(6.02, abs=0.1)
    assert found.pitch_ratio == pytest.approx(2, rel=0.01)
    assert found.same_speaker is None and found.pace is None


async def test_the_faster_of_two_rhythms_is_told_in_beats_a_minute() -> None:
    found = await compare(clicks(90), clicks(135))
    assert found.pace is not None and found.pace.unit == "BPM"
    assert found.pace.second / found.pace.first == pytest.approx(1.5, rel=0.05)
    assert found.same_sound is not None and found.same_sound > 0.8
    assert found.same_rhythm is False, "eleven strokes and seventeen"


async def test_a_voice_is_like_itself_and_speech_is_not_a_tone() -> None:
    speech = load(weights.ensure_folder("demo-speech") / "two_cities.wav")
    first, second = speech.cut(1.2, 5.0), speech.cut(5.2, 9.0)
    found = await compare(first, second)
    assert found.same_speaker is not None and found.same_speaker > 0.5
    assert found.pace is not None and found.pace.unit == "syllables a second"
    other = await compare(first, tone(440))
    assert other.same_sound is not None and other.same_sound < 0.3 and other.same_speaker is None


async def test_paces_of_two_kinds_are_not_compared() -> None:
    speech = load(weights.ensure_folder("demo-speech") / "two_cities.wav").cut(1.2, 5.0)
    assert (await compare(speech, clicks(120))).pace is None
    assert (await compare(speech.cut(0, 0.4), speech)).same_speaker is None, "too little speech to know a voice by"


async def test_of_silence_nothing_is_told() -> None:
    assert await compare(tone(220), AudioClip(np.zeros(SAMPLE_RATE, np.float32))) == SoundComparison()


def test_likeness_is_even_in_the_middle_of_its_curve() -> None:
    assert SAME_SPEAKER.estimate(SAME_SPEAKER.middle) == 0.5
    assert SAME_SPEAKER.estimate(0.9) > 0.9
    assert SAME_SPEAKER.estimate(0.4) < 0.1


async def test_a_muffled_half_is_told_by_where_its_spectrum_ends() -> None:
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(1).normal(0, 0.05, len(seconds)).astype(np.float32)
    spectrum = np.fft.rfft(noise)
    spectrum[round(len(spectrum) / 8) :] = 0
    found = await compare(AudioClip(noise), AudioClip(np.fft.irfft(spectrum, len(noise)).astype(np.float32)))
    assert found.highest_hz is not None
    assert found.highest_hz.first > 7000 and found.highest_hz.second == pytest.approx(1000, abs=150)
    assert found.lengths_s == pytest.approx((2.0, 2.0), abs=0.05)
